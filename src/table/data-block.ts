/**
 * The contents of a data block: entries in internal-key order, their user keys prefix-compressed, then the
 * offsets of the entries that have a whole key, then the buckets of the hash index (`block-hash-index.ts`).
 *
 *   entry … | restart offset u32 … | bucket u8 … | buckets u32 | restarts u32
 *
 *   entry = shared varint | unshared varint | valueBytes varint
 *         | trailerLow u32 | trailerHigh u32 | key[shared …] | value
 *
 * `shared` is the length of the prefix that the user key has in common with the one before it, 0 at a
 * restart. The trailer (`src/key.ts`) stands apart from the key, at a fixed width, so that a search passes
 * over it without decoding. Source of the idea: LevelDB's block format.
 */
import { readU32, writeU32 } from "../bytes/little-endian.ts";
import { BlockHashIndexWriter } from "./block-hash-index.ts";

const INITIAL_BYTES = 8 * 1024;
/** Three varints of up to 5 bytes, and the trailer. */
export const ENTRY_HEADER_BYTES_MAX = 3 * 5 + 8;
/** The counts of buckets and restarts. */
export const FOOTER_BYTES = 4 + 4;

/** Builds one block after the other. */
export class DataBlockWriter {
  readonly #restartInterval: number;
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #end = 0;
  readonly #restarts: number[] = [];
  readonly #hashIndex = new BlockHashIndexWriter();
  #sinceRestart = 0;
  /** The user key before is `#key[0, #keyBytes)`. */
  #key = Buffer.allocUnsafeSlow(256);
  #keyBytes = 0;

  constructor(restartInterval: number) {
    this.#restartInterval = restartInterval;
  }

  get isEmpty(): boolean {
    return this.#end === 0;
  }

  /** Bytes of the block if it ended here. */
  get bytes(): number {
    const restarts = this.#restarts.length;
    return this.#end + restarts * 4 + this.#hashIndex.buckets(restarts) + FOOTER_BYTES;
  }

  /** The user key added last; the view is good until the next `add`. */
  get lastKey(): Uint8Array {
    return this.#key.subarray(0, this.#keyBytes);
  }

  /** `hash` is the first half of the user key's hash. */
  add(
    hash: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    trailerLow: number,
    trailerHigh: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const keyBytes = keyEnd - keyStart;
    const valueBytes = valueEnd - valueStart;
    this.#reserve(keyBytes + valueBytes + ENTRY_HEADER_BYTES_MAX);
    const isFirst = this.isEmpty;
    const common = isFirst ? 0 : this.#sharedWith(key, keyStart, keyBytes);
    const shared = this.#sinceRestart === 0 ? 0 : common;
    if (this.#sinceRestart === 0) this.#restarts.push(this.#end);
    const isVersion = !isFirst && common === keyBytes && common === this.#keyBytes;
    if (!isVersion) this.#hashIndex.add(hash, this.#restarts.length - 1);
    this.#sinceRestart = (this.#sinceRestart + 1) % this.#restartInterval;

    const buffer = this.#buffer;
    let at = writeVarint(buffer, this.#end, shared);
    at = writeVarint(buffer, at, keyBytes - shared);
    at = writeVarint(buffer, at, valueBytes);
    writeU32(buffer, at, trailerLow);
    writeU32(buffer, at + 4, trailerHigh);
    at += 8;
    for (let i = keyStart + shared; i < keyEnd; i++) buffer[at++] = key[i]!;
    buffer.set(value.subarray(valueStart, valueEnd), at);
    this.#end = at + valueBytes;
    this.#setLastKey(key, keyStart, keyBytes, shared);
  }

  /** The block's contents, good until the next `add`; the writer then begins another block. */
  finish(): Buffer {
    const restarts = this.#restarts;
    this.#reserve(this.bytes - this.#end);
    let at = this.#end;
    for (let i = 0; i < restarts.length; i++, at += 4) writeU32(this.#buffer, at, restarts[i]!);
    const buckets = this.#hashIndex.write(this.#buffer, at, restarts.length);
    at += buckets;
    writeU32(this.#buffer, at, buckets);
    writeU32(this.#buffer, at + 4, restarts.length);
    this.#end = 0;
    this.#sinceRestart = 0;
    restarts.length = 0;
    return this.#buffer.subarray(0, at + FOOTER_BYTES);
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#end + bytes, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = grown;
  }

  #sharedWith(key: Uint8Array, keyStart: number, keyBytes: number): number {
    const last = this.#key;
    const most = Math.min(keyBytes, this.#keyBytes);
    let shared = 0;
    while (shared < most && last[shared] === key[keyStart + shared]) shared++;
    return shared;
  }

  #setLastKey(key: Uint8Array, keyStart: number, keyBytes: number, shared: number): void {
    if (keyBytes > this.#key.length) {
      const grown = Buffer.allocUnsafeSlow(keyBytes * 2);
      grown.set(this.#key.subarray(0, shared));
      this.#key = grown;
    }
    const last = this.#key;
    for (let i = shared; i < keyBytes; i++) last[i] = key[keyStart + i]!;
    this.#keyBytes = keyBytes;
  }
}

export function restartCount(block: Uint8Array): number {
  return readU32(block, block.length - 4);
}

export function bucketCount(block: Uint8Array): number {
  return readU32(block, block.length - FOOTER_BYTES);
}

/** Where the entries end and the restart offsets begin. */
export function entriesEnd(block: Uint8Array): number {
  return block.length - FOOTER_BYTES - bucketCount(block) - restartCount(block) * 4;
}

export function restartAt(block: Uint8Array, entriesEndAt: number, restart: number): number {
  return readU32(block, entriesEndAt + restart * 4);
}

export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest >= 0x80) {
    bytes[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[next++] = rest;
  return next;
}
