/** One round of the `recover` suite, in a fresh process: opens the database, or only reads its log. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { crc32 } from "node:zlib";
import { Database } from "../../src/engine/database.ts";
import { keyAt } from "../support/keys.ts";

const { values: args } = parseArgs({
  options: {
    directory: { type: "string" },
    how: { type: "string" },
    entries: { type: "string" },
  },
});
const directory = args.directory ?? "";
const entries = Number(args.entries);

interface Replay {
  readonly seconds: number;
  readonly bytes: number;
}

async function readAlone(): Promise<Replay> {
  const startedMs = performance.now();
  let bytes = 0;
  for (const name of await readdir(directory)) {
    if (!name.endsWith(".log")) continue;
    const content = await readFile(join(directory, name));
    crc32(content);
    bytes += content.length;
  }
  return { seconds: (performance.now() - startedMs) / 1000, bytes };
}

async function replay(): Promise<Replay> {
  const startedMs = performance.now();
  const db = await Database.open(directory, { createIfMissing: false });
  const seconds = (performance.now() - startedMs) / 1000;
  const { recovery } = db.stats();
  for (let i = 0; i < entries; i += 997) {
    if (db.getSync(keyAt(i)) === undefined) throw new Error(`entry ${i} is gone`);
  }
  if (recovery.operations !== entries) throw new Error(`${recovery.operations} were replayed`);
  return { seconds, bytes: recovery.logBytes };
}

const report = await (args.how === "alone" ? readAlone() : replay());
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.kill(process.pid, "SIGKILL"));
