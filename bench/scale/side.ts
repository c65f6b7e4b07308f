/**
 * One store of the `scale` suite with a database of one size, in a process of its own: runs a task when the
 * parent asks for it and says how long each operation took.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { missingKeys, randomKeys, readSync } from "../engine/reads.ts";
import { fillRandom, overwrite } from "../engine/writes.ts";
import type { BenchStore } from "../stores/bench-store.ts";
import { loadStore } from "../stores/open-store.ts";
import type { Figures } from "../support/compare.ts";
import { KEY_BYTES, valuePool } from "../support/keys.ts";
import { IDLE_WORK_MS, settle } from "../support/settle.ts";
import { answerQuestions } from "../support/side-process.ts";
import type { TaskName } from "./tasks.ts";

export interface ScaleSpec {
  readonly store: string;
  readonly directory: string;
  readonly entries: number;
  readonly valueBytes: number;
  readonly memoryBytes: number;
  /** Operations of one round. */
  readonly reads: number;
  readonly scans: number;
  readonly writes: number;
  readonly scanEntries: number;
}

/** The fill is measured once, so the code it runs is warmed up on a database that is thrown away. */
const WARM_UP_ENTRIES = 100_000;
/** What compactions have to make up for after millions of writes takes its time. */
const SETTLE_MS_MAX = 30 * 60_000;

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as ScaleSpec;
const values = valuePool(spec.valueBytes, false);
const { entries } = spec;
const kind = await loadStore(spec.store);

async function openFresh(name: string): Promise<BenchStore> {
  const directory = join(spec.directory, name);
  await mkdir(directory, { recursive: true });
  const { memoryBytes } = spec;
  return kind.open(directory, { memoryBytes, compression: false, synced: false });
}

async function warmUp(): Promise<void> {
  const store = await openFresh("warm-up");
  await fillRandom(store, values, WARM_UP_ENTRIES);
  await store.close();
  await rm(join(spec.directory, "warm-up"), { recursive: true });
}

/** What is timed of a task, with its number of operations and the entries that it writes. */
interface Prepared {
  readonly count: number;
  readonly written: number;
  /** What it returns is waited for. */
  run(): unknown;
}

function prepare(task: TaskName, store: BenchStore, round: number): Prepared {
  // No two rounds touch the same keys in the same order.
  const seed = round + 307;
  switch (task) {
    case "fill":
      return { count: entries, written: entries, run: () => fillRandom(store, values, entries) };
    case "random reads": {
      const keys = randomKeys(spec.reads, entries, seed);
      return { count: spec.reads, written: 0, run: () => readSync(store, keys, spec.reads) };
    }
    case "absent reads": {
      const keys = missingKeys(spec.reads, (round + 1) * spec.reads);
      return { count: spec.reads, written: 0, run: () => readSync(store, keys, 0) };
    }
    case "scans": {
      const keys = randomKeys(spec.scans, entries, seed);
      return { count: spec.scans, written: 0, run: () => scanFrom(store, keys) };
    }
    case "overwrites": {
      const { writes } = spec;
      const run = () => overwrite(store, values, writes, entries, seed);
      return { count: writes, written: writes, run };
    }
  }
}

async function scanFrom(store: BenchStore, keys: readonly Buffer[]): Promise<void> {
  let seen = 0;
  for (const key of keys) seen += await store.seek(key, spec.scanEntries);
  // Only a scan from one of the last keys ends early.
  if (entries > 10 * spec.scanEntries && seen < 0.9 * keys.length * spec.scanEntries) {
    throw new Error(`${keys.length} scans saw ${seen} entries`);
  }
}

/**
 * What a task leaves to compactions is done before it answers, so that it falls neither on the other sides
 * nor on the next task, and is counted to what it has written.
 */
async function measure(store: BenchStore, task: TaskName, round: number): Promise<Figures> {
  const { count, written, run } = prepare(task, store, round);
  await settle();
  globalThis.gc?.();
  const bytesBefore = store.bytesWritten?.() ?? Number.NaN;
  const startedMs = performance.now();
  await run();
  const micros = ((performance.now() - startedMs) / count) * 1000;
  if (written === 0) return { micros };
  await settle(IDLE_WORK_MS, SETTLE_MS_MAX);
  const bytes = (store.bytesWritten?.() ?? Number.NaN) - bytesBefore;
  return { micros, amplification: bytes / (written * (KEY_BYTES + spec.valueBytes)) };
}

await warmUp();
const store = await openFresh("measured");

type Question = { readonly task: TaskName; readonly round: number } | { readonly close: true };

answerQuestions(async (question: Question) => {
  if ("task" in question) return measure(store, question.task, question.round);
  await store.close();
  return {};
});
