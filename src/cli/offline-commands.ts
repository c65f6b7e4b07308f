/** `varve verify`: a database's directory looked at while nobody has it open. */
import { Presets, SingleBar } from "cli-progress";
import { Command } from "commander";
import { Database } from "../engine/database.ts";
import type { Problem, VerifyReport } from "../engine/verify.ts";
import { jsonOption, print, printJson } from "./remote.ts";
import { formatCount, formatSize } from "./sizes.ts";
import { toText } from "./text.ts";

interface OfflineOptions {
  readonly data: string;
  readonly json?: boolean;
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description("read all of a database that nobody has open, and tell what is damaged")
    .option("--data <directory>", "where the database is", "./data")
    .addOption(jsonOption())
    .action(verify);
}

async function verify({ data, json }: OfflineOptions): Promise<void> {
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: "{bar} {percentage}%", clearOnComplete: true }, Presets.rect)
    : undefined;
  bar?.start(1, 0);
  const report = await Database.verify(data, ({ doneBytes, totalBytes }) => {
    bar?.setTotal(totalBytes);
    bar?.update(doneBytes);
  });
  bar?.stop();
  if (json) printJson({ ...report, problems: report.problems.map(plain) });
  else printReport(report);
  if (report.problems.length > 0) process.exitCode = 1;
}

function plain({ file, message, smallest, largest }: Problem): object {
  const keys =
    smallest === undefined || largest === undefined
      ? {}
      : { smallest: toText(smallest, "utf8"), largest: toText(largest, "utf8") };
  return { file, message, ...keys };
}

function printReport(report: VerifyReport): void {
  const { tables, tableBytes, entries, logSegments, logOperations, problems } = report;
  print(
    `${formatCount(tables)} tables, ${formatSize(tableBytes)}, ${formatCount(entries)} entries`,
  );
  print(`${formatCount(logSegments)} log segments, ${formatCount(logOperations)} operations`);
  for (const problem of problems) {
    print(problem.message);
    const { smallest, largest } = problem;
    if (smallest !== undefined && largest !== undefined) {
      print(`  keys from ${toText(smallest, "utf8")} to ${toText(largest, "utf8")}`);
    }
  }
  print(problems.length === 0 ? "no damage found" : `${problems.length} problems found`);
}
