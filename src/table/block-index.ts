/**
 * The sparse index of a table: for each data block a separator, at or after every user key in the block and
 * before every one in the next, and where the block is stored.
 *
 *   blocks u32 | entry …
 *
 *   entry = offset u32 | storedBytes u32 (with the block's trailer) | keyBytes u32 | separator
 *
 * Versions of one user key may go on in the next block; then that key is the separator, and a search that
 * comes to the end of the block goes on there.
 *
 * Hot path: in memory the index is a few flat arrays; the first eight bytes of a separator, as two numbers,
 * decide almost every comparison of the binary search.
 */
import { compareRanges, prefixAt } from "../bytes/compare.ts";
import { readU32, writeU32 } from "../bytes/little-endian.ts";

const ENTRY_HEADER_BYTES = 12;

export class BlockIndexWriter {
  #buffer = Buffer.allocUnsafeSlow(4 * 1024);
  #end = 4;
  #blocks = 0;

  get bytes(): number {
    return this.#end;
  }

  add(separator: Uint8Array, offset: number, storedBytes: number): void {
    const needed = this.#end + ENTRY_HEADER_BYTES + separator.length;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, this.#end));
      this.#buffer = grown;
    }
    writeU32(this.#buffer, this.#end, offset);
    writeU32(this.#buffer, this.#end + 4, storedBytes);
    writeU32(this.#buffer, this.#end + 8, separator.length);
    this.#buffer.set(separator, this.#end + ENTRY_HEADER_BYTES);
    this.#end = needed;
    this.#blocks++;
  }

  finish(): Buffer {
    writeU32(this.#buffer, 0, this.#blocks);
    return this.#buffer.subarray(0, this.#end);
  }
}

/** The shortest user key at or after `last` and before `next`, which comes after it. */
export function separatorBetween(last: Uint8Array, next: Uint8Array): Uint8Array {
  let shared = 0;
  const most = Math.min(last.length, next.length);
  while (shared < most && last[shared] === next[shared]) shared++;
  // One byte more than they share, if that is before `next`; the byte after `last`'s own.
  if (shared + 1 < last.length && last[shared]! + 1 < (next[shared] ?? 0)) {
    const separator = new Uint8Array(last.subarray(0, shared + 1));
    separator[shared]!++;
    return separator;
  }
  // Or as much of `next` as makes the difference, if that is not all of it.
  if (shared < last.length && shared + 1 < next.length) {
    return new Uint8Array(next.subarray(0, shared + 1));
  }
  return new Uint8Array(last);
}

export class BlockIndex {
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #offsets: Uint32Array;
  readonly #stored: Uint32Array;
  readonly #prefixHigh: Uint32Array;
  readonly #prefixLow: Uint32Array;
  /** Separator i is `#bytes[#keyAt[i], #keyEnd[i])`. */
  readonly #keyAt: Uint32Array;
  readonly #keyEnd: Uint32Array;

  private constructor(bytes: Uint8Array, length: number) {
    this.length = length;
    this.#bytes = bytes;
    this.#offsets = new Uint32Array(length);
    this.#stored = new Uint32Array(length);
    this.#prefixHigh = new Uint32Array(length);
    this.#prefixLow = new Uint32Array(length);
    this.#keyAt = new Uint32Array(length);
    this.#keyEnd = new Uint32Array(length);
  }

  /** `undefined` for bytes that are not the index of data blocks in `[0, dataEnd)`. Shares their memory. */
  static decode(bytes: Uint8Array, dataEnd: number): BlockIndex | undefined {
    if (bytes.length < 4) return undefined;
    const length = readU32(bytes, 0);
    if (length > bytes.length / ENTRY_HEADER_BYTES) return undefined;
    const index = new BlockIndex(bytes, length);
    return index.#fill(dataEnd) ? index : undefined;
  }

  get memoryBytes(): number {
    return this.#bytes.length + this.length * 6 * 4;
  }

  offset(block: number): number {
    return this.#offsets[block]!;
  }

  /** Bytes of the block in the file, with its trailer. */
  storedBytes(block: number): number {
    return this.#stored[block]!;
  }

  /** The first block that may hold the key: the first whose separator is at or after it; `length` if none. */
  find(key: Uint8Array): number {
    const high = prefixAt(key, 0, key.length);
    const low = prefixAt(key, 4, key.length);
    const highs = this.#prefixHigh;
    let from = 0;
    let to = this.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const middleHigh = highs[middle]!;
      let before: boolean;
      if (middleHigh !== high) before = middleHigh < high;
      else {
        const middleLow = this.#prefixLow[middle]!;
        if (middleLow !== low) before = middleLow < low;
        else before = this.#compareKey(middle, key) < 0;
      }
      if (before) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Whether the block may not be the last one with versions of the key. */
  mayGoOn(block: number, key: Uint8Array): boolean {
    return block + 1 < this.length && this.#compareKey(block, key) === 0;
  }

  #compareKey(block: number, key: Uint8Array): number {
    const start = this.#keyAt[block]!;
    return compareRanges(this.#bytes, start, this.#keyEnd[block]!, key, 0, key.length);
  }

  /** False where an entry is cut off, or blocks do not follow one another from 0 to `dataEnd`. */
  #fill(dataEnd: number): boolean {
    const bytes = this.#bytes;
    let at = 4;
    let offset = 0;
    for (let i = 0; i < this.length; i++) {
      if (at + ENTRY_HEADER_BYTES > bytes.length) return false;
      const keyAt = at + ENTRY_HEADER_BYTES;
      const keyEnd = keyAt + readU32(bytes, at + 8);
      if (keyEnd > bytes.length || readU32(bytes, at) !== offset) return false;
      this.#offsets[i] = offset;
      this.#stored[i] = readU32(bytes, at + 4);
      this.#prefixHigh[i] = prefixAt(bytes, keyAt, keyEnd);
      this.#prefixLow[i] = prefixAt(bytes, keyAt + 4, keyEnd);
      this.#keyAt[i] = keyAt;
      this.#keyEnd[i] = keyEnd;
      offset += this.#stored[i]!;
      at = keyEnd;
    }
    return at === bytes.length && offset === dataEnd;
  }
}
