/** The tasks of the `engine` suite that write. Each returns when the store has answered all of it. */
import type { BenchStore } from "../stores/bench-store.ts";
import { emptyKeys, randomNumbers, writeKeyInOrder, writeRandomKey } from "../support/keys.ts";
import { BATCH, IN_FLIGHT } from "./tasks.ts";

/** Values to be written, taken in turn. */
export type Values = readonly Buffer[];

function valueFor(values: Values, i: number): Buffer {
  return values[i % values.length] as Buffer;
}

/** Writes keys `first` to `first + count` in batches; their arrays are used again for each batch. */
export async function fillBatches(
  store: Pick<BenchStore, "putBatch">,
  values: Values,
  count: number,
  numberOf: (i: number) => number,
  writeKey: (key: Buffer, i: number) => void,
): Promise<void> {
  const keys = emptyKeys(BATCH);
  const batchValues: Buffer[] = new Array(BATCH);
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first);
    for (let i = 0; i < size; i++) {
      writeKey(keys[i] as Buffer, numberOf(first + i));
      batchValues[i] = valueFor(values, first + i);
    }
    await store.putBatch({ keys, values: batchValues, count: size });
  }
}

export function fillInOrder(
  store: Pick<BenchStore, "putBatch">,
  values: Values,
  count: number,
): Promise<void> {
  return fillBatches(store, values, count, (i) => i, writeKeyInOrder);
}

export function fillRandom(
  store: Pick<BenchStore, "putBatch">,
  values: Values,
  count: number,
): Promise<void> {
  return fillBatches(store, values, count, (i) => i, writeRandomKey);
}

export function overwrite(
  store: Pick<BenchStore, "putBatch">,
  values: Values,
  count: number,
  entries: number,
  seed: number,
): Promise<void> {
  const next = randomNumbers(seed);
  return fillBatches(store, values, count, () => next(entries), writeRandomKey);
}

export async function putOneByOne(store: BenchStore, values: Values, count: number): Promise<void> {
  const [key] = emptyKeys(1) as [Buffer];
  for (let i = 0; i < count; i++) {
    writeRandomKey(key, i);
    await store.put(key, valueFor(values, i));
  }
}

/** Runs `step` for 0 to `count`, at most `IN_FLIGHT` at a time, each caller starting its next when answered. */
export async function inFlight(
  count: number,
  step: (i: number, caller: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const call = async (caller: number) => {
    while (next < count) await step(next++, caller);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, caller) => call(caller)));
}

export async function putInFlight(store: BenchStore, values: Values, count: number): Promise<void> {
  const keys = emptyKeys(IN_FLIGHT);
  await inFlight(count, (i, caller) => {
    const key = keys[caller] as Buffer;
    writeRandomKey(key, i);
    return store.put(key, valueFor(values, i));
  });
}

/** Deletes every `stride`-th key from `offset` on. */
export async function deleteRandom(
  store: BenchStore,
  count: number,
  offset: number,
  stride: number,
): Promise<void> {
  const keys = emptyKeys(BATCH);
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first);
    for (let i = 0; i < size; i++) {
      writeRandomKey(keys[i] as Buffer, offset + (first + i) * stride);
    }
    await store.deleteBatch(keys.slice(0, size));
  }
}

const PACE_MS = 10;

/** Overwrites at a fixed rate until `stop` is called, which waits for the last batch. */
export function overwriteAtRate(
  store: BenchStore,
  values: Values,
  entries: number,
  entriesPerSecond: number,
): { stop(): Promise<void> } {
  const size = (entriesPerSecond * PACE_MS) / 1000;
  const keys = emptyKeys(size);
  const next = randomNumbers(11);
  let running: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    if (running !== undefined) return;
    for (const key of keys) writeRandomKey(key, next(entries));
    running = store.putBatch({ keys, values, count: size }).finally(() => {
      running = undefined;
    });
  }, PACE_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
