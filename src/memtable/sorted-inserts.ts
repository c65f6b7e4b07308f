/**
 * Entries that are gathered and then inserted into a memtable in the order of their keys: each then goes in
 * beside the one before, with no search, and nearby keys lie nearby in the arena. For replaying a log, where
 * nobody reads in between.
 *
 * Hot path: a radix sort over the keys' first eight bytes behind what all keys have in common. What it leaves
 * undecided the memtable decides, so the sort is about speed alone. `npm run bench -- recover` shows it.
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
    const [keyStart, keyEnd, valueEnd] = [this.#keyStart, this.#keyEnd, this.#valueEnd];
    const [low, high] = [this.#trailerLow, this.#trailerHigh];
    for (const i of this.#sorted(buffer)) {
      const valueStart = keyEnd[i]!;
      memtable.insert(
        buffer,
        keyStart[i]!,
        valueStart,
        low[i]!,
        high[i]!,
        buffer,
        valueStart,
        valueEnd[i]!,
      );
    }
    this.entries = 0;
    this.bytes = 0;
  }

  /** The entries' numbers, nearly in the order of their internal keys. */
  #sorted(buffer: Uint8Array): Uint32Array {
    const { entries } = this;
    const common = this.#commonBytes(buffer);
    const high = new Uint32Array(entries);
    const low = new Uint32Array(entries);
    for (let i = 0; i < entries; i++) {
      const start = this.#keyStart[i]! + common;
      const end = this.#keyEnd[i]!;
      high[i] = prefixAt(buffer, start, end);
      low[i] = prefixAt(buffer, start + 4, end);
    }
    // From the newest on, since the newer version of a key comes first and the sort is stable.
    const newestFirst = Uint32Array.from(high, (_, i) => entries - 1 - i);
    return sortByWord(sortByWord(newestFirst, low), high);
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

/** `order` sorted by `words[order[i]]`, stably: a radix sort from the lowest digit to the highest. */
function sortByWord(order: Uint32Array<ArrayBuffer>, words: Uint32Array): Uint32Array<ArrayBuffer> {
  let [from, to] = [order, new Uint32Array(order.length)];
  for (let digit = 0; digit < DIGITS_OF_WORD; digit++) {
    const shift = digit * DIGIT_BITS;
    const starts = startsOfBuckets(words, shift);
    if (starts === undefined) continue;
    for (const i of from) to[starts[(words[i]! >>> shift) & DIGIT_MASK]!++] = i;
    [from, to] = [to, from];
  }
  return from;
}

/** Where each digit's entries begin; `undefined` where all have the same digit. */
function startsOfBuckets(words: Uint32Array, shift: number): Uint32Array | undefined {
  const starts = new Uint32Array(DIGITS);
  for (const word of words) starts[(word >>> shift) & DIGIT_MASK]!++;
  let sum = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const count = starts[digit]!;
    if (count === words.length) return undefined;
    starts[digit] = sum;
    sum += count;
  }
  return starts;
}
