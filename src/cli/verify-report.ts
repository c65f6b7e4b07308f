/** What a verification says, offline or by a server: its progress and its findings. */
import { Presets, SingleBar } from "cli-progress";
import type { Problem, TablesReport, VerifyProgress } from "../engine/verify.ts";
import { print } from "./remote.ts";
import { formatCount, formatSize } from "./sizes.ts";
import { toText } from "./text.ts";

/** A bar on a terminal; nothing elsewhere. */
export class ProgressBar {
  readonly #bar = process.stderr.isTTY
    ? new SingleBar({ format: "{bar} {percentage}%", clearOnComplete: true }, Presets.rect)
    : undefined;

  constructor() {
    this.#bar?.start(1, 0);
  }

  update({ doneBytes, totalBytes }: VerifyProgress): void {
    this.#bar?.setTotal(Math.max(1, totalBytes));
    this.#bar?.update(doneBytes);
  }

  stop(): void {
    this.#bar?.stop();
  }
}

/** A problem with its keys as text, for JSON. */
export function plainProblem({ file, message, smallest, largest }: Problem): object {
  const keys =
    smallest === undefined || largest === undefined
      ? {}
      : { smallest: toText(smallest, "utf8"), largest: toText(largest, "utf8") };
  return { file, message, ...keys };
}

export function printTables({ tables, tableBytes, entries }: TablesReport): void {
  const [count, size] = [formatCount(tables), formatSize(tableBytes)];
  print(`${count} tables, ${size}, ${formatCount(entries)} entries`);
}

export function printProblems(problems: readonly Problem[]): void {
  for (const { message, smallest, largest } of problems) {
    print(message);
    if (smallest !== undefined && largest !== undefined) {
      print(`  keys from ${toText(smallest, "utf8")} to ${toText(largest, "utf8")}`);
    }
  }
}

/** The last line of a verification. */
export function printVerdict(problems: readonly Problem[]): void {
  print(problems.length === 0 ? "no damage found" : `${problems.length} problems found`);
}
