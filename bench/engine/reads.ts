/** The tasks of the `engine` suite that read. Each checks that it found what it had to. */
import { setImmediate } from "node:timers/promises";
import type { BenchStore } from "../stores/bench-store.ts";
import { emptyKeys, randomNumbers, writeRandomKey } from "../support/keys.ts";
import { inFlight } from "./writes.ts";

/** Key numbers from here on are never written. */
const MISSING_FROM = 2 ** 30;

/** `count` keys at random out of the first `below` entries, made before the clock starts. */
export function randomKeys(count: number, below: number, seed: number): Buffer[] {
  const next = randomNumbers(seed);
  const keys = emptyKeys(count);
  for (const key of keys) writeRandomKey(key, next(below));
  return keys;
}

/** `count` keys that are not there, behind the first `skipped` of those. */
export function missingKeys(count: number, skipped = 0): Buffer[] {
  const keys = emptyKeys(count);
  keys.forEach((key, i) => {
    writeRandomKey(key, MISSING_FROM + skipped + i);
  });
  return keys;
}

function expectFound(found: number, expected: number): void {
  if (found !== expected) throw new Error(`found ${found} entries, not ${expected}`);
}

export function readSync(store: BenchStore, keys: readonly Buffer[], expected: number): void {
  let found = 0;
  for (const key of keys) if (store.getSync(key) !== undefined) found++;
  expectFound(found, expected);
}

export async function readInFlight(store: BenchStore, keys: readonly Buffer[]): Promise<void> {
  let found = 0;
  await inFlight(keys.length, async (i) => {
    if ((await store.get(keys[i] as Buffer)) !== undefined) found++;
  });
  expectFound(found, keys.length);
}

const YIELD_EVERY = 200;

/** As `readInFlight`, but lets the event loop turn, since answers from memory alone never would. */
export async function readAndYield(store: BenchStore, keys: readonly Buffer[]): Promise<void> {
  for (let first = 0; first < keys.length; first += YIELD_EVERY) {
    await readInFlight(store, keys.slice(first, first + YIELD_EVERY));
    await setImmediate();
  }
}

export async function readAll(
  store: BenchStore,
  entries: number,
  how: "forward" | "reverse" | "singly",
): Promise<void> {
  const seen =
    how === "singly" ? await store.readAllSingly() : await store.readAll(how === "reverse");
  expectFound(seen, entries);
}

/** All but the keys after the last entry find something; there are hardly ever any. */
export async function seekRandom(store: BenchStore, keys: readonly Buffer[]): Promise<void> {
  let found = 0;
  for (const key of keys) found += await store.seek(key, 1);
  expectFound(found, keys.length);
}
