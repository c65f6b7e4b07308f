/**
 * The contents of a data block: what all its user keys begin with, the entries in internal-key order with the
 * rest of their keys, then columns with a place for each entry, and what tells how to read them.
 *
 *   prefix | entry … | time … | high … | offset … | tag u8 …
 *          | timeBase u48 | highBase u32 | widths u8 | prefixBytes u32 | entries u32
 *
 *   entry = keyBytes varint | valueBytes varint | trailerLow u32 | key, without prefix | value
 *
 * An offset, where an entry begins, is a u16, or a u32 in a block of 64 KiB or more. A trailer's high half
 * (`src/key.ts`) is `highBase` plus a *high* of 0, 1 or 4 bytes; the time at which an entry was committed, in
 * milliseconds of the wall clock, is `timeBase` plus a *time* of 0, 2, 4 or 6 bytes. `widths` is the width of a
 * high, plus 16 times that of a time. A tag is a byte of the user key's hash.
 *
 * Every entry stands by itself, so that a point read goes from the tags, which are side by side, to the one entry
 * that has its key, and a binary search compares no keys but those on its way. What hardly differs in a block
 * takes next to no room; what few ask for is far from the tags, and what a point read needs beside them.
 *
 * Source of the idea: Bayer and Unterauer, "Prefix B-trees", 1977; tags are the fingerprints of Oukid et al.,
 * "FPTree", 2016; the bases are the frames of reference of column stores. LevelDB's blocks share prefixes from one
 * entry to the next instead, which saves a little more and makes a reader walk.
 */
import { writeU32, writeU48 } from "../bytes/little-endian.ts";
import { EntryDecoder } from "./entry-decoder.ts";

const INITIAL_BYTES = 8 * 1024;
const INITIAL_ENTRIES = 64;
/** Two varints of up to 5 bytes, and half the trailer. */
export const ENTRY_HEADER_BYTES_MAX = 2 * 5 + 4;
/** What comes after the columns. */
export const FOOTER_BYTES = 6 + 4 + 1 + 4 + 4;
export const WIDTHS_AT = 6 + 4;
export const TIME_WIDTH_SHIFT = 4;
export const HIGH_WIDTH_MASK = 0xf;
/** A shorter prefix is not worth the work. */
const PREFIX_BYTES_MIN = 4;
/** A longer block has offsets of four bytes. */
export const SHORT_BLOCK_BYTES_MAX = 0xffff;
/** Up to this a loop beats `set` with its view of the source. */
const LOOP_BYTES_MAX = 128;

/** Builds one block after the other. */
export class DataBlockWriter {
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #end = 0;
  #offsets = new Uint32Array(INITIAL_ENTRIES);
  #tags = new Uint8Array(INITIAL_ENTRIES);
  #highs = new Uint32Array(INITIAL_ENTRIES);
  #times = new Float64Array(INITIAL_ENTRIES);
  #highMin = 0;
  #highMax = 0;
  #timeMin = 0;
  #timeMax = 0;
  /** The widths of the columns. */
  #highBytes = 0;
  #timeBytes = 0;
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
    return entriesBytes + this.#columnsBytes(entriesBytes);
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
    timeMs: number,
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
    this.#highs[entry] = trailerHigh;
    this.#times[entry] = timeMs;
    this.#widen(entry, trailerHigh, timeMs);

    const at = writeHeader(buffer, this.#end, keyBytes, valueBytes, trailerLow);
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
    const end = this.#end + this.#columnsBytes(this.#end);
    this.#reserve(end);
    const highBytes = this.#highBytes;
    const timeBytes = this.#timeBytes;
    this.#writeTimes(timeBytes);
    this.#writeHighs(highBytes);
    this.#writeOffsets(end > SHORT_BLOCK_BYTES_MAX ? 4 : 2);
    const buffer = this.#buffer;
    let at = this.#end;
    for (let i = 0; i < entries; i++) buffer[at++] = this.#tags[i]!;
    writeU48(buffer, at, this.#timeMin);
    writeU32(buffer, at + 6, this.#highMin);
    buffer[at + WIDTHS_AT] = highBytes | (timeBytes << TIME_WIDTH_SHIFT);
    writeU32(buffer, at + WIDTHS_AT + 1, prefixBytes);
    writeU32(buffer, at + WIDTHS_AT + 5, entries);
    this.#end = 0;
    this.#entries = 0;
    return buffer.subarray(0, end);
  }

  /** Takes an entry's high and time into account. */
  #widen(entry: number, high: number, timeMs: number): void {
    if (entry === 0) {
      this.#highMin = high;
      this.#highMax = high;
      this.#timeMin = timeMs;
      this.#timeMax = timeMs;
      this.#highBytes = 0;
      this.#timeBytes = 0;
      return;
    }
    if (high < this.#highMin) this.#highMin = high;
    else if (high > this.#highMax) this.#highMax = high;
    else if (timeMs >= this.#timeMin && timeMs <= this.#timeMax) return;
    if (timeMs < this.#timeMin) this.#timeMin = timeMs;
    else if (timeMs > this.#timeMax) this.#timeMax = timeMs;
    this.#highBytes = highWidth(this.#highMax - this.#highMin);
    this.#timeBytes = timeWidth(this.#timeMax - this.#timeMin);
  }

  #writeOffsets(width: number): void {
    for (let i = 0; i < this.#entries; i++) this.#writeNumber(this.#offsets[i]!, width);
  }

  #writeHighs(width: number): void {
    if (width === 0) return;
    for (let i = 0; i < this.#entries; i++) {
      this.#writeNumber(this.#highs[i]! - this.#highMin, width);
    }
  }

  #writeTimes(width: number): void {
    if (width === 0) return;
    for (let i = 0; i < this.#entries; i++) {
      this.#writeNumber(this.#times[i]! - this.#timeMin, width);
    }
  }

  #writeNumber(value: number, width: number): void {
    const buffer = this.#buffer;
    let rest = value;
    for (let i = 0; i < width; i++) {
      buffer[this.#end++] = rest;
      rest = rest > 0xffffffff ? Math.floor(rest / 256) : rest >>> 8;
    }
  }

  /** Bytes of what follows the entries, which have so many bytes with the prefix. */
  #columnsBytes(entriesBytes: number): number {
    const entries = this.#entries;
    const short = entries * (2 + this.#highBytes + this.#timeBytes + 1) + FOOTER_BYTES;
    return entriesBytes + short <= SHORT_BLOCK_BYTES_MAX ? short : short + entries * 2;
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
      const { keyAt, valueAt, end, trailerLow } = entry;
      if (i === 0) buffer.copyWithin(0, keyAt, keyAt + prefixBytes);
      const keyBytes = valueAt - keyAt - prefixBytes;
      this.#offsets[i] = to;
      const restAt = to + headerBytes(keyBytes, end - valueAt);
      buffer.copyWithin(restAt, keyAt + prefixBytes, end);
      writeHeader(buffer, to, keyBytes, end - valueAt, trailerLow);
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
    const entries = this.#offsets.length * 2;
    const [offsets, tags] = [new Uint32Array(entries), new Uint8Array(entries)];
    const [highs, times] = [new Uint32Array(entries), new Float64Array(entries)];
    offsets.set(this.#offsets);
    tags.set(this.#tags);
    highs.set(this.#highs);
    times.set(this.#times);
    this.#offsets = offsets;
    this.#tags = tags;
    this.#highs = highs;
    this.#times = times;
  }
}

/** Bytes for a number up to `span`. */
function highWidth(span: number): number {
  if (span === 0) return 0;
  return span <= 0xff ? 1 : 4;
}

/** Bytes for a number of milliseconds up to `span`: nothing, about a minute, 49 days, or any. */
function timeWidth(span: number): number {
  if (span === 0) return 0;
  if (span <= 0xffff) return 2;
  return span <= 0xffffffff ? 4 : 6;
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
): number {
  let at = start;
  at = writeVarint(bytes, at, keyBytes);
  at = writeVarint(bytes, at, valueBytes);
  writeU32(bytes, at, trailerLow);
  return at + 4;
}

function headerBytes(keyBytes: number, valueBytes: number): number {
  return varintBytes(keyBytes) + varintBytes(valueBytes) + 4;
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
