/**
 * The second half of the `load` suite, in a fresh process: opens the database again and reads every tenth
 * entry back.
 */
import { parseArgs } from "node:util";
import { compareBytes } from "../../src/bytes/compare.ts";
import { Database } from "../../src/engine/database.ts";
import { keyAt, valueAt } from "../support/keys.ts";

const { values: args } = parseArgs({
  options: {
    directory: { type: "string" },
    entries: { type: "string" },
    "memory-budget": { type: "string" },
  },
});
const entries = Number(args.entries);
const STEP = 10;

const startedMs = performance.now();
const db = await Database.open(args.directory ?? "", {
  createIfMissing: false,
  memoryBudget: Number(args["memory-budget"]),
});
const openedMs = performance.now();
let checked = 0;
let wrong = 0;
for (let i = 0; i < entries; i += STEP) {
  const value = await db.get(keyAt(i));
  if (value === undefined || compareBytes(value, valueAt(i, 100)) !== 0) wrong++;
  checked++;
}
const seconds = (performance.now() - openedMs) / 1000;
await db.close();
const report = { openMs: openedMs - startedMs, checked, wrong, seconds };
process.stdout.write(`${JSON.stringify(report)}\n`);
