/**
 * Entries that are gathered and then inserted into a memtable in the order of their keys: each then goes in
 * beside the one before, with no search, and nearby keys lie nearby in the arena. For large batches, and for
 * replaying a log.
 *
 * Hot path: a radix sort over the keys' first eight bytes behind what all keys have in common. What it leaves
 * undecided the memtable decides, so the sort is about speed alone. `npm run bench -- recover` shows it, and
 * `engine` in its fill rows.
 */
import { prefixAt } from "../bytes/compare.ts";
import type { Memtable } from "./memtable.ts";

const CAPACITY_START = 1024;
const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const DIGIT_MASK = DIGITS - 1;
/** Digits of a 32-bit word. */
const DIGITS_OF_WORD = 3;

export class SortedInserts {
  entries = 0;
  /** Of keys and values. */
  bytes = 0;
  #keyStart = new Uint32Array(CAPACITY_START);
  #keyEnd = new Uint32Array(CAPACITY_START);
  #valueEnd = new Uint32Array(CAPACITY_START);
  #trailerLow = new Uint32Array(CAPACITY_START);
  #trailerHigh = new Uint32Array(CAPACITY_START);
  /** For sorting: the entries' order, twice, and the first eight bytes of their keys. */
  #order = new Uint32Array(0);
  #spare = new Uint32Array(0);
  #high = new Uint32Array(0);
  #low = new Uint32Array(0);

  /** The value follows the key. All entries lie in one buffer, which `insertInto` is given. */
  add(
    keyStart: number,
    keyEnd: number,
    valueEnd: number,
    trailerLow: number,
    trailerHigh: number,
  ): void {
    const i = this.entries;
    if (i === this.#keyStart.length) this.#grow();
    this.#keyStart[i] = keyStart;
    this.#keyEnd[i] = keyEnd;
    this.#valueEnd[i] = valueEnd;
    this.#trailerLow[i] = trailerLow;
    this.#trailerHigh[i] = trailerHigh;
    this.entries = i + 1;
    this.bytes += valueEnd - keyStart;
  }

  /** Inserts all entries, for which the memtable has room, and forgets them. */
  insertInto(memtable: Memtable, buffer: Uint8Array): void {
    const order = this.#sorted(buffer);
    for (let at = 0; at < this.entries; at++) {
      const i = order[at]!;
      const valueStart = this.#keyEnd[i]!;
      memtable.insert(
        buffer,
        this.#keyStart[i]!,
        valueStart,
        this.#trailerLow[i]!,
        this.#trailerHigh[i]!,
        buffer,
        valueStart,
        this.#valueEnd[i]!,
      );
    }
    this.entries = 0;
    this.bytes = 0;
  }

  /** The entries' numbers, nearly in the order of their internal keys. */
  #sorted(buffer: Uint8Array): Uint32Array {
    const { entries } = this;
    if (this.#order.length < entries) this.#makeScratch();
    const common = this.#commonBytes(buffer);
    const [order, high, low] = [this.#order, this.#high, this.#low];
    for (let i = 0; i < entries; i++) {
      const start = this.#keyStart[i]! + common;
      const end = this.#keyEnd[i]!;
      high[i] = prefixAt(buffer, start, end);
      low[i] = prefixAt(buffer, start + 4, end);
      // From the newest on, since the newer version of a key comes first and the sort is stable.
      order[i] = entries - 1 - i;
    }
    const byLow = sortByWord(order, this.#spare, low, entries);
    const spare = byLow === order ? this.#spare : order;
    return sortByWord(byLow, spare, high, entries);
  }

  /** How many bytes all keys begin with in common. */
  #commonBytes(buffer: Uint8Array): number {
    const start = this.#keyStart[0] ?? 0;
    let common = (this.#keyEnd[0] ?? 0) - start;
    for (let i = 1; i < this.entries && common > 0; i++) {
      const otherStart = this.#keyStart[i]!;
      const length = Math.min(common, this.#keyEnd[i]! - otherStart);
      common = 0;
      while (common < length && buffer[start + common] === buffer[otherStart + common]) common++;
    }
    return common;
  }

  #makeScratch(): void {
    const { length } = this.#keyStart;
    this.#order = new Uint32Array(length);
    this.#spare = new Uint32Array(length);
    this.#high = new Uint32Array(length);
    this.#low = new Uint32Array(length);
  }

  #grow(): void {
    const grown = (array: Uint32Array<ArrayBuffer>) => {
      const larger = new Uint32Array(array.length * 2);
      larger.set(array);
      return larger;
    };
    this.#keyStart = grown(this.#keyStart);
    this.#keyEnd = grown(this.#keyEnd);
    this.#valueEnd = grown(this.#valueEnd);
    this.#trailerLow = grown(this.#trailerLow);
    this.#trailerHigh = grown(this.#trailerHigh);
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
