/**
 * A table's bloom filter: sizing, bit set and semantics of the package `bloom-filters`, with the hashing of
 * `key-hash.ts` plugged in. Adding and probing go over the same bits without the package's arrays of
 * indexes, which makes them many times faster; a test holds both against each other.
 *
 *   bits u32 | hashes u32 | bit set, least significant bit first
 *
 * Probe i of a key is bit (first + i * second) mod bits (Kirsch and Mitzenmacher, "Less hashing, same
 * performance", 2006).
 *
 * Hot path: every look-up asks the filter of each table that may hold its key.
 */
import { BloomFilter } from "bloom-filters";
import { readU32, writeU32 } from "../bytes/little-endian.ts";
import type { KeyHash } from "./key-hash.ts";

const HEADER_BYTES = 8;

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
    const filter = BloomFilter.create(Math.max(1, keys), errorRate);
    return new TableFilter(filter._size, filter._nbHashes, filter._filter.array);
  }

  /** `undefined` for bytes that are not a filter. Shares their memory. */
  static decode(bytes: Uint8Array): TableFilter | undefined {
    if (bytes.length < HEADER_BYTES) return undefined;
    const bits = readU32(bytes, 0);
    const hashes = readU32(bytes, 4);
    const set = bytes.subarray(HEADER_BYTES);
    if (bits === 0 || hashes === 0 || set.length !== Math.ceil(bits / 8)) return undefined;
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
    const { bits } = this;
    const set = this.#set;
    let at = first % bits;
    const step = second % bits;
    for (let i = this.hashes; i > 0; i--) {
      set[at >>> 3]! |= 1 << (at & 7);
      at += step;
      if (at >= bits) at -= bits;
    }
  }

  /** False where the key is surely not in the table. */
  mayContain(hash: KeyHash): boolean {
    const { bits } = this;
    const set = this.#set;
    let at = hash.first % bits;
    const step = hash.second % bits;
    for (let i = this.hashes; i > 0; i--) {
      if ((set[at >>> 3]! & (1 << (at & 7))) === 0) return false;
      at += step;
      if (at >= bits) at -= bits;
    }
    return true;
  }
}
