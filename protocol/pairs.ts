/**
 * Takes pairs from whatever they come from, for both the engine and the client: single ones or arrays of them, at once or
 * by and by, no faster than they are taken, and a slice at a time, so that the event loop goes on.
 */
import { setImmediate } from "node:timers/promises";
import { VarveError } from "./errors.ts";
import type { Pair, Pairs } from "./store.ts";

const SLICE_MS = 4;
/** Pairs between two looks at the clock. */
const LOOK_EVERY = 64;

/** Where pairs go. */
export interface PairSink {
  /** False where there is no room at present. Throws for a pair that is not one. */
  take(pair: Pair): boolean;
  /** Resolves when there is room for the pair that was not taken. */
  makeRoom(): Promise<void>;
}

/** Ends what waits. */
export class Stop {
  #reason: Error | undefined;
  #reject: ((reason: Error) => void) | undefined;

  /** The first reason counts. */
  stop(reason: Error): void {
    this.#reason ??= reason;
    this.#reject?.(this.#reason);
  }

  /** Throws the reason, once there is one. */
  check(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }

  /** Settles as the promise does, or with the reason, whichever is first. One at a time. */
  orStopped<Result>(promise: Promise<Result>): Promise<Result> {
    this.check();
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      promise.then(resolve, reject);
    });
  }
}

/** Resolves when all pairs are taken; rejects with what a pair, the source, the sink or `stop` failed with. */
export async function drainPairs(pairs: Pairs, sink: PairSink, stop: Stop): Promise<void> {
  const drain = new Drain(sink, stop);
  if (Symbol.asyncIterator in Object(pairs)) {
    await drainLater(pairs as AsyncIterable<Item>, drain, stop);
  } else if (typeof pairs === "object" && pairs !== null && Symbol.iterator in pairs) {
    await drainNow(pairs as Iterable<Item>, drain);
  } else {
    throw new VarveError("INVALID_ARGUMENT", "ingest takes an iterable of [key, value] pairs");
  }
}

type Item = Pair | readonly Pair[];

async function drainNow(pairs: Iterable<Item>, drain: Drain): Promise<void> {
  for (const item of pairs) {
    if (isMany(item)) {
      for (const pair of item) if (!drain.take(pair)) await drain.goOn(pair);
    } else if (!drain.take(item)) await drain.goOn(item);
  }
}

async function drainLater(pairs: AsyncIterable<Item>, drain: Drain, stop: Stop): Promise<void> {
  const iterator = pairs[Symbol.asyncIterator]();
  let isDone = false;
  try {
    for (;;) {
      const result = await stop.orStopped(iterator.next());
      if (result.done) {
        isDone = true;
        return;
      }
      const item = result.value;
      if (isMany(item)) {
        for (const pair of item) if (!drain.take(pair)) await drain.goOn(pair);
      } else if (!drain.take(item)) await drain.goOn(item);
    }
  } finally {
    // Not waited for: a source that hangs must not keep what was stopped from ending.
    if (!isDone) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

function isMany(item: Item): item is readonly Pair[] {
  return Array.isArray(item) && (item.length === 0 || Array.isArray(item[0]));
}

class Drain {
  readonly #sink: PairSink;
  readonly #stop: Stop;
  #left = LOOK_EVERY;
  #untilMs = performance.now() + SLICE_MS;
  /** The pair at hand was taken. */
  #isTaken = false;

  constructor(sink: PairSink, stop: Stop) {
    this.#sink = sink;
    this.#stop = stop;
  }

  /** False where `goOn` must be awaited. */
  take(pair: Pair): boolean {
    this.#isTaken = this.#sink.take(pair);
    return this.#isTaken && --this.#left > 0;
  }

  async goOn(pair: Pair): Promise<void> {
    while (!this.#isTaken) {
      await this.#stop.orStopped(this.#sink.makeRoom());
      this.#isTaken = this.#sink.take(pair);
    }
    this.#left = LOOK_EVERY;
    if (performance.now() < this.#untilMs) return;
    await setImmediate();
    this.#stop.check();
    this.#untilMs = performance.now() + SLICE_MS;
  }
}
