/** One way of the `ingest` suite, in a process of its own: loads sorted entries into a fresh database. */
import { mkdir, rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Database } from "../../src/engine/database.ts";
import type { Operation, Pair } from "../../src/store.ts";
import { KEY_BYTES, valuePool, writeKeyInOrder } from "../support/keys.ts";
import { settle } from "../support/settle.ts";
import { answerQuestions } from "../support/side-process.ts";

/** `pairs` come singly, `arrays` a thousand at a time, as the batches do. */
export type Way = "pairs" | "arrays" | "batches";

export interface IngestSpec {
  readonly directory: string;
  readonly way: Way;
  readonly entries: number;
  readonly valueBytes: number;
  readonly memoryBytes: number;
}

const BATCH = 1000;
const WARM_UP_ENTRIES = 200_000;
const CALM_MS = 150;
const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as IngestSpec;
const values = valuePool(spec.valueBytes, false);

function* pairs(): Generator<Pair> {
  const key = Buffer.alloc(KEY_BYTES);
  for (let i = 0; i < spec.entries; i++) {
    writeKeyInOrder(key, i);
    yield [key, values[i % values.length] as Buffer];
  }
}

function* arrays(): Generator<readonly Pair[]> {
  const keys = Array.from({ length: BATCH }, () => Buffer.alloc(KEY_BYTES));
  for (let first = 0; first < spec.entries; first += BATCH) {
    const size = Math.min(BATCH, spec.entries - first);
    yield keys.slice(0, size).map((key, i): Pair => {
      writeKeyInOrder(key, first + i);
      return [key, values[(first + i) % values.length] as Buffer];
    });
  }
}

async function writeBatches(db: Database): Promise<void> {
  for (const some of arrays()) {
    const operations = some.map(([key, value]): Operation => ({ type: "put", key, value }));
    await db.batch(operations, { durability: "none" });
  }
}

/** A database that has run for a while has its workers started, and their code compiled. */
async function warmUp(db: Database): Promise<void> {
  for (let first = 0; first < WARM_UP_ENTRIES; first += BATCH) {
    const operations = Array.from({ length: BATCH }, (_, i): Operation => {
      const value = values[i % values.length] as Buffer;
      return { type: "put", key: `warm-up:${String(first + i).padStart(8, "0")}`, value };
    });
    await db.batch(operations, { durability: "none" });
  }
  await db.flush();
  await settle(CALM_MS);
}

/** Entries per second until the call, or the last of the calls, is answered, and until nothing is left to be done. */
async function measure(): Promise<{ answered: number; settled: number }> {
  await rm(spec.directory, { recursive: true, force: true });
  await mkdir(spec.directory, { recursive: true });
  const db = await Database.open(spec.directory, { memoryBudget: spec.memoryBytes });
  await warmUp(db);
  const startedMs = performance.now();
  if (spec.way === "batches") await writeBatches(db);
  else await db.ingest(spec.way === "pairs" ? pairs() : arrays());
  const answeredMs = performance.now() - startedMs;
  // What an ingest has done when it is answered, batches have still before them.
  await db.flush();
  const before = performance.now();
  await settle(CALM_MS);
  const waitedMs = Math.max(0, performance.now() - before - CALM_MS);
  const settledMs = before - startedMs + waitedMs;
  await db.close();
  return {
    answered: (spec.entries / answeredMs) * 1000,
    settled: (spec.entries / settledMs) * 1000,
  };
}

answerQuestions(measure);
