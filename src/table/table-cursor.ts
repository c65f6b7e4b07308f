/**
 * A cursor over one table. An entry stands by itself, so a step costs the same in both directions. The key is
 * where it is in the block, unless the block's keys have a prefix, which it is then put behind.
 *
 * Hot path: no allocation per entry.
 */
import assert from "node:assert";
import { CURSOR, type CursorState, type EntryCursor } from "../entry-cursor.ts";
import type { KeptShapes } from "../kept-shapes.ts";
import { entryAt, entryCount, prefixBytesOf, timeMsAt, trailerHighAt } from "./block-columns.ts";
import { BlockSearch } from "./block-search.ts";
import type { BlockSource } from "./block-source.ts";
import { EntryDecoder } from "./entry-decoder.ts";
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
  #entries = 0;
  /** The number of the present entry in its block. */
  #place = 0;
  #prefixBytes = 0;
  /** The block's prefix, with the rest of the present key behind it. */
  #scratch: Uint8Array = new Uint8Array(KEY_BYTES_INITIAL);
  readonly #entry = new EntryDecoder();
  readonly #search = new BlockSearch();
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
    if (++this.#place < this.#entries) this.#show(this.valueEnd);
    else this.#goTo(this.#blockIndex + 1, ENTER.FIRST);
  }

  prev(): void {
    assert(this.state === CURSOR.VALID);
    this.#showPlace(this.#place - 1);
  }

  timeMs(): number {
    assert(this.state === CURSOR.VALID);
    return timeMsAt(this.#block, this.#entries, this.#place);
  }

  async load(): Promise<void> {
    assert(this.state === CURSOR.BLOCKED);
    this.#begin(await this.#source.load(this.#blockIndex));
  }

  loadSync(): void {
    assert(this.state === CURSOR.BLOCKED);
    this.#begin(this.#source.loadSync(this.#blockIndex));
  }

  retire(shapes: KeptShapes): void {
    this.state = CURSOR.END;
    this.key = EMPTY;
    this.value = EMPTY;
    this.#block = EMPTY;
    shapes.keep(this);
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
    this.#entries = entryCount(block);
    this.#prefixBytes = prefixBytesOf(block);
    if (this.#prefixBytes > 0) this.#copyPrefix(block);
    switch (this.#enter) {
      case ENTER.FIRST:
        this.#showPlace(0);
        break;
      case ENTER.LAST:
        this.#showPlace(this.#entries - 1);
        break;
      case ENTER.SEEK: {
        const place = this.#targetPlace();
        if (place === this.#entries) this.#goTo(this.#blockIndex + 1, ENTER.SEEK);
        else this.#showPlace(place);
        break;
      }
      case ENTER.SEEK_BEFORE: {
        const place = this.#targetPlace();
        // Versions of the target's key may go on in the next block, and the target be among them.
        if (place === this.#entries && this.#mayGoOn()) {
          this.#goTo(this.#blockIndex + 1, ENTER.SEEK_BEFORE);
        } else this.#showPlace(place - 1);
        break;
      }
    }
  }

  #mayGoOn(): boolean {
    return this.#table.index.mayGoOn(this.#blockIndex, this.#targetKey);
  }

  /** The block's first entry at or after the target, or its end. */
  #targetPlace(): number {
    return this.#search.firstFrom(this.#block, this.#targetKey, this.#targetLow, this.#targetHigh);
  }

  /** Shows an entry of the block; before the first one, the last of the block before. */
  #showPlace(place: number): void {
    if (place < 0) {
      this.#goTo(this.#blockIndex - 1, ENTER.LAST);
      return;
    }
    this.#place = place;
    this.#show(entryAt(this.#block, this.#entries, place));
  }

  #show(at: number): void {
    const entry = this.#entry;
    entry.decode(this.#block, at);
    if (this.#prefixBytes === 0) {
      this.key = this.#block;
      this.keyStart = entry.keyAt;
      this.keyEnd = entry.valueAt;
    } else this.#copyKey();
    this.trailerLow = entry.trailerLow;
    this.trailerHigh = trailerHighAt(this.#block, this.#entries, this.#place);
    this.valueStart = entry.valueAt;
    this.valueEnd = entry.end;
    this.state = CURSOR.VALID;
  }

  /** Puts the decoded entry's key together. */
  #copyKey(): void {
    const { keyAt, valueAt } = this.#entry;
    const keyEnd = this.#prefixBytes + valueAt - keyAt;
    if (keyEnd > this.#scratch.length) {
      const grown = new Uint8Array(keyEnd * 2);
      grown.set(this.#scratch.subarray(0, this.#prefixBytes));
      this.#scratch = grown;
    }
    const scratch = this.#scratch;
    const block = this.#block;
    const shift = keyAt - this.#prefixBytes;
    for (let i = this.#prefixBytes; i < keyEnd; i++) scratch[i] = block[i + shift]!;
    this.key = scratch;
    this.keyStart = 0;
    this.keyEnd = keyEnd;
  }

  #copyPrefix(block: Uint8Array): void {
    const prefixBytes = this.#prefixBytes;
    if (prefixBytes > this.#scratch.length) this.#scratch = new Uint8Array(prefixBytes * 2);
    for (let i = 0; i < prefixBytes; i++) this.#scratch[i] = block[i]!;
  }
}
