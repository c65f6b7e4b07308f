/**
 * A cursor over a memtable that is not written to any more, for another thread: it sorts the nodes for itself and
 * leaves the arena as it is.
 */
import assert from "node:assert";
import { compareRanges } from "../bytes/compare.ts";
import { CURSOR, type CursorState, type EntryCursor } from "../entry-cursor.ts";
import type { KeptShapes } from "../kept-shapes.ts";
import { compareTrailers } from "../key.ts";
import type { MemtableHandle } from "./memtable.ts";
import {
  FIRST_NODE,
  keyBytesOf,
  keyStartOf,
  nodeEnd,
  SHAPE,
  TRAILER_HIGH,
  TRAILER_LOW,
  timeOf,
  VALUE_BYTES,
} from "./node-layout.ts";
import { NodeOrder } from "./node-order.ts";

/**
 * Nodes in the order of their keys are anywhere in the arena, so each would be waited for. Reads of several that do
 * not depend on one another wait together.
 */
const AHEAD = 16;
const LINE_WORDS = 16;
const NO_BYTES = new Uint8Array();
const NO_WORDS = new Int32Array();
const NO_NODES = new Uint32Array();

export class SortedCursor implements EntryCursor {
  state: CursorState = CURSOR.END;
  key: Uint8Array;
  keyStart = 0;
  keyEnd = 0;
  trailerLow = 0;
  trailerHigh = 0;
  value: Uint8Array;
  valueStart = 0;
  valueEnd = 0;
  #words: Int32Array;
  #nodes: Uint32Array;
  #place = 0;
  /** Of words that were read ahead; of no use, but the reads would be left out without it. */
  touched = 0;

  constructor({ arena, entries }: MemtableHandle) {
    this.key = new Uint8Array(arena);
    this.value = this.key;
    this.#words = new Int32Array(arena);
    this.#nodes = new Uint32Array(entries);
    let node = FIRST_NODE;
    // The newer version of a key comes first.
    for (let i = entries - 1; i >= 0; i--) {
      this.#nodes[i] = node;
      node = nodeEnd(this.#words, node);
    }
    new NodeOrder(this.#words, this.key).sort(this.#nodes, entries);
  }

  first(): void {
    this.#show(0);
  }

  last(): void {
    this.#show(this.#nodes.length - 1);
  }

  seek(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    this.#show(this.#placeOf(key, trailerLow, trailerHigh));
  }

  seekBefore(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    this.#show(this.#placeOf(key, trailerLow, trailerHigh) - 1);
  }

  next(): void {
    assert(this.state === CURSOR.VALID);
    this.#show(this.#place + 1);
  }

  prev(): void {
    assert(this.state === CURSOR.VALID);
    this.#show(this.#place - 1);
  }

  timeMs(): number {
    assert(this.state === CURSOR.VALID);
    return timeOf(this.#words, this.#nodes[this.#place]!);
  }

  load(): Promise<void> {
    return Promise.resolve(this.loadSync());
  }

  loadSync(): void {
    assert.fail("a memtable's entries are in memory");
  }

  retire(shapes: KeptShapes): void {
    this.state = CURSOR.END;
    this.key = NO_BYTES;
    this.value = NO_BYTES;
    this.#words = NO_WORDS;
    this.#nodes = NO_NODES;
    shapes.keep(this);
  }

  /** The place of the first entry at or after (key, trailer). */
  #placeOf(key: Uint8Array, trailerLow: number, trailerHigh: number): number {
    let low = 0;
    let high = this.#nodes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      this.#show(middle);
      let order = compareRanges(this.key, this.keyStart, this.keyEnd, key, 0, key.length);
      if (order === 0) {
        order = compareTrailers(this.trailerLow, this.trailerHigh, trailerLow, trailerHigh);
      }
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Reads what the cursor will show of the next nodes. */
  #touch(from: number): void {
    const words = this.#words;
    const nodes = this.#nodes;
    const to = Math.min(from + AHEAD, nodes.length);
    const last = words.length - 1 - 2 * LINE_WORDS;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const node = Math.min(nodes[i]!, last);
      sum ^= words[node]! ^ words[node + LINE_WORDS]! ^ words[node + 2 * LINE_WORDS]!;
    }
    this.touched = sum;
  }

  #show(place: number): void {
    if (place < 0 || place >= this.#nodes.length) {
      this.state = CURSOR.END;
      return;
    }
    const words = this.#words;
    const node = this.#nodes[place]!;
    if (place > this.#place && (place & (AHEAD - 1)) === 0) this.#touch(place + AHEAD);
    this.#place = place;
    this.keyStart = keyStartOf(words, node);
    this.keyEnd = this.keyStart + keyBytesOf(words[node + SHAPE]!);
    this.trailerLow = words[node + TRAILER_LOW]! >>> 0;
    this.trailerHigh = words[node + TRAILER_HIGH]! >>> 0;
    this.valueStart = this.keyEnd;
    this.valueEnd = this.keyEnd + words[node + VALUE_BYTES]!;
    this.state = CURSOR.VALID;
  }
}
