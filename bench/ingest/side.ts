/** One way of the `ingest` suite, in a process of its own: loads sorted entries into a fresh database. */
import { mkdir, rm } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Database } from "../../src/engine/database.ts";
import type { Operation, Pair } from "../../src/store.ts";
import { KEY_BYTES, valuePool, writeKeyInOrder } from "../support/keys.ts";
import { settle } from "../support/settle.ts";
import { answerQuestions } from "../support/side-process.ts";

/** `pairs` come singly, `arrays` a thousand at a time, as the batches do; of those, `synced` ones are as durable as an ingest. */
export type Way = "pairs" | "arrays" | "synced" | "batches";

export interface IngestSpec {
  readonly directory: string;
  readonly way: Way;
  readonly entries: number;
  readonly valueBytes: number;
  /** Values that compress to about half. */
  readonly compressible: boolean;
  readonly memoryBytes: number;
}

const BATCH = 1000;
/** Synced batches that wait for the disk together. */
const IN_FLIGHT = 4;
const WARM_UP_ENTRIES = 200_000;
const CALM_MS = 150;
/** Between a compaction and the next one nothing runs for a moment. */
const IDLE_LOOKS = 3;
const LOOK_MS = 2;
const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as IngestSpec;
const values = valuePool(spec.valueBytes, spec.compressible);

/** Entries `[from, to)`, as are those of the others. */
function* pairs(from: number, to: number): Generator<Pair> {
  const key = Buffer.alloc(KEY_BYTES);
  for (let i = from; i < to; i++) {
    writeKeyInOrder(key, i);
    yield [key, values[i % values.length] as Buffer];
  }
}

function* arrays(from: number, to: number): Generator<readonly Pair[]> {
  const keys = Array.from({ length: BATCH }, () => Buffer.alloc(KEY_BYTES));
  for (let first = from; first < to; first += BATCH) {
    const size = Math.min(BATCH, to - first);
    yield keys.slice(0, size).map((key, i): Pair => {
      writeKeyInOrder(key, first + i);
      return [key, values[(first + i) % values.length] as Buffer];
    });
  }
}

async function writeBatches(db: Database, from: number, to: number): Promise<void> {
  for (const some of arrays(from, to)) {
    const operations = some.map(([key, value]): Operation => ({ type: "put", key, value }));
    await db.batch(operations, { durability: "none" });
  }
}

/** Nobody who is in a hurry waits for each sync. */
async function writeSynced(db: Database, from: number, to: number): Promise<void> {
  const all = arrays(from, to);
  const writeOn = async (): Promise<void> => {
    for (const some of all) {
      const operations = some.map(([key, value]): Operation => ({ type: "put", key, value }));
      await db.batch(operations, { durability: "always" });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, writeOn));
}

/** Loads entries in this side's way. */
async function load(db: Database, from: number, to: number): Promise<void> {
  if (spec.way === "batches") await writeBatches(db, from, to);
  else if (spec.way === "synced") await writeSynced(db, from, to);
  else await db.ingest(spec.way === "pairs" ? pairs(from, to) : arrays(from, to));
}

/** Both sides are Varve, which can say for itself whether anything is left to be done. */
async function idle(db: Database): Promise<void> {
  for (let looks = 0; looks < IDLE_LOOKS; looks++) {
    if (db.stats().background.running > 0) looks = 0;
    await setTimeout(LOOK_MS);
  }
}

/** Entries per second until the call, or the last of the calls, is answered, and until nothing is left to be done. */
async function measure(): Promise<{ answered: number; settled: number }> {
  await rm(spec.directory, { recursive: true, force: true });
  await mkdir(spec.directory, { recursive: true });
  const db = await Database.open(spec.directory, { memoryBudget: spec.memoryBytes });
  // A database that has run for a while has its workers started, and the code that this takes compiled.
  await load(db, spec.entries, spec.entries + WARM_UP_ENTRIES);
  await db.flush();
  await settle(CALM_MS);
  const startedMs = performance.now();
  await load(db, 0, spec.entries);
  const answeredMs = performance.now() - startedMs;
  // What an ingest has done when it is answered, batches have still before them.
  await db.flush();
  await idle(db);
  const settledMs = performance.now() - startedMs;
  await db.close();
  return {
    answered: (spec.entries / answeredMs) * 1000,
    settled: (spec.entries / settledMs) * 1000,
  };
}

answerQuestions(measure);
