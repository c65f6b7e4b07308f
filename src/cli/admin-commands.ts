/** `varve admin stats | levels | verify | flush | compact`: what a server's operator asks for. */
import Table from "cli-table3";
import { Command } from "commander";
import type { VarveClient, VerifyResult } from "varve-client";
import type { DatabaseStats } from "../engine/stats.ts";
import {
  jsonOption,
  print,
  printJson,
  type RemoteOptions,
  urlOption,
  withClient,
} from "./remote.ts";
import { formatCount, formatSize } from "./sizes.ts";
import {
  ProgressBar,
  plainProblem,
  printProblems,
  printTables,
  printVerdict,
} from "./verify-report.ts";

interface ServerStats {
  readonly server: Readonly<Record<string, unknown>>;
  readonly store: DatabaseStats;
}

/** How often a server is asked how far it is. */
const PROGRESS_MS = 250;
const PLAIN = { head: [], border: [] };

function adminCommand(name: string, description: string): Command {
  return new Command(name).description(description).addOption(urlOption()).addOption(jsonOption());
}

export function adminCommands(): Command {
  return new Command("admin")
    .description("look at a running server, and tell it what to do")
    .addCommand(adminCommand("stats", "all numbers that the server keeps").action(stats))
    .addCommand(adminCommand("levels", "the shape of the tree").action(levels))
    .addCommand(adminCommand("verify", "read all tables, and tell what is damaged").action(verify))
    .addCommand(adminCommand("flush", "write memtables to tables").action(flush))
    .addCommand(
      adminCommand("compact", "compact keys down to the last level")
        .option("--gte <key>", "from this key on")
        .option("--lte <key>", "up to this key")
        .action(compact),
    );
}

async function stats(options: RemoteOptions): Promise<void> {
  const all = await withClient(options, (client) => client.stats());
  if (options.json) return printJson(all);
  const table = new Table({ head: ["what", "value"], style: PLAIN });
  for (const [name, value] of flatten(all)) table.push([name, String(value)]);
  print(table.toString());
}

/** `{ a: { b: 1 } }` as `a.b`, 1; arrays by index. */
function flatten(value: unknown, name = ""): [name: string, value: unknown][] {
  if (typeof value !== "object" || value === null) return [[name, value]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flatten(inner, name === "" ? key : `${name}.${key}`),
  );
}

async function levels(options: RemoteOptions): Promise<void> {
  const { store } = await withClient(
    options,
    async (client) => (await client.stats()) as unknown as ServerStats,
  );
  if (options.json) return printJson(store.levels);
  const table = new Table({
    head: ["level", "tables", "size", "entries", "tombstones"],
    colAligns: ["right", "right", "right", "right", "right"],
    style: PLAIN,
  });
  for (const { level, files, bytes, entries, tombstones } of store.levels) {
    const counts = [files, entries, tombstones].map(formatCount);
    table.push([level, counts[0], formatSize(bytes), counts[1], counts[2]]);
  }
  print(table.toString());
  const { active, waiting } = store.memtables;
  print(
    `memtable: ${formatCount(active.entries)} entries, ${formatSize(active.bytes)}; ${waiting} waiting`,
  );
}

async function verify(options: RemoteOptions): Promise<void> {
  const report = await withClient(options, verifyWithProgress);
  const { problems } = report;
  if (options.json) printJson({ ...report, problems: problems.map(plainProblem) });
  else {
    printTables(report);
    printProblems(problems);
    printVerdict(problems);
  }
  if (problems.length > 0) process.exitCode = 1;
}

async function verifyWithProgress(client: VarveClient): Promise<VerifyResult> {
  const bar = new ProgressBar();
  const timer = setInterval(() => {
    client.stats().then(
      (stats) => {
        const { store } = stats as unknown as ServerStats;
        if (store.verify !== null) bar.update(store.verify);
      },
      // Whatever ended the connection ends the verification, which says so.
      () => undefined,
    );
  }, PROGRESS_MS);
  try {
    return await client.verify();
  } finally {
    clearInterval(timer);
    bar.stop();
  }
}

async function flush(options: RemoteOptions): Promise<void> {
  await withClient(options, (client) => client.flush());
  if (options.json) printJson({ flushed: true });
  else print("flushed");
}

async function compact(options: RemoteOptions & { gte?: string; lte?: string }): Promise<void> {
  const range = {
    ...(options.gte === undefined ? {} : { gte: options.gte }),
    ...(options.lte === undefined ? {} : { lte: options.lte }),
  };
  await withClient(options, (client) => client.compact(range));
  if (options.json) printJson({ compacted: true });
  else print("compacted");
}
