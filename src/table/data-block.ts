/**
 * The contents of a data block: what all its user keys begin with, the entries in internal-key order with the
 * rest of their keys, then for each entry where it begins and a byte of its key's hash.
 *
 *   prefix | entry … | offset … | tag u8 … | prefixBytes u32 | entries u32
 *
 *   entry = keyBytes varint | valueBytes varint | trailerLow u32 | trailerHigh u32 | key, without prefix | value
 *
 * An offset is a u16, or a u32 in a block of 64 KiB or more. Every entry stands by itself, so that a point read
 * goes from the tags, which are side by side, to the one entry that has its key, and a binary search compares
 * no keys but those on its way. The trailer (`src/key.ts`) has a fixed width, so that a search passes over it
 * without decoding.
 *
 * Source of the idea: Bayer and Unterauer, "Prefix B-trees", 1977; tags are the fingerprints of Oukid et al.,
 * "FPTree", 2016. LevelDB's blocks share prefixes from one entry to the next instead, which saves a little more
 * and makes a reader walk.
 */
import { readU32, writeU32 } from "../bytes/little-endian.ts";
import { EntryDecoder } from "./entry-decoder.ts";

const INITIAL_BYTES = 8 * 1024;
const INITIAL_ENTRIES = 64;
/** Two varints of up to 5 bytes, and the trailer. */
export const ENTRY_HEADER_BYTES_MAX = 2 * 5 + 8;
/** The lengths of the prefix and of the arrays. */
export const FOOTER_BYTES = 4 + 4;
/** A shorter prefix is not worth the work. */
const PREFIX_BYTES_MIN = 4;
/** A longer block has offsets of four bytes. */
const SHORT_BLOCK_BYTES_MAX = 0xffff;
/** Up to this a loop beats `set` with its view of the source. */
const LOOP_BYTES_MAX = 128;

/** Builds one block after the other. */
export class DataBlockWriter {
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #end = 0;
  #offsets = new Uint32Array(INITIAL_ENTRIES);
  #tags = new Uint8Array(INITIAL_ENTRIES);
  #entries = 0;
  /** What all keys so far begin with: so much of the first one, which begins at `#firstKeyAt`. */
  #prefixBytes = 0;
  #firstKeyAt = 0;
  #lastKeyAt = 0;
  #lastKeyBytes = 0;
  readonly #entry = new EntryDecoder();

  get isEmpty(): boolean {
    return this.#entries === 0;
  }

  /** About the bytes of the block if it ended here. */
  get bytes(): number {
    const prefixBytes = this.#keptPrefix();
    const entriesBytes = this.#end - prefixBytes * Math.max(0, this.#entries - 1);
    return entriesBytes + arraysBytes(entriesBytes, this.#entries);
  }

  /** The user key added last; the view is good until the next `add` or `finish`. */
  get lastKey(): Uint8Array {
    return this.#buffer.subarray(this.#lastKeyAt, this.#lastKeyAt + this.#lastKeyBytes);
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
    this.#reserve(this.#end + keyBytes + valueBytes + ENTRY_HEADER_BYTES_MAX);
    const buffer = this.#buffer;
    const entry = this.#entries++;
    if (entry === this.#offsets.length) this.#growArrays();
    this.#offsets[entry] = this.#end;
    this.#tags[entry] = tagOf(hash);

    const at = writeHeader(buffer, this.#end, keyBytes, valueBytes, trailerLow, trailerHigh);
    for (let i = 0; i < keyBytes; i++) buffer[at + i] = key[keyStart + i]!;
    if (valueBytes > LOOP_BYTES_MAX) {
      buffer.set(value.subarray(valueStart, valueEnd), at + keyBytes);
    } else {
      const shift = at + keyBytes - valueStart;
      for (let i = valueStart; i < valueEnd; i++) buffer[i + shift] = value[i]!;
    }
    this.#lastKeyAt = at;
    this.#lastKeyBytes = keyBytes;
    this.#end = at + keyBytes + valueBytes;
    if (entry === 0) {
      this.#firstKeyAt = at;
      this.#prefixBytes = keyBytes;
    } else this.#prefixBytes = this.#sharedWithFirst(at, keyBytes);
  }

  /** The block's contents, good until the next `add`; the writer then begins another block. */
  finish(): Buffer {
    const entries = this.#entries;
    const prefixBytes = this.#keptPrefix();
    if (prefixBytes > 0) this.#takeOutPrefix(prefixBytes);
    let at = this.#end;
    const end = at + arraysBytes(at, entries);
    this.#reserve(end);
    const buffer = this.#buffer;
    const isShort = end <= SHORT_BLOCK_BYTES_MAX;
    for (let i = 0; i < entries; i++) {
      const offset = this.#offsets[i]!;
      buffer[at++] = offset;
      buffer[at++] = offset >>> 8;
      if (isShort) continue;
      buffer[at++] = offset >>> 16;
      buffer[at++] = offset >>> 24;
    }
    for (let i = 0; i < entries; i++) buffer[at++] = this.#tags[i]!;
    writeU32(buffer, at, prefixBytes);
    writeU32(buffer, at + 4, entries);
    this.#end = 0;
    this.#entries = 0;
    return buffer.subarray(0, end);
  }

  #keptPrefix(): number {
    const isWorth = this.#entries > 1 && this.#prefixBytes >= PREFIX_BYTES_MIN;
    return isWorth ? this.#prefixBytes : 0;
  }

  #sharedWithFirst(keyAt: number, keyBytes: number): number {
    const buffer = this.#buffer;
    const shift = keyAt - this.#firstKeyAt;
    const end = this.#firstKeyAt + Math.min(this.#prefixBytes, keyBytes);
    let at = this.#firstKeyAt;
    while (at < end && buffer[at] === buffer[at + shift]) at++;
    return at - this.#firstKeyAt;
  }

  /**
   * Moves the prefix to the front and the entries up to it without theirs. What an entry gives up is at least
   * what those before it have left free, so nothing is overwritten that was not moved.
   */
  #takeOutPrefix(prefixBytes: number): void {
    const buffer = this.#buffer;
    const entry = this.#entry;
    let to = prefixBytes;
    for (let i = 0; i < this.#entries; i++) {
      entry.decode(buffer, this.#offsets[i]!);
      const { keyAt, valueAt, end, trailerLow, trailerHigh } = entry;
      if (i === 0) buffer.copyWithin(0, keyAt, keyAt + prefixBytes);
      const keyBytes = valueAt - keyAt - prefixBytes;
      this.#offsets[i] = to;
      const restAt = to + headerBytes(keyBytes, end - valueAt);
      buffer.copyWithin(restAt, keyAt + prefixBytes, end);
      writeHeader(buffer, to, keyBytes, end - valueAt, trailerLow, trailerHigh);
      to = restAt + end - keyAt - prefixBytes;
    }
    this.#end = to;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = grown;
  }

  #growArrays(): void {
    const offsets = new Uint32Array(this.#offsets.length * 2);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    const tags = new Uint8Array(this.#tags.length * 2);
    tags.set(this.#tags);
    this.#tags = tags;
  }
}

/** Bytes of what follows so many entries, of so many bytes with the prefix. */
function arraysBytes(entriesBytes: number, entries: number): number {
  const short = entries * (2 + 1) + FOOTER_BYTES;
  return entriesBytes + short <= SHORT_BLOCK_BYTES_MAX ? short : short + entries * 2;
}

export function entryCount(block: Uint8Array): number {
  return readU32(block, block.length - 4);
}

/** The prefix itself is at the block's beginning. */
export function prefixBytesOf(block: Uint8Array): number {
  return readU32(block, block.length - FOOTER_BYTES);
}

/** Where the first tag is; `entries` is the block's `entryCount`. */
export function tagsAt(block: Uint8Array, entries: number): number {
  return block.length - FOOTER_BYTES - entries;
}

/** Where an entry begins. */
export function entryAt(block: Uint8Array, entries: number, entry: number): number {
  const offsetsEnd = tagsAt(block, entries);
  if (block.length > SHORT_BLOCK_BYTES_MAX)
    return readU32(block, offsetsEnd - (entries - entry) * 4);
  const at = offsetsEnd - (entries - entry) * 2;
  return block[at]! | (block[at + 1]! << 8);
}

/** Of a key's hash, the first half: bits that the filter uses least. */
export function tagOf(hash: number): number {
  return hash & 0xff;
}

function writeHeader(
  bytes: Uint8Array,
  start: number,
  keyBytes: number,
  valueBytes: number,
  trailerLow: number,
  trailerHigh: number,
): number {
  let at = start;
  at = writeVarint(bytes, at, keyBytes);
  at = writeVarint(bytes, at, valueBytes);
  writeU32(bytes, at, trailerLow);
  writeU32(bytes, at + 4, trailerHigh);
  return at + 8;
}

function headerBytes(keyBytes: number, valueBytes: number): number {
  return varintBytes(keyBytes) + varintBytes(valueBytes) + 8;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest >= 0x80) {
    bytes[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[next++] = rest;
  return next;
}
