/**
 * Makes the database that the `recover` suite opens, in a process of its own: nothing is ever flushed, and the
 * process ends without closing, so everything written is in the log alone.
 */
import { parseArgs } from "node:util";
import type { Background } from "../../src/engine/background.ts";
import { Database } from "../../src/engine/database.ts";
import { emptyKeys, valuePool, writeRandomKey } from "../support/keys.ts";

const { values: args } = parseArgs({
  options: { directory: { type: "string" }, entries: { type: "string" } },
});
const entries = Number(args.entries);
const MIB = 1024 * 1024;
const BATCH = 100;

const idle: Background = {
  compactionsMax: 1,
  run: () => new Promise<never>(() => undefined),
  close: async () => undefined,
};

const db = await Database.open(args.directory ?? "", {
  background: idle,
  durability: "none",
  // Room for memtables of the usual size, as many as the log needs.
  memoryBudget: 4096 * MIB,
  immutableMemtablesMax: 64,
});
// With no worker at work, a write that is slowed down has nothing else that keeps the process going.
setInterval(() => undefined, 1000);
const keys = emptyKeys(BATCH);
const values = valuePool(100, false);
for (let first = 0; first < entries; first += BATCH) {
  keys.forEach((key, i) => {
    writeRandomKey(key, first + i);
  });
  await db.batch(
    keys.map((key, i) => ({
      type: "put" as const,
      key,
      value: values[(first + i) % values.length] as Buffer,
    })),
  );
}
process.kill(process.pid, "SIGKILL");
