/**
 * A cursor over a memtable. Everything is in memory, so it never blocks. Entries may be inserted while it
 * is open: those at places that it has yet to come to are seen, the others are not, and order holds.
 *
 * Hot path: a move follows one link and sets plain fields.
 */
import assert from "node:assert";
import { CURSOR, type CursorState, type EntryCursor } from "../entry-cursor.ts";
import type { Memtable } from "./memtable.ts";
import {
  HEAD,
  keyBytesOf,
  keyWordOf,
  linkAt,
  NEXT,
  PREV,
  SHAPE,
  TRAILER_HIGH,
  TRAILER_LOW,
  VALUE_BYTES,
} from "./node-layout.ts";

export class MemtableCursor implements EntryCursor {
  state: CursorState = CURSOR.END;
  readonly key: Uint8Array;
  keyStart = 0;
  keyEnd = 0;
  trailerLow = 0;
  trailerHigh = 0;
  readonly value: Uint8Array;
  valueStart = 0;
  valueEnd = 0;
  readonly #memtable: Memtable;
  readonly #words: Int32Array;
  #node = 0;

  constructor(memtable: Memtable) {
    this.key = memtable.bytes;
    this.value = memtable.bytes;
    this.#memtable = memtable;
    this.#words = memtable.words;
  }

  first(): void {
    this.#moveTo(this.#words[linkAt(HEAD, 0) + NEXT]!);
  }

  last(): void {
    this.#moveTo(this.#words[HEAD + PREV]!);
  }

  seek(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    const before = this.#memtable.findBefore(key, trailerLow, trailerHigh);
    this.#moveTo(this.#words[linkAt(before, 0) + NEXT]!);
  }

  seekBefore(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    this.#moveTo(this.#memtable.findBefore(key, trailerLow, trailerHigh));
  }

  next(): void {
    assert(this.state === CURSOR.VALID);
    this.#moveTo(this.#words[linkAt(this.#node, 0) + NEXT]!);
  }

  prev(): void {
    assert(this.state === CURSOR.VALID);
    this.#moveTo(this.#words[this.#node + PREV]!);
  }

  load(): Promise<void> {
    return Promise.resolve(this.loadSync());
  }

  loadSync(): void {
    assert.fail("a memtable's cursor never blocks");
  }

  /** Both ends of the list, 0 and the head, sort below every node. */
  #moveTo(node: number): void {
    if (node <= HEAD) {
      this.state = CURSOR.END;
      return;
    }
    const words = this.#words;
    const shape = words[node + SHAPE]!;
    const keyStart = keyWordOf(node, shape) * 4;
    const keyEnd = keyStart + keyBytesOf(shape);
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
