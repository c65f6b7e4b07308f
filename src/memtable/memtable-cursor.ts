/**
 * A cursor over a memtable. It blocks once at most, on a first move, where many entries have yet to be put in
 * order; that is then done a piece at a time, so that it does not hold the event loop. Entries may be inserted
 * while it is open: those at places that it has yet to come to may be seen, the others are not, and order holds.
 *
 * Hot path: a move follows one link and sets plain fields.
 */
import assert from "node:assert";
import { setImmediate } from "node:timers/promises";
import { CURSOR, type CursorState, type EntryCursor } from "../entry-cursor.ts";
import type { KeptShapes } from "../kept-shapes.ts";
import { Memtable } from "./memtable.ts";
import {
  HEAD,
  keyBytesOf,
  keyStartOf,
  SHAPE,
  TRAILER_HIGH,
  TRAILER_LOW,
  timeOf,
  VALUE_BYTES,
} from "./node-layout.ts";

/** Entries that are put in order at a time, which takes about a millisecond. */
const LINK_STEP = 2048;
const NO_MEMTABLE = Memtable.create(Memtable.bytesFor(0, 0));
const nowhere = () => 0;

export class MemtableCursor implements EntryCursor {
  state: CursorState = CURSOR.END;
  key: Uint8Array;
  keyStart = 0;
  keyEnd = 0;
  trailerLow = 0;
  trailerHigh = 0;
  value: Uint8Array;
  valueStart = 0;
  valueEnd = 0;
  #memtable: Memtable;
  #words: Int32Array;
  #node = 0;
  /** The move that waits for the order. */
  #find: () => number = nowhere;

  constructor(memtable: Memtable) {
    this.key = memtable.bytes;
    this.value = memtable.bytes;
    this.#memtable = memtable;
    this.#words = memtable.words;
  }

  first(): void {
    this.#position(() => this.#memtable.first());
  }

  last(): void {
    this.#position(() => this.#memtable.last());
  }

  seek(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    const memtable = this.#memtable;
    this.#position(() => memtable.next(memtable.before(key, trailerLow, trailerHigh)));
  }

  seekBefore(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    this.#position(() => this.#memtable.before(key, trailerLow, trailerHigh));
  }

  next(): void {
    assert(this.state === CURSOR.VALID);
    this.#moveTo(this.#memtable.next(this.#node));
  }

  prev(): void {
    assert(this.state === CURSOR.VALID);
    this.#moveTo(this.#memtable.prev(this.#node));
  }

  timeMs(): number {
    assert(this.state === CURSOR.VALID);
    return timeOf(this.#words, this.#node);
  }

  async load(): Promise<void> {
    assert(this.state === CURSOR.BLOCKED);
    while (this.#memtable.unlinked > LINK_STEP) {
      this.#memtable.link(LINK_STEP);
      await setImmediate();
    }
    this.loadSync();
  }

  loadSync(): void {
    assert(this.state === CURSOR.BLOCKED);
    this.#memtable.linkAll();
    this.#moveTo(this.#find());
  }

  retire(shapes: KeptShapes): void {
    this.state = CURSOR.END;
    this.key = NO_MEMTABLE.bytes;
    this.value = NO_MEMTABLE.bytes;
    this.#memtable = NO_MEMTABLE;
    this.#words = NO_MEMTABLE.words;
    this.#find = nowhere;
    shapes.keep(this);
  }

  #position(find: () => number): void {
    if (this.#memtable.unlinked > LINK_STEP) {
      this.#find = find;
      this.state = CURSOR.BLOCKED;
      return;
    }
    this.#memtable.linkAll();
    this.#moveTo(find());
  }

  /** Both ends of the list, 0 and the head, sort below every node. */
  #moveTo(node: number): void {
    if (node <= HEAD) {
      this.state = CURSOR.END;
      return;
    }
    const words = this.#words;
    const keyStart = keyStartOf(words, node);
    const keyEnd = keyStart + keyBytesOf(words[node + SHAPE]!);
    this.#node = node;
    this.state = CURSOR.VALID;
    this.keyStart = keyStart;
    this.keyEnd = keyEnd;
    this.trailerLow = words[node + TRAILER_LOW]! >>> 0;
    this.trailerHigh = words[node + TRAILER_HIGH]! >>> 0;
    this.valueStart = keyEnd;
    this.valueEnd = keyEnd + words[node + VALUE_BYTES]!;
  }
}
