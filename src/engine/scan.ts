/**
 * A scan in progress over the engine's cursors. Entries that are in memory are handed out without
 * awaiting; a missing block is read off the loop. Calls made before earlier ones have resolved are
 * answered in order.
 */
import type { BytePool } from "../bytes/byte-pool.ts";
import type { VisibleCursor } from "../cursor/visible-cursor.ts";
import { CURSOR } from "../entry-cursor.ts";
import { VarveError } from "../errors.ts";
import type { Entry, Scan } from "../store.ts";

const END: IteratorResult<Entry, undefined> = { done: true, value: undefined };

export class EngineScan implements Scan {
  readonly #cursor: VisibleCursor;
  readonly #pool: BytePool;
  #left: number;
  #started = false;
  #ended = false;
  /** Gives back what the scan pins; called once. */
  readonly #release: () => void;
  /** The last unfinished asynchronous step, which later calls queue behind. */
  #busy: Promise<unknown> | undefined;

  constructor(cursor: VisibleCursor, limit: number, pool: BytePool, release: () => void) {
    this.#cursor = cursor;
    this.#pool = pool;
    this.#left = limit;
    this.#release = release;
    if (limit === 0) this.#end();
  }

  next(): Promise<IteratorResult<Entry, undefined>> {
    if (this.#busy !== undefined) return this.#queue(() => this.#nextInTurn());
    try {
      if (!this.#move()) return this.#queue(() => this.#nextBlocked());
      return Promise.resolve(this.#result());
    } catch (error) {
      return Promise.reject(this.#failed(error));
    }
  }

  /** Ends early once keys and values together reach `bytesMax`, with at least one entry. */
  nextMany(count: number, bytesMax = Number.POSITIVE_INFINITY): Promise<Entry[]> {
    if (!Number.isInteger(count) || count < 1) {
      const message = `nextMany takes a whole number from 1, not ${count}`;
      return Promise.reject(new VarveError("INVALID_ARGUMENT", message));
    }
    return this.#queue(() => this.#nextMany(count, bytesMax));
  }

  async return(): Promise<IteratorResult<Entry, undefined>> {
    // A block that is being read is waited for, so that nothing is released under it.
    if (this.#busy !== undefined) await this.#busy.catch(() => undefined);
    this.#end();
    return END;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Moves to the next entry; false where the move waits for a block. */
  #move(): boolean {
    if (this.#ended) return true;
    if (this.#started) this.#cursor.next();
    else this.#cursor.start();
    this.#started = true;
    return this.#cursor.state !== CURSOR.BLOCKED;
  }

  #entry(): Entry | undefined {
    if (this.#ended) return undefined;
    const cursor = this.#cursor;
    if (cursor.state === CURSOR.END) {
      this.#end();
      return undefined;
    }
    const entry: Entry = [
      this.#pool.copy(cursor.key, cursor.keyStart, cursor.keyEnd),
      this.#pool.copy(cursor.value, cursor.valueStart, cursor.valueEnd),
    ];
    if (--this.#left === 0) this.#end();
    return entry;
  }

  #result(): IteratorResult<Entry, undefined> {
    const entry = this.#entry();
    return entry === undefined ? END : { done: false, value: entry };
  }

  async #nextInTurn(): Promise<IteratorResult<Entry, undefined>> {
    if (!this.#move()) await this.#unblock();
    return this.#result();
  }

  async #nextBlocked(): Promise<IteratorResult<Entry, undefined>> {
    await this.#unblock();
    return this.#result();
  }

  async #nextMany(count: number, bytesMax: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    let bytes = 0;
    while (entries.length < count && bytes < bytesMax) {
      if (!this.#move()) await this.#unblock();
      const entry = this.#entry();
      if (entry === undefined) break;
      entries.push(entry);
      bytes += entry[0].length + entry[1].length;
    }
    return entries;
  }

  async #unblock(): Promise<void> {
    while (this.#cursor.state === CURSOR.BLOCKED) await this.#cursor.load();
  }

  /** Runs `step` after all steps before it; a failed step ends the scan. */
  #queue<Result>(step: () => Promise<Result>): Promise<Result> {
    const before = this.#busy;
    const run = before === undefined ? step() : before.then(step, step);
    const done: Promise<Result> = run.then(
      (result) => {
        if (this.#busy === done) this.#busy = undefined;
        return result;
      },
      (error) => {
        if (this.#busy === done) this.#busy = undefined;
        throw this.#failed(error);
      },
    );
    this.#busy = done;
    return done;
  }

  #failed(error: unknown): unknown {
    this.#end();
    return error;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
  }
}
