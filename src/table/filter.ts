/**
 * A table's bloom filter: bit set and semantics of the package `bloom-filters`, with sizing and hashing
 * plugged in: all probes of a key fall into one line of 512 bits, so that asking costs one cache miss instead
 * of up to seven. Adding and probing go over the same bits without the package's arrays of indexes, which
 * makes them many times faster; a test holds both against each other.
 *
 *   bits u32 | hashes u32 | bit set, least significant bit first
 *
 * The key's line is the high part of first * lines; its probes are the highest nine bits of second, multiplied
 * by an odd constant once more for each.
 *
 * Hot path: every look-up asks the filter of each table that may hold its key.
 *
 * Source of the idea: Putze, Sanders and Singler, "Cache-, hash- and space-efficient bloom filters", 2007;
 * the probes are RocksDB's FastLocalBloom's.
 */
import { BloomFilter } from "bloom-filters";
import type { KeyHash } from "../bytes/key-hash.ts";
import { readU32, writeU32 } from "../bytes/little-endian.ts";

const HEADER_BYTES = 8;
const LINE_BITS = 512;
const LINE_BYTES = LINE_BITS / 8;
/** Takes a 32-bit word to the number of a bit in a line. */
const BIT_SHIFT = 32 - Math.log2(LINE_BITS);
/** 2^32 divided by the golden ratio: an odd number whose multiples spread well. */
const STEP = 0x9e3779b9;

export class TableFilter {
  readonly bits: number;
  readonly hashes: number;
  readonly #set: Uint8Array;

  private constructor(bits: number, hashes: number, set: Uint8Array) {
    this.bits = bits;
    this.hashes = hashes;
    this.#set = set;
  }

  /** An empty filter for so many keys. */
  static create(keys: number, errorRate: number): TableFilter {
    const { bits, hashes } = sizeFor(Math.max(1, keys), errorRate);
    const filter = new BloomFilter(bits, hashes);
    return new TableFilter(bits, hashes, filter._filter.array);
  }

  /** `undefined` for bytes that are not a filter. Shares their memory. */
  static decode(bytes: Uint8Array): TableFilter | undefined {
    if (bytes.length < HEADER_BYTES) return undefined;
    const bits = readU32(bytes, 0);
    const hashes = readU32(bytes, 4);
    const set = bytes.subarray(HEADER_BYTES);
    if (bits === 0 || bits % LINE_BITS !== 0 || hashes === 0) return undefined;
    if (set.length !== bits / 8) return undefined;
    return new TableFilter(bits, hashes, set);
  }

  encode(): Buffer {
    const bytes = Buffer.allocUnsafe(HEADER_BYTES + this.#set.length);
    writeU32(bytes, 0, this.bits);
    writeU32(bytes, 4, this.hashes);
    bytes.set(this.#set, HEADER_BYTES);
    return bytes;
  }

  /** `first` and `second` are the halves of a `KeyHash`. */
  add(first: number, second: number): void {
    const set = this.#set;
    const line = this.#lineOf(first);
    let word = second;
    for (let i = this.hashes; i > 0; i--) {
      const bit = word >>> BIT_SHIFT;
      set[line + (bit >>> 3)]! |= 1 << (bit & 7);
      word = Math.imul(word, STEP);
    }
  }

  /** False where the key is surely not in the table. */
  mayContain(hash: KeyHash): boolean {
    const set = this.#set;
    const line = this.#lineOf(hash.first);
    let word = hash.second;
    for (let i = this.hashes; i > 0; i--) {
      const bit = word >>> BIT_SHIFT;
      if ((set[line + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
      word = Math.imul(word, STEP);
    }
    return true;
  }

  /** The byte at which the key's line begins. */
  #lineOf(first: number): number {
    const lines = this.#set.length / LINE_BYTES;
    return Math.floor((first * lines) / 2 ** 32) * LINE_BYTES;
  }
}

/** The least bits, and the hashes, that let no more than this share of absent keys through. */
function sizeFor(keys: number, errorRate: number): { bits: number; hashes: number } {
  // What a filter without lines takes; lines, which keys fill unevenly, take somewhat more.
  const bitsPerKey = -Math.log(errorRate) / Math.LN2 ** 2;
  for (let lines = Math.ceil((keys * bitsPerKey) / LINE_BITS); ; lines += Math.ceil(lines / 64)) {
    const keysPerLine = keys / lines;
    const hashes = Math.max(1, Math.round((LINE_BITS / keysPerLine) * Math.LN2));
    for (const fewer of [Math.max(1, hashes - 1), hashes]) {
      if (errorRateOf(keysPerLine, fewer) <= errorRate) {
        return { bits: lines * LINE_BITS, hashes: fewer };
      }
    }
  }
}

/** The share of absent keys that passes, over lines with a Poisson distributed number of keys each. */
function errorRateOf(keysPerLine: number, hashes: number): number {
  let rate = 0;
  let probability = Math.exp(-keysPerLine);
  const most = keysPerLine + 10 * Math.sqrt(keysPerLine) + 10;
  for (let keys = 1; keys < most; keys++) {
    probability *= keysPerLine / keys;
    rate += probability * (1 - (1 - 1 / LINE_BITS) ** (hashes * keys)) ** hashes;
  }
  return rate;
}
