/**
 * A scan in progress over the engine's cursors. Entries that are in memory are handed out without
 * awaiting; a missing block is read off the loop. Calls made before earlier ones have resolved are
 * answered in order.
 */
import assert from "node:assert";
import type { BytePool } from "../bytes/byte-pool.ts";
import { toBytes } from "../bytes/data.ts";
import { keyAfter } from "../cursor/bounds.ts";
import type { VisibleCursor } from "../cursor/visible-cursor.ts";
import { CURSOR } from "../entry-cursor.ts";
import { VarveError } from "../errors.ts";
import type { KeptShapes } from "../kept-shapes.ts";
import {
  type Data,
  type Entry,
  type KeyMapping,
  prefixBytesOf,
  type SeekableScan,
} from "../store.ts";
import { assertNotAborted } from "./abort.ts";
import type { ValueFold } from "./value-fold.ts";

const END: IteratorResult<Entry, undefined> = { done: true, value: undefined };
const NO_VALUE = new Uint8Array();
const noCursor = (): never => assert.fail("the scan has ended");

/**
 * Entries that are passed over, deleted ones and old versions, in one turn of the event loop: a few milliseconds'
 * work.
 */
const SKIPS_PER_TURN = 10_000;

export interface EntriesPage {
  readonly entries: Entry[];
  /** Where the next page begins: its first stored key, or backwards the first before which it begins. None at the end. */
  readonly resume: Uint8Array | undefined;
}

const turn = () => new Promise(setImmediate);

export class EngineScan implements SeekableScan {
  #cursor: VisibleCursor | undefined;
  /** Makes the cursor, where that has to wait. */
  #makeCursor: () => Promise<VisibleCursor>;
  readonly #keys: KeyMapping;
  readonly #pool: BytePool;
  #foldOf: (key: Uint8Array) => ValueFold;
  /** What the present entry's value is folded from, where that is an operand. */
  #fold: ValueFold | undefined;
  #left: number;
  #leftBytes: number;
  readonly #keysOnly: boolean;
  readonly #seekable: boolean;
  /** A seek has made the next move already. */
  #isPlaced = false;
  readonly #reverse: boolean;
  readonly #skipsPerTurn: number;
  /** A pause of the cursor ends the page. */
  #isPaging = false;
  #started = false;
  #ended = false;
  /** Gives back what the scan pins; called once. */
  #release: () => void;
  readonly #shapes: KeptShapes | undefined;
  /** The last unfinished asynchronous step, which later calls queue behind. */
  #busy: Promise<unknown> | undefined;

  constructor(options: {
    /** Or a function that makes one, where that has to wait. */
    cursor: VisibleCursor | (() => Promise<VisibleCursor>);
    limit: number;
    /** Of callers' keys and values together; the entry that reaches it is the last. */
    limitBytes: number;
    keysOnly: boolean;
    seekable: boolean;
    reverse: boolean;
    skipsPerTurn?: number;
    keys: KeyMapping;
    pool: BytePool;
    /** Begins to fold the value of a key as the scan sees it. */
    foldOf: (key: Uint8Array) => ValueFold;
    release: () => void;
    /** To have this scan kept for its shape. */
    shapes?: KeptShapes | undefined;
  }) {
    const { cursor } = options;
    if (typeof cursor === "function") this.#makeCursor = cursor;
    else {
      this.#cursor = cursor;
      this.#makeCursor = async () => cursor;
    }
    this.#keys = options.keys;
    this.#pool = options.pool;
    this.#foldOf = options.foldOf;
    this.#left = options.limit;
    this.#leftBytes = options.limitBytes;
    this.#keysOnly = options.keysOnly;
    this.#seekable = options.seekable;
    this.#reverse = options.reverse;
    this.#skipsPerTurn = options.skipsPerTurn ?? SKIPS_PER_TURN;
    this.#release = options.release;
    this.#shapes = options.shapes;
    if (options.limit === 0) this.#end();
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

  /** `key` was checked. */
  seek(key: Data): Promise<void> {
    const own = new Uint8Array(toBytes(this.#keys.toStored(key)));
    return this.#queue(() => this.#seek(own));
  }

  /**
   * The entries up to the scan's limits, fewer where as much was passed over as may be in one go; once, in place of
   * `next`.
   */
  page(): Promise<EntriesPage> {
    return this.#queue(() => this.#page());
  }

  /** How many entries there are; in place of `next`. `ABORTED` in the turn after the signal has fired. */
  count(signal?: AbortSignal): Promise<number> {
    return this.#queue(() => this.#count(signal));
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
    const cursor = this.#cursor;
    if (cursor === undefined) return false;
    if (this.#isPlaced) this.#isPlaced = false;
    else if (!this.#started) this.#start(cursor);
    else if (cursor.state === CURSOR.END) return true;
    else cursor.next();
    return cursor.state <= CURSOR.VALID && this.#foldMerge(cursor);
  }

  #start(cursor: VisibleCursor): void {
    this.#started = true;
    cursor.pauseAt = this.#skipsPerTurn;
    cursor.start();
  }

  /** Folds the present entry's value, where it must be; false where that waits for a block. */
  #foldMerge(cursor: VisibleCursor): boolean {
    this.#fold?.end();
    this.#fold = undefined;
    const { state, isMerge, key, keyStart, keyEnd } = cursor;
    if (state !== CURSOR.VALID || !isMerge || this.#keysOnly) return true;
    this.#fold = this.#foldOf(key.slice(keyStart, keyEnd));
    return this.#fold.advance();
  }

  #entry(): Entry | undefined {
    const cursor = this.#cursor;
    if (this.#ended || cursor === undefined) return undefined;
    if (cursor.state === CURSOR.END) {
      if (!this.#seekable) this.#end();
      return undefined;
    }
    const { key, keyStart, keyEnd } = cursor;
    // Asked here: in a function that all share, the look at one byte costs more than the copy.
    const prefixBytes = key[keyStart] === 0 ? prefixBytesOf(key, keyStart) : 0;
    const entry: Entry = [
      this.#pool.copy(key, this.#keys.hidesPrefix ? keyStart + prefixBytes : keyStart, keyEnd),
      this.#keysOnly ? NO_VALUE : this.#valueOf(cursor),
    ];
    this.#leftBytes -= keyEnd - keyStart - prefixBytes + entry[1].length;
    if (--this.#left === 0 || this.#leftBytes <= 0) this.#end();
    return entry;
  }

  #valueOf(cursor: VisibleCursor): Uint8Array {
    return this.#fold?.value ?? this.#pool.copy(cursor.value, cursor.valueStart, cursor.valueEnd);
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

  async #seek(key: Uint8Array): Promise<void> {
    if (!this.#seekable) {
      throw new VarveError("INVALID_ARGUMENT", "a scan is sought in that was made with seekable");
    }
    if (this.#ended) throw new VarveError("CLOSED", "the scan has ended");
    this.#cursor ??= await this.#makeCursor();
    this.#started = true;
    this.#cursor.pauseAt = this.#cursor.skipped + this.#skipsPerTurn;
    this.#cursor.seek(key);
    this.#isPlaced = true;
  }

  async #page(): Promise<EntriesPage> {
    this.#isPaging = true;
    const entries: Entry[] = [];
    for (;;) {
      if (!this.#move()) await this.#unblock();
      if (this.#cursor?.state === CURSOR.PAUSED) {
        const resume = this.#cursor.resumeKey;
        this.#end();
        return { entries, resume };
      }
      const entry = this.#entry();
      if (entry === undefined) return { entries, resume: undefined };
      entries.push(entry);
      if (entries.length % this.#skipsPerTurn === 0) await turn();
      if (this.#ended) {
        const last = toBytes(this.#keys.toStored(entry[0]));
        return { entries, resume: this.#reverse ? last : keyAfter(last) };
      }
    }
  }

  async #count(signal: AbortSignal | undefined): Promise<number> {
    for (let count = 0; ; count++) {
      if (!this.#move()) await this.#unblock(signal);
      if (this.#ended || this.#cursor?.state === CURSOR.END) {
        this.#end();
        return count;
      }
      if ((count + 1) % this.#skipsPerTurn === 0) {
        await turn();
        assertNotAborted(signal, "count");
      }
    }
  }

  async #unblock(signal?: AbortSignal): Promise<void> {
    let cursor = this.#cursor;
    if (cursor === undefined) {
      cursor = await this.#makeCursor();
      this.#cursor = cursor;
      this.#start(cursor);
    }
    while (cursor.state > CURSOR.VALID) {
      assertNotAborted(signal, "count");
      if (cursor.state === CURSOR.BLOCKED) await cursor.load();
      else if (this.#isPaging) return;
      else {
        await turn();
        cursor.pauseAt = cursor.skipped + this.#skipsPerTurn;
        cursor.goOn();
      }
    }
    for (let isWhole = this.#foldMerge(cursor); !isWhole; isWhole = this.#fold?.advance() ?? true) {
      await this.#fold?.load();
    }
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
    this.#fold?.end();
    this.#release();
    if (this.#shapes !== undefined) this.#retire(this.#shapes);
  }

  /** Lets go of all that is large. */
  #retire(shapes: KeptShapes): void {
    this.#cursor?.retire(shapes);
    this.#cursor = undefined;
    this.#fold = undefined;
    this.#makeCursor = noCursor;
    this.#foldOf = noCursor;
    this.#release = noCursor;
    shapes.keep(this);
  }
}
