/** The database of the `stall` suite, in a process of its own. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { Database } from "../../src/engine/database.ts";
import { fillRandom } from "../engine/writes.ts";
import { emptyKeys, randomNumbers, valuePool, writeRandomKey } from "../support/keys.ts";
import { IDLE_WORK_MS, settle } from "../support/settle.ts";
import { PacedLoad, type Rates } from "./load.ts";
import { type Second, Series } from "./series.ts";

const { values: args } = parseArgs({
  options: {
    directory: { type: "string" },
    entries: { type: "string" },
    "read-rate": { type: "string" },
    "most-ms": { type: "string" },
    "alone-ms": { type: "string" },
    "mixed-ms": { type: "string" },
  },
});
const entries = Number(args.entries);
const readsPerSecond = Number(args["read-rate"]);
const VALUE_BYTES = 100;
const BATCH = 100;
const WRITERS = 4;

export interface Latencies {
  readonly seconds: readonly Second[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly longestGapMs: number;
}

export interface StallReport {
  readonly mostEntriesPerSecond: number;
  readonly alone: { readonly GET: Latencies };
  readonly mixed: { readonly GET: Latencies; readonly PUT: Latencies };
  /** How long the event loop was ever held, alone and beside writes: what else a call waits for is the disk. */
  readonly loopDelayMaxMs: { readonly alone: number; readonly mixed: number };
  readonly compactedBytes: number;
  readonly delayedWrites: number;
  readonly refusedWrites: number;
}

const values = valuePool(VALUE_BYTES, false);
const db = await Database.open(args.directory ?? "", { durability: "none" });
const load = new PacedLoad(db, entries, values);

async function fill(): Promise<void> {
  const store = {
    putBatch: (batch: { keys: readonly Buffer[]; values: readonly Buffer[]; count: number }) =>
      db.batch(
        batch.keys.slice(0, batch.count).map((key, i) => ({
          type: "put" as const,
          key,
          value: batch.values[i] as Buffer,
        })),
      ),
  };
  await fillRandom(store, values, entries);
}

/** How many entries a second a few writers who never pause get in, compactions included. */
async function mostEntriesPerSecond(milliseconds: number): Promise<number> {
  const next = randomNumbers(31);
  const startMs = performance.now();
  let written = 0;
  const writer = async () => {
    const keys = emptyKeys(BATCH);
    while (performance.now() - startMs < milliseconds) {
      for (const key of keys) writeRandomKey(key, next(entries));
      await db.batch(
        keys.map((key, i) => ({ type: "put" as const, key, value: values[i] as Buffer })),
      );
      written += BATCH;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return (written / (performance.now() - startMs)) * 1000;
}

function latenciesOf(series: Series): Latencies {
  return {
    seconds: series.seconds(),
    p50Ms: series.percentileMs(50),
    p99Ms: series.percentileMs(99),
    p999Ms: series.percentileMs(99.9),
    longestGapMs: series.longestGapMs,
  };
}

async function measure(rates: Rates, milliseconds: number) {
  const startMs = performance.now();
  const series = { GET: new Series(startMs), PUT: new Series(startMs) };
  await load.run(rates, milliseconds, (kind, dueMs, answeredMs) => {
    series[kind].add(dueMs, answeredMs);
  });
  return { GET: latenciesOf(series.GET), PUT: latenciesOf(series.PUT) };
}

await fill();
const most = await mostEntriesPerSecond(Number(args["most-ms"]));
await db.flush();
await settle(IDLE_WORK_MS);
// Once over everything, so that what fits into memory is there.
await measure({ entriesPerSecond: 0, readsPerSecond }, Number(args["alone-ms"]) / 4);
const loopDelay = monitorEventLoopDelay({ resolution: 1 });
loopDelay.enable();
const alone = await measure({ entriesPerSecond: 0, readsPerSecond }, Number(args["alone-ms"]));
const aloneDelayMaxMs = loopDelay.max / 1e6;
loopDelay.reset();
const before = db.stats();
const mixed = await measure(
  { entriesPerSecond: most / 2, readsPerSecond },
  Number(args["mixed-ms"]),
);
const after = db.stats();
const report: StallReport = {
  mostEntriesPerSecond: most,
  alone: { GET: alone.GET },
  mixed,
  loopDelayMaxMs: { alone: aloneDelayMaxMs, mixed: loopDelay.max / 1e6 },
  compactedBytes: after.bytesWritten.compaction - before.bytesWritten.compaction,
  delayedWrites:
    Object.values(after.delays.delayed).reduce((sum, count) => sum + count, 0) -
    Object.values(before.delays.delayed).reduce((sum, count) => sum + count, 0),
  refusedWrites: load.refused,
};
await db.close();
process.stdout.write(`${JSON.stringify(report)}\n`);
