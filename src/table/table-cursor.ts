/**
 * A cursor over one table. Forwards it decodes entry by entry; backwards it decodes a restart interval at
 * once, with the whole keys side by side, and then steps through that, so that a step costs about the same
 * in both directions.
 *
 * Hot path: no allocation per entry.
 */
import assert from "node:assert";
import { compareRanges } from "../bytes/compare.ts";
import { CURSOR, type CursorState, type EntryCursor } from "../entry-cursor.ts";
import { compareTrailers } from "../key.ts";
import { BlockSearch } from "./block-search.ts";
import type { BlockSource } from "./block-source.ts";
import { entriesEnd, restartAt, restartCount } from "./data-block.ts";
import { EntryDecoder } from "./entry-decoder.ts";
import { IntervalEntries } from "./interval-entries.ts";
import type { Table } from "./table.ts";

const EMPTY = new Uint8Array();
const KEY_BYTES_INITIAL = 256;

/** What to do in a block once it is there. */
const ENTER = { FIRST: 0, LAST: 1, SEEK: 2, SEEK_BEFORE: 3 } as const;
type Enter = (typeof ENTER)[keyof typeof ENTER];

export class TableCursor implements EntryCursor {
  state: CursorState = CURSOR.END;
  key: Uint8Array = EMPTY;
  keyStart = 0;
  keyEnd = 0;
  trailerLow = 0;
  trailerHigh = 0;
  value: Uint8Array = EMPTY;
  valueStart = 0;
  valueEnd = 0;
  readonly #table: Table;
  readonly #source: BlockSource;
  #blockIndex = 0;
  #block: Uint8Array = EMPTY;
  #entriesEnd = 0;
  /** Where the present entry begins. */
  #entryAt = 0;
  /** Forwards, the present key is `#scratch[0, keyEnd)`. */
  #scratch: Uint8Array = new Uint8Array(KEY_BYTES_INITIAL);
  readonly #entry = new EntryDecoder();
  readonly #search = new BlockSearch();
  /** The interval that was decoded to step back in, and the present entry's place there; -1 while forwards. */
  readonly #interval = new IntervalEntries();
  #place = -1;
  #enter: Enter = ENTER.FIRST;
  #targetKey: Uint8Array = EMPTY;
  #targetLow = 0;
  #targetHigh = 0;

  constructor(table: Table, source: BlockSource) {
    this.#table = table;
    this.#source = source;
  }

  first(): void {
    this.#goTo(0, ENTER.FIRST);
  }

  last(): void {
    this.#goTo(this.#table.index.length - 1, ENTER.LAST);
  }

  seek(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    this.#setTarget(key, trailerLow, trailerHigh);
    this.#goTo(this.#table.index.find(key), ENTER.SEEK);
  }

  seekBefore(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    this.#setTarget(key, trailerLow, trailerHigh);
    const { index } = this.#table;
    const block = index.find(key);
    if (block === index.length) this.#goTo(block - 1, ENTER.LAST);
    else this.#goTo(block, ENTER.SEEK_BEFORE);
  }

  next(): void {
    assert(this.state === CURSOR.VALID);
    if (this.#place >= 0) this.#leaveInterval();
    if (this.valueEnd < this.#entriesEnd) this.#decodeAt(this.valueEnd);
    else this.#goTo(this.#blockIndex + 1, ENTER.FIRST);
  }

  prev(): void {
    assert(this.state === CURSOR.VALID);
    if (this.#place > 0) this.#show(this.#place - 1);
    else this.#stepBackFrom(this.#entryAt);
  }

  async load(): Promise<void> {
    assert(this.state === CURSOR.BLOCKED);
    this.#begin(await this.#source.load(this.#blockIndex));
  }

  loadSync(): void {
    assert(this.state === CURSOR.BLOCKED);
    this.#begin(this.#source.loadSync(this.#blockIndex));
  }

  #setTarget(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    this.#targetKey = key;
    this.#targetLow = trailerLow;
    this.#targetHigh = trailerHigh;
  }

  #goTo(blockIndex: number, enter: Enter): void {
    this.#enter = enter;
    if (blockIndex < 0 || blockIndex >= this.#table.index.length) {
      this.state = CURSOR.END;
      return;
    }
    this.#blockIndex = blockIndex;
    const block = this.#source.cached(blockIndex);
    if (block === undefined) this.state = CURSOR.BLOCKED;
    else this.#begin(block);
  }

  #begin(block: Uint8Array): void {
    this.#block = block;
    this.value = block;
    this.#entriesEnd = entriesEnd(block);
    this.#place = -1;
    switch (this.#enter) {
      case ENTER.FIRST:
        this.#decodeAt(0);
        break;
      case ENTER.LAST:
        this.#stepBackFrom(this.#entriesEnd);
        break;
      case ENTER.SEEK:
        this.#walkToTarget();
        if (this.#entryAt >= this.#entriesEnd) this.#goTo(this.#blockIndex + 1, ENTER.SEEK);
        break;
      case ENTER.SEEK_BEFORE:
        this.#walkToTarget();
        // Versions of the target's key may go on in the next block, and the target be among them.
        if (this.#entryAt >= this.#entriesEnd && this.#mayGoOn()) {
          this.#goTo(this.#blockIndex + 1, ENTER.SEEK_BEFORE);
        } else this.#stepBackFrom(this.#entryAt);
        break;
    }
  }

  #mayGoOn(): boolean {
    return this.#table.index.mayGoOn(this.#blockIndex, this.#targetKey);
  }

  /** To the block's first entry at or after the target, or its end. */
  #walkToTarget(): void {
    const key = this.#targetKey;
    const end = this.#entriesEnd;
    let at = this.#search.startOf(this.#block, key, this.#targetLow, this.#targetHigh);
    while (at < end) {
      this.#decodeAt(at);
      let order = compareRanges(this.key, 0, this.keyEnd, key, 0, key.length);
      if (order === 0) {
        const { trailerLow, trailerHigh } = this;
        order = compareTrailers(trailerLow, trailerHigh, this.#targetLow, this.#targetHigh);
      }
      if (order >= 0) return;
      at = this.valueEnd;
    }
    this.#entryAt = end;
  }

  /** Decodes the entry at an offset; the key before it, which it shares a prefix with, is in the scratch. */
  #decodeAt(at: number): void {
    const entry = this.#entry;
    const block = this.#block;
    entry.decode(block, at);
    const keyBytes = entry.shared + entry.unshared;
    if (keyBytes > this.#scratch.length) this.#growScratch(keyBytes, entry.shared);
    const scratch = this.#scratch;
    const shift = entry.keyAt - entry.shared;
    for (let i = entry.shared; i < keyBytes; i++) scratch[i] = block[i + shift]!;
    this.#entryAt = at;
    this.key = scratch;
    this.keyStart = 0;
    this.keyEnd = keyBytes;
    this.trailerLow = entry.trailerLow;
    this.trailerHigh = entry.trailerHigh;
    this.valueStart = entry.valueAt;
    this.valueEnd = entry.end;
    this.state = CURSOR.VALID;
  }

  #growScratch(keyBytes: number, shared: number): void {
    const grown = new Uint8Array(keyBytes * 2);
    grown.set(this.#scratch.subarray(0, shared));
    this.#scratch = grown;
  }

  /** To the entry that ends where `at` is, in this block or the one before. */
  #stepBackFrom(at: number): void {
    if (at === 0) {
      this.#goTo(this.#blockIndex - 1, ENTER.LAST);
      return;
    }
    const restart = this.#lastRestartBefore(at);
    this.#interval.decode(this.#block, restart, at);
    this.#show(this.#interval.length - 1);
  }

  #lastRestartBefore(at: number): number {
    const block = this.#block;
    const end = this.#entriesEnd;
    let low = 0;
    let high = restartCount(block) - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (restartAt(block, end, middle) < at) low = middle;
      else high = middle - 1;
    }
    return restartAt(block, end, low);
  }

  #show(place: number): void {
    const interval = this.#interval;
    this.#place = place;
    this.#entryAt = interval.entryAt[place]!;
    this.key = interval.keys;
    this.keyStart = interval.keyStart[place]!;
    this.keyEnd = interval.keyStart[place + 1]!;
    this.trailerLow = interval.trailerLow[place]! >>> 0;
    this.trailerHigh = interval.trailerHigh[place]!;
    this.valueStart = interval.valueStart[place]!;
    this.valueEnd = interval.valueEnd[place]!;
    this.state = CURSOR.VALID;
  }

  /** Puts the present key where going forwards expects it. */
  #leaveInterval(): void {
    const keyBytes = this.keyEnd - this.keyStart;
    if (keyBytes > this.#scratch.length) this.#growScratch(keyBytes, 0);
    for (let i = 0; i < keyBytes; i++) this.#scratch[i] = this.key[this.keyStart + i]!;
    this.#place = -1;
  }
}
