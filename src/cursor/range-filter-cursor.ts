/**
 * A cursor without the entries that deleted ranges hide from a reader. Where a range hides all that the cursor has in
 * it, the cursor is sent past it at once, so that a range costs the same however much was in it.
 *
 * Source of the idea: the merging iterators of RocksDB and Pebble, which seek each level past the range tombstones of
 * those above it.
 */
import assert from "node:assert";
import { CURSOR, type CursorState, type EntryCursor } from "../entry-cursor.ts";
import type { KeptShapes } from "../kept-shapes.ts";
import { KIND_SEEK, SEQUENCE_MAX, sequenceOf, trailerHigh, trailerLow } from "../key.ts";
import type { Fragment, RangeTombstones } from "../range-tombstones.ts";

const EMPTY = new Uint8Array();
const NEWEST_LOW = trailerLow(SEQUENCE_MAX, KIND_SEEK);
const NEWEST_HIGH = trailerHigh(SEQUENCE_MAX);

export class RangeFilterCursor implements EntryCursor {
  state: CursorState = CURSOR.END;
  key: Uint8Array = EMPTY;
  keyStart = 0;
  keyEnd = 0;
  trailerLow = 0;
  trailerHigh = 0;
  value: Uint8Array = EMPTY;
  valueStart = 0;
  valueEnd = 0;
  readonly #cursor: EntryCursor;
  readonly #ranges: RangeTombstones;
  readonly #snapshot: number;
  readonly #largestSequence: number;
  #reverse = false;

  /**
   * Takes over `cursor`, whose entries have sequences up to `largestSequence`. `ranges` are those that may hide any
   * of them; the reader sees sequences up to `snapshot`.
   */
  constructor(
    cursor: EntryCursor,
    ranges: RangeTombstones,
    snapshot: number,
    largestSequence: number,
  ) {
    this.#cursor = cursor;
    this.#ranges = ranges;
    this.#snapshot = snapshot;
    this.#largestSequence = largestSequence;
  }

  first(): void {
    this.#reverse = false;
    this.#cursor.first();
    this.#settle();
  }

  last(): void {
    this.#reverse = true;
    this.#cursor.last();
    this.#settle();
  }

  seek(key: Uint8Array, low: number, high: number): void {
    this.#reverse = false;
    this.#cursor.seek(key, low, high);
    this.#settle();
  }

  seekBefore(key: Uint8Array, low: number, high: number): void {
    this.#reverse = true;
    this.#cursor.seekBefore(key, low, high);
    this.#settle();
  }

  next(): void {
    assert(this.state === CURSOR.VALID);
    this.#reverse = false;
    this.#cursor.next();
    this.#settle();
  }

  prev(): void {
    assert(this.state === CURSOR.VALID);
    this.#reverse = true;
    this.#cursor.prev();
    this.#settle();
  }

  timeMs(): number {
    assert(this.state === CURSOR.VALID);
    return this.#cursor.timeMs();
  }

  async load(): Promise<void> {
    assert(this.state === CURSOR.BLOCKED);
    await this.#cursor.load();
    this.#settle();
  }

  loadSync(): void {
    assert(this.state === CURSOR.BLOCKED);
    this.#cursor.loadSync();
    this.#settle();
  }

  retire(shapes: KeptShapes): void {
    this.state = CURSOR.END;
    this.key = EMPTY;
    this.value = EMPTY;
    this.#cursor.retire(shapes);
    shapes.keep(this);
  }

  /** Goes on until an entry is not hidden. */
  #settle(): void {
    const cursor = this.#cursor;
    while (cursor.state === CURSOR.VALID) {
      const fragment = this.#ranges.fragmentAt(cursor.key, cursor.keyStart, cursor.keyEnd);
      const deleted = fragment?.sequences.find((sequence) => sequence <= this.#snapshot) ?? 0;
      if (deleted <= sequenceOf(cursor.trailerLow, cursor.trailerHigh)) {
        this.#show();
        return;
      }
      if (deleted < Math.min(this.#largestSequence, this.#snapshot)) this.#step();
      else if (!this.#pass(fragment as Fragment)) return;
    }
    this.state = cursor.state;
  }

  #step(): void {
    if (this.#reverse) this.#cursor.prev();
    else this.#cursor.next();
  }

  /** Sends the cursor to the other side of a fragment; false where there is none. */
  #pass({ start, end }: Fragment): boolean {
    if (this.#reverse) this.#cursor.seekBefore(start, NEWEST_LOW, NEWEST_HIGH);
    else if (end !== undefined) this.#cursor.seek(end, NEWEST_LOW, NEWEST_HIGH);
    else {
      this.state = CURSOR.END;
      return false;
    }
    return true;
  }

  #show(): void {
    const cursor = this.#cursor;
    this.state = CURSOR.VALID;
    this.key = cursor.key;
    this.keyStart = cursor.keyStart;
    this.keyEnd = cursor.keyEnd;
    this.trailerLow = cursor.trailerLow;
    this.trailerHigh = cursor.trailerHigh;
    this.value = cursor.value;
    this.valueStart = cursor.valueStart;
    this.valueEnd = cursor.valueEnd;
  }
}
