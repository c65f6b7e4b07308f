/**
 * A load at a fixed rate on a database, whose latencies count from when each call was due, so that a held
 * event loop shows in them (Tene's "coordinated omission").
 */
import type { Database } from "../../src/engine/database.ts";
import { VarveError } from "../../src/errors.ts";
import { emptyKeys, randomNumbers, writeRandomKey } from "../support/keys.ts";

const TICK_MS = 1;
const BATCH_MAX = 250;
/**
 * What was not written in time is made up for in small steps, and not while many batches wait already, so that
 * the load itself never holds the loop. It is late then, which its latency tells.
 */
const BATCHES_PER_TICK = 12;
const BATCHES_IN_FLIGHT_MAX = 200;
const KEYS = 100_000;

export interface Rates {
  readonly entriesPerSecond: number;
  readonly readsPerSecond: number;
}

/** One call that was answered. */
export type Answered = (kind: "GET" | "PUT", dueMs: number, answeredMs: number) => void;

export class PacedLoad {
  readonly #db: Database;
  readonly #entries: number;
  readonly #values: readonly Buffer[];
  readonly #readKeys: readonly Buffer[];
  readonly #writeKeys = emptyKeys(BATCH_MAX);
  readonly #next = randomNumbers(29);
  #failure: unknown;
  #batchesInFlight = 0;
  /** Batches refused with `OVERLOADED`, which are not written again. */
  refused = 0;

  constructor(db: Database, entries: number, values: readonly Buffer[]) {
    this.#db = db;
    this.#entries = entries;
    this.#values = values;
    const keys = emptyKeys(KEYS);
    for (const key of keys) writeRandomKey(key, this.#next(entries));
    this.#readKeys = keys;
  }

  /** Overwrites and reads at `rates` until `milliseconds` have passed and all calls are answered. */
  async run(rates: Rates, milliseconds: number, answered: Answered): Promise<void> {
    const startMs = performance.now();
    const pending = new Set<Promise<unknown>>();
    let written = 0;
    let read = 0;
    const due = (rate: number, now: number) => Math.floor((rate * (now - startMs)) / 1000);
    for (let now = startMs; now - startMs < milliseconds; now = performance.now()) {
      const writesDue = due(rates.entriesPerSecond, now);
      for (let batches = 0; batches < BATCHES_PER_TICK && written < writesDue; batches++) {
        if (this.#batchesInFlight >= BATCHES_IN_FLIGHT_MAX) break;
        const count = Math.min(BATCH_MAX, writesDue - written);
        const dueMs = startMs + (written / rates.entriesPerSecond) * 1000;
        this.#track(pending, "PUT", dueMs, answered, () => this.#write(count));
        written += count;
      }
      for (const readsDue = due(rates.readsPerSecond, now); read < readsDue; read++) {
        const key = this.#readKeys[read % KEYS] as Buffer;
        const dueMs = startMs + (read / rates.readsPerSecond) * 1000;
        this.#track(pending, "GET", dueMs, answered, () => this.#db.get(key));
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      if (this.#failure !== undefined) throw this.#failure;
    }
    await Promise.all(pending);
  }

  /** The database copies what it is given before it returns, so the keys' memory is used again. */
  #write(count: number): Promise<unknown> {
    const operations = this.#writeKeys.slice(0, count).map((key, i) => {
      writeRandomKey(key, this.#next(this.#entries));
      return { type: "put" as const, key, value: this.#values[i] as Buffer };
    });
    this.#batchesInFlight++;
    return this.#db.batch(operations).finally(() => {
      this.#batchesInFlight--;
    });
  }

  #track(
    pending: Set<Promise<unknown>>,
    kind: "GET" | "PUT",
    dueMs: number,
    answered: Answered,
    start: () => Promise<unknown>,
  ): void {
    const call = start().then(
      () => {
        answered(kind, dueMs, performance.now());
        pending.delete(call);
      },
      (error: unknown) => {
        if (error instanceof VarveError && error.code === "OVERLOADED") this.refused++;
        else this.#failure = error;
        pending.delete(call);
      },
    );
    pending.add(call);
  }
}
