/** Puts entries with many calls in flight; what a killed server left unanswered is put again. */
import { VarveError } from "../../src/errors.ts";
import type { Store } from "../../src/store.ts";
import type { Progress } from "./screen.ts";

export interface TextEntry {
  readonly key: string;
  readonly value: string;
}

const IN_FLIGHT = 200;

export class CityLoader {
  /** Time spent loading, over all calls of `loadUntil`. */
  seconds = 0;
  /** Puts that were in flight when the connection ended. */
  unanswered = 0;
  readonly #entries: readonly TextEntry[];
  readonly #progress: Progress;
  /** Indexes of entries still to be put; the last is next. */
  readonly #waiting: number[];
  readonly #acknowledged: TextEntry[] = [];

  constructor(entries: readonly TextEntry[], progress: Progress) {
    this.#entries = entries;
    this.#progress = progress;
    this.#waiting = entries.map((_, i) => entries.length - 1 - i);
  }

  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  acknowledgedEntries(): readonly TextEntry[] {
    return [...this.#acknowledged];
  }

  /**
   * Goes on loading. `reached` resolves when so many puts are acknowledged in all, while others are still in
   * flight; `ended` when nothing is in flight any more: all is put, or the connection is lost.
   */
  loadUntil(store: Store, count: number): { reached: Promise<void>; ended: Promise<void> } {
    const startedMs = performance.now();
    const reached = Promise.withResolvers<void>();
    const worker = async () => {
      for (let index = this.#waiting.pop(); index !== undefined; index = this.#waiting.pop()) {
        if (!(await this.#put(store, index))) return;
        if (this.acknowledged >= count) reached.resolve();
      }
    };
    const ended = Promise.all(Array.from({ length: IN_FLIGHT }, worker)).then(() => {
      this.seconds += (performance.now() - startedMs) / 1000;
      reached.resolve();
      if (this.#waiting.length === 0) this.#progress.stop();
    });
    return { reached: reached.promise, ended };
  }

  /** False where the connection is lost. */
  async #put(store: Store, index: number): Promise<boolean> {
    const entry = this.#entries[index];
    if (entry === undefined) throw new RangeError(`there is no entry ${index}`);
    try {
      await store.put(entry.key, entry.value);
    } catch (error) {
      if (!(error instanceof VarveError) || error.code !== "CONNECTION_LOST") throw error;
      // A put is the same however often it is done, so one that may have been applied is done again.
      if (error.maybeApplied) this.unanswered++;
      this.#waiting.push(index);
      return false;
    }
    this.#acknowledged.push(entry);
    this.#progress.update(this.acknowledged);
    return true;
  }
}
