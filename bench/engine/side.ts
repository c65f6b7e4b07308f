/**
 * One side of the `engine` suite, in a process of its own: runs a task when the parent asks for it and says
 * how long it took.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { BenchStore, StoreOptions } from "../stores/bench-store.ts";
import { loadStore } from "../stores/open-store.ts";
import type { Figures } from "../support/compare.ts";
import { valuePool } from "../support/keys.ts";
import { IDLE_WORK_MS, settle } from "../support/settle.ts";
import { answerQuestions } from "../support/side-process.ts";
import {
  missingKeys,
  randomKeys,
  readAll,
  readAndYield,
  readInFlight,
  readSync,
  seekRandom,
} from "./reads.ts";
import { operationsOf, TASKS, type Task } from "./tasks.ts";
import {
  deleteRandom,
  fillInOrder,
  fillRandom,
  overwrite,
  overwriteAtRate,
  putInFlight,
  putOneByOne,
} from "./writes.ts";

export interface SideSpec {
  readonly store: string;
  readonly directory: string;
  readonly entries: number;
  readonly valueBytes: number;
  readonly memoryBytes: number;
  readonly compression: boolean;
}

export interface Question {
  readonly task: string;
  readonly round: number;
}

const WRITER_ENTRIES_PER_SECOND = 20_000;

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as SideSpec;
const kind = await loadStore(spec.store);
const values = valuePool(spec.valueBytes, spec.compression);
const { entries } = spec;
let loaded: BenchStore | undefined;
/** Whether the loaded database may have background work to do. */
let isBusy = false;

async function openFresh(name: string, synced: boolean): Promise<BenchStore> {
  const directory = join(spec.directory, name);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const { memoryBytes, compression } = spec;
  const options: StoreOptions = { memoryBytes, compression, synced };
  return kind.open(directory, options);
}

async function openLoaded(): Promise<BenchStore> {
  if (loaded !== undefined) return loaded;
  loaded = await openFresh("loaded", false);
  await fillRandom(loaded, values, entries);
  isBusy = true;
  return loaded;
}

/** Prepares a task and returns what is to be timed. */
function prepare(
  task: Task,
  store: BenchStore,
  count: number,
  round: number,
): () => Promise<void> | void {
  // Round -1 warms up; no two rounds touch the same keys in the same order.
  const seed = round + 101;
  switch (task.name) {
    case "fillseq":
      return () => fillInOrder(store, values, count);
    case "fillrandom":
    case "fillbatch":
      return () => fillRandom(store, values, count);
    case "fillsync":
      return () => putOneByOne(store, values, count);
    case "put, 100 in flight":
    case "put, 100 in flight, synced":
      return () => putInFlight(store, values, count);
    case "readrandom": {
      const keys = randomKeys(count, entries, seed);
      return () => readSync(store, keys, count);
    }
    case "readhot": {
      const keys = randomKeys(count, Math.ceil(entries / 100), seed);
      return () => readSync(store, keys, count);
    }
    case "readmissing": {
      const keys = missingKeys(count);
      return () => readSync(store, keys, 0);
    }
    case "get, 100 in flight": {
      const keys = randomKeys(count, entries, seed);
      return () => readInFlight(store, keys);
    }
    case "readseq":
      return () => readAll(store, entries, "forward");
    case "readseq, one by one":
      return () => readAll(store, entries, "singly");
    case "readreverse":
      return () => readAll(store, entries, "reverse");
    case "seekrandom": {
      const keys = randomKeys(count, entries, seed);
      return () => seekRandom(store, keys);
    }
    case "readwhilewriting": {
      const keys = randomKeys(count, entries, seed);
      return () => readAndYield(store, keys);
    }
    case "overwrite":
      return () => overwrite(store, values, count, entries, seed);
    case "deleterandom":
      return () => deleteRandom(store, count, round + 1, Math.floor(entries / count));
    default:
      throw new Error(`${task.name} is not a task`);
  }
}

async function run({ task: name, round }: Question): Promise<Figures> {
  const task = TASKS.find((candidate) => candidate.name === name);
  if (task === undefined) throw new Error(`${name} is not a task`);
  const count = operationsOf(task, entries);
  const isFresh = task.on === "fresh";
  const store = isFresh ? await openFresh("fresh", task.synced ?? false) : await openLoaded();
  const timed = prepare(task, store, count, round);
  if (!isFresh && isBusy) await settle(IDLE_WORK_MS);
  const isWriting = name === "readwhilewriting";
  isBusy = !isFresh && (isWriting || name === "overwrite" || name === "deleterandom");
  const writer = isWriting
    ? overwriteAtRate(store, values, entries, WRITER_ENTRIES_PER_SECOND)
    : undefined;
  globalThis.gc?.();
  const startedMs = performance.now();
  await timed();
  const seconds = (performance.now() - startedMs) / 1000;
  await writer?.stop();
  if (isFresh) await store.close();
  return { rate: count / seconds };
}

answerQuestions(async (question: Question | { readonly close: true }) => {
  if ("task" in question) return run(question);
  await loaded?.close();
  return {};
});
