/**
 * The first half of the `load` suite, in a process of its own: fills a database with random entries and
 * reports, as one line of JSON, how long it took, how much memory it needed and how long the event loop
 * was ever held.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { Database } from "../../src/engine/database.ts";
import { KEY_BYTES, keyAt, valueAt } from "../support/keys.ts";
import { peakResidentBytes } from "../support/machine.ts";

const { values: args } = parseArgs({
  options: {
    directory: { type: "string" },
    entries: { type: "string" },
    "memory-budget": { type: "string" },
  },
});
const directory = args.directory ?? "";
const entries = Number(args.entries);
const VALUE_BYTES = 100;
const BATCH = 1000;

const delay = monitorEventLoopDelay({ resolution: 1 });
const startedMs = performance.now();
const db = await Database.open(directory, {
  durability: "none",
  memoryBudget: Number(args["memory-budget"]),
});
delay.enable();
for (let first = 0; first < entries; first += BATCH) {
  const count = Math.min(BATCH, entries - first);
  await db.batch(
    Array.from({ length: count }, (_, i) => ({
      type: "put" as const,
      key: keyAt(first + i),
      value: valueAt(first + i, VALUE_BYTES),
    })),
  );
}
const filledMs = performance.now();
await db.flush();
delay.disable();
const stats = db.stats();
const report = {
  entries,
  userBytes: entries * (KEY_BYTES + VALUE_BYTES),
  seconds: (filledMs - startedMs) / 1000,
  peakResidentBytes: peakResidentBytes(),
  // The monitor counts from one expected tick to the next, so its own period is part of each value.
  loopDelayP50Ms: delay.percentile(50) / 1e6,
  loopDelayP99Ms: delay.percentile(99) / 1e6,
  loopDelayMaxMs: delay.max / 1e6,
  stats,
};
await db.close();
process.stdout.write(`${JSON.stringify(report)}\n`);
