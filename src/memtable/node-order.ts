/** The order of nodes, that of their internal keys (`src/key.ts`), and a sort by it. */
import { prefixAt } from "../bytes/compare.ts";
import { compareTrailers } from "../key.ts";
import {
  keyBytesOf,
  keyStartOf,
  PREFIX_BYTES,
  PREFIX_HIGH,
  PREFIX_LOW,
  SHAPE,
  TRAILER_HIGH,
  TRAILER_LOW,
} from "./node-layout.ts";

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const DIGIT_MASK = DIGITS - 1;
/** Digits of a 32-bit word. */
const DIGITS_OF_WORD = 3;

/** Compares nodes of one arena with each other. */
export class NodeOrder {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  /** For sorting: the nodes once more, and eight bytes of their keys. */
  #spare = new Uint32Array(0);
  #high = new Uint32Array(0);
  #low = new Uint32Array(0);
  #places = new Uint32Array(0);
  #sparePlaces = new Uint32Array(0);

  constructor(words: Int32Array, bytes: Uint8Array) {
    this.#words = words;
    this.#bytes = bytes;
  }

  /** Negative, zero or positive as node `a` sorts before, with or after `b`. */
  compare(a: number, b: number): number {
    const words = this.#words;
    const aHigh = words[a + PREFIX_HIGH]!;
    const bHigh = words[b + PREFIX_HIGH]!;
    if (aHigh !== bHigh) return aHigh < bHigh ? -1 : 1;
    const aLow = words[a + PREFIX_LOW]!;
    const bLow = words[b + PREFIX_LOW]!;
    if (aLow !== bLow) return aLow < bLow ? -1 : 1;
    const order = this.#compareKeys(a, b);
    return order === 0 ? this.compareVersions(a, b) : order;
  }

  /** `compare` of two nodes with the same user key. */
  compareVersions(a: number, b: number): number {
    const words = this.#words;
    return compareTrailers(
      words[a + TRAILER_LOW]! >>> 0,
      words[a + TRAILER_HIGH]! >>> 0,
      words[b + TRAILER_LOW]! >>> 0,
      words[b + TRAILER_HIGH]! >>> 0,
    );
  }

  /**
   * Sorts the first `count` of `nodes`, in place. Is fastest where the newer version of a key comes first.
   *
   * A radix sort over the keys' first eight bytes behind what all keys have in common; what it leaves
   * undecided is compared.
   */
  sort(nodes: Uint32Array, count: number): void {
    if (count < 2) return;
    this.#makeRoom(count);
    const common = this.#commonBytes(nodes, count);
    const [high, low, places] = [this.#high, this.#low, this.#places];
    for (let i = 0; i < count; i++) {
      const start = keyStartOf(this.#words, nodes[i]!);
      const end = start + keyBytesOf(this.#words[nodes[i]! + SHAPE]!);
      high[i] = prefixAt(this.#bytes, start + common, end);
      low[i] = prefixAt(this.#bytes, start + common + 4, end);
      places[i] = i;
    }
    const byLow = sortByWord(places, this.#sparePlaces, low, count);
    const other = byLow === places ? this.#sparePlaces : places;
    const sorted = sortByWord(byLow, other, high, count);
    const spare = this.#spare;
    spare.set(count === nodes.length ? nodes : nodes.subarray(0, count));
    for (let at = 0; at < count; at++) nodes[at] = spare[sorted[at]!]!;
    this.#sortTies(nodes, sorted, count);
  }

  /** Sorts each run of nodes that the radix sort took for alike; `places` tell where their words are. */
  #sortTies(nodes: Uint32Array, places: Uint32Array, count: number): void {
    const [high, low] = [this.#high, this.#low];
    const isTie = (at: number) => {
      const [a, b] = [places[at - 1]!, places[at]!];
      return high[a] === high[b] && low[a] === low[b];
    };
    for (let from = 0; from < count; ) {
      let isSorted = true;
      let to = from + 1;
      for (; to < count && isTie(to); to++) {
        if (isSorted) isSorted = this.compare(nodes[to - 1]!, nodes[to]!) < 0;
      }
      if (!isSorted) nodes.subarray(from, to).sort((a, b) => this.compare(a, b));
      from = to;
    }
  }

  /** Of two nodes whose prefix words are equal. */
  #compareKeys(a: number, b: number): number {
    const bytes = this.#bytes;
    const aBytes = keyBytesOf(this.#words[a + SHAPE]!);
    const bBytes = keyBytesOf(this.#words[b + SHAPE]!);
    const aStart = keyStartOf(this.#words, a);
    const bStart = keyStartOf(this.#words, b);
    const length = Math.min(aBytes, bBytes);
    for (let i = PREFIX_BYTES; i < length; i++) {
      const difference = bytes[aStart + i]! - bytes[bStart + i]!;
      if (difference !== 0) return difference;
    }
    return aBytes - bBytes;
  }

  /** How many bytes all keys begin with in common. */
  #commonBytes(nodes: Uint32Array, count: number): number {
    const bytes = this.#bytes;
    const start = keyStartOf(this.#words, nodes[0]!);
    let common = keyBytesOf(this.#words[nodes[0]! + SHAPE]!);
    for (let i = 1; i < count && common > 0; i++) {
      const other = nodes[i]!;
      const otherStart = keyStartOf(this.#words, other);
      const length = Math.min(common, keyBytesOf(this.#words[other + SHAPE]!));
      common = 0;
      while (common < length && bytes[start + common] === bytes[otherStart + common]) common++;
    }
    return common;
  }

  #makeRoom(count: number): void {
    if (count <= this.#spare.length) return;
    const length = Math.max(count, this.#spare.length * 2);
    this.#spare = new Uint32Array(length);
    this.#high = new Uint32Array(length);
    this.#low = new Uint32Array(length);
    this.#places = new Uint32Array(length);
    this.#sparePlaces = new Uint32Array(length);
  }
}

/**
 * The first `count` of `order` sorted by `words[order[i]]`, stably: a radix sort from the lowest digit to the
 * highest, back and forth between `order` and `spare`; returns the one that it ends in.
 */
function sortByWord(
  order: Uint32Array,
  spare: Uint32Array,
  words: Uint32Array,
  count: number,
): Uint32Array {
  let from = order;
  let to = spare;
  for (let digit = 0; digit < DIGITS_OF_WORD; digit++) {
    const shift = digit * DIGIT_BITS;
    const starts = startsOfBuckets(words, shift, count);
    if (starts === undefined) continue;
    for (let at = 0; at < count; at++) {
      const i = from[at]!;
      to[starts[(words[i]! >>> shift) & DIGIT_MASK]!++] = i;
    }
    const sorted = to;
    to = from;
    from = sorted;
  }
  return from;
}

/** Where each digit's entries begin; `undefined` where all have the same digit. */
function startsOfBuckets(
  words: Uint32Array,
  shift: number,
  count: number,
): Uint32Array | undefined {
  const starts = new Uint32Array(DIGITS);
  for (let i = 0; i < count; i++) starts[(words[i]! >>> shift) & DIGIT_MASK]!++;
  let sum = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const here = starts[digit]!;
    if (here === count) return undefined;
    starts[digit] = sum;
    sum += here;
  }
  return starts;
}
