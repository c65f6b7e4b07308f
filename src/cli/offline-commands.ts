/** `varve verify` and `varve repair`: a database's directory, while nobody has it open. */
import { Command } from "commander";
import { Database } from "../engine/database.ts";
import { jsonOption, print, printJson } from "./remote.ts";
import { formatCount } from "./sizes.ts";
import {
  ProgressBar,
  plainProblem,
  printProblems,
  printTables,
  printVerdict,
} from "./verify-report.ts";

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
    printJson({ ...report, lost: report.lost.map(plainProblem) });
    return;
  }
  print(`manifest ${report.manifest}, ${formatCount(report.tablesKept)} tables kept`);
  print(`${formatCount(report.operationsRecovered)} operations recovered from the log`);
  printProblems(report.lost);
  print(report.lost.length === 0 ? "nothing was lost" : `${report.lost.length} parts were lost`);
}

async function verify({ data, json }: OfflineOptions): Promise<void> {
  const bar = new ProgressBar();
  const report = await Database.verify(data, (progress) => bar.update(progress)).finally(() =>
    bar.stop(),
  );
  const { problems, logSegments, logOperations } = report;
  if (json) printJson({ ...report, problems: problems.map(plainProblem) });
  else {
    printTables(report);
    print(`${formatCount(logSegments)} log segments, ${formatCount(logOperations)} operations`);
    printProblems(problems);
    printVerdict(problems);
  }
  if (problems.length > 0) process.exitCode = 1;
}
