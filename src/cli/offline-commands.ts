/** `varve verify` and `varve repair`: a database's directory, while nobody has it open. */
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

export function repairCommand(): Command {
  return new Command("repair")
    .description("make a damaged database open again; what is unsound is moved to lost/")
    .option("--data <directory>", "where the database is", "./data")
    .addOption(jsonOption())
    .action(repair);
}

async function repair({ data, json }: OfflineOptions): Promise<void> {
  const report = await Database.repair(data);
  if (json) {
    printJson({ ...report, lost: report.lost.map(plain) });
    return;
  }
  print(`manifest ${report.manifest}, ${formatCount(report.tablesKept)} tables kept`);
  print(`${formatCount(report.operationsRecovered)} operations recovered from the log`);
  printProblems(report.lost);
  print(report.lost.length === 0 ? "nothing was lost" : `${report.lost.length} parts were lost`);
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
  printProblems(problems);
  print(problems.length === 0 ? "no damage found" : `${problems.length} problems found`);
}

function printProblems(problems: readonly Problem[]): void {
  for (const { message, smallest, largest } of problems) {
    print(message);
    if (smallest !== undefined && largest !== undefined) {
      print(`  keys from ${toText(smallest, "utf8")} to ${toText(largest, "utf8")}`);
    }
  }
}
