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
import { compareRanges } from "../bytes/compare.ts";
import { copyBetween, type Slab, slabOf } from "../bytes/copy.ts";
import { writeU32, writeU48 } from "../bytes/little-endian.ts";

const INITIAL_BYTES = 8 * 1024;
const INITIAL_ENTRIES = 64;
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
/** A smaller array gives too few entries for it to be worth a view that is kept. */
const SOURCE_BYTES_MIN = 64 * 1024;

/** Builds one block after the other: entries are gathered as they come, and laid out when all that they share is known. */
export class DataBlockWriter {
  /** Keys and values, one after the other, of those that do not stay where they are. */
  #gathered: Slab = slabOf(Buffer.allocUnsafeSlow(INITIAL_BYTES));
  #end = 0;
  /** Where the block's entries are: `#gathered`, or the array that they were added from in place. */
  #from = this.#gathered;
  /** Where an entry's key and its value, behind it, begin in `#from`, and where that ends. */
  #keysAt = new Uint32Array(INITIAL_ENTRIES);
  #valuesAt = new Uint32Array(INITIAL_ENTRIES);
  #endsAt = new Uint32Array(INITIAL_ENTRIES);
  #lows = new Uint32Array(INITIAL_ENTRIES);
  #highs = new Uint32Array(INITIAL_ENTRIES);
  #times = new Float64Array(INITIAL_ENTRIES);
  #tags = new Uint8Array(INITIAL_ENTRIES);
  /** Where an entry begins in its block. */
  #offsets = new Uint32Array(INITIAL_ENTRIES);
  #highMin = 0;
  #highMax = 0;
  #timeMin = 0;
  #timeMax = 0;
  /** The widths of the columns. */
  #highBytes = 0;
  #timeBytes = 0;
  #entries = 0;
  /** Of all entries as they would be with their whole keys. */
  #entriesBytes = 0;
  /** What all keys so far begin with: so much of the first one. */
  #prefixBytes = 0;
  #lastKeyAt = 0;
  #lastKeyBytes = 0;
  /** The large array that entries came from last. */
  #source = this.#gathered;

  get isEmpty(): boolean {
    return this.#entries === 0;
  }

  /** About the bytes of the block if it ended here. */
  get bytes(): number {
    const prefixBytes = this.#keptPrefix();
    const entriesBytes = this.#entriesBytes - prefixBytes * Math.max(0, this.#entries - 1);
    return entriesBytes + this.#columnsBytes(entriesBytes);
  }

  /** What `finish` writes at most. */
  get bytesMax(): number {
    const column = 4 + this.#highBytes + this.#timeBytes + 1;
    return this.#entriesBytes + this.#entries * column + FOOTER_BYTES;
  }

  /** The user key added last; the view is good until the next `add`. */
  get lastKey(): Uint8Array {
    return this.#from.bytes.subarray(this.#lastKeyAt, this.#lastKeyAt + this.#lastKeyBytes);
  }

  /** Negative, zero or positive as a key sorts before, with or after the one added last, of this block or the one before. */
  compareToLast(key: Uint8Array, keyStart: number, keyEnd: number): number {
    const end = this.#lastKeyAt + this.#lastKeyBytes;
    return compareRanges(key, keyStart, keyEnd, this.#from.bytes, this.#lastKeyAt, end);
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
    const keyAt = this.#end;
    const valueAt = keyAt + keyEnd - keyStart;
    const end = valueAt + valueEnd - valueStart;
    this.#reserve(end);
    this.#from = this.#gathered;
    this.#gather(key, keyStart, keyEnd, keyAt);
    this.#gather(value, valueStart, valueEnd, valueAt);
    this.#end = end;
    this.#note(hash, keyAt, valueAt, end, trailerLow, trailerHigh, timeMs);
  }

  /**
   * `add`, of an entry whose value stands behind its key, with no copy: `bytes`, which is the same array for all of a
   * block, is read when the block is finished, and for its last key until the next entry is added.
   */
  addInPlace(
    hash: number,
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueEnd: number,
    trailerLow: number,
    trailerHigh: number,
    timeMs: number,
  ): void {
    if (this.#source.bytes !== bytes) this.#source = slabOf(bytes);
    this.#from = this.#source;
    this.#note(hash, keyStart, keyEnd, valueEnd, trailerLow, trailerHigh, timeMs);
  }

  #note(
    hash: number,
    keyAt: number,
    valueAt: number,
    end: number,
    trailerLow: number,
    trailerHigh: number,
    timeMs: number,
  ): void {
    const entry = this.#entries++;
    if (entry === this.#offsets.length) this.#growArrays();
    this.#keysAt[entry] = keyAt;
    this.#valuesAt[entry] = valueAt;
    this.#endsAt[entry] = end;
    this.#lows[entry] = trailerLow;
    this.#highs[entry] = trailerHigh;
    this.#times[entry] = timeMs;
    this.#tags[entry] = tagOf(hash);
    this.#widen(entry, trailerHigh, timeMs);
    const keyBytes = valueAt - keyAt;
    this.#lastKeyAt = keyAt;
    this.#lastKeyBytes = keyBytes;
    this.#entriesBytes += headerBytes(keyBytes, end - valueAt) + end - keyAt;
    this.#prefixBytes = entry === 0 ? keyBytes : this.#sharedWithFirst(keyAt, keyBytes);
  }

  /**
   * Writes the block's contents to `target` from `at`, where there is room for `bytesMax`, and returns where they end.
   * The writer then begins another block.
   */
  finish(target: Slab, at: number): number {
    const prefixBytes = this.#keptPrefix();
    const columnsAt = this.#writeEntries(target, at, prefixBytes);
    const contentsBytes = columnsAt - at + this.#columnsBytes(columnsAt - at);
    const { bytes } = target;
    let end = columnsAt;
    end = this.#writeColumn(bytes, end, this.#times, this.#timeMin, this.#timeBytes);
    end = this.#writeColumn(bytes, end, this.#highs, this.#highMin, this.#highBytes);
    const offsetBytes = contentsBytes > SHORT_BLOCK_BYTES_MAX ? 4 : 2;
    end = this.#writeColumn(bytes, end, this.#offsets, 0, offsetBytes);
    for (let i = 0; i < this.#entries; i++) bytes[end++] = this.#tags[i]!;
    writeU48(bytes, end, this.#timeMin);
    writeU32(bytes, end + 6, this.#highMin);
    bytes[end + WIDTHS_AT] = this.#highBytes | (this.#timeBytes << TIME_WIDTH_SHIFT);
    writeU32(bytes, end + WIDTHS_AT + 1, prefixBytes);
    writeU32(bytes, end + WIDTHS_AT + 5, this.#entries);
    this.#end = 0;
    this.#entries = 0;
    this.#entriesBytes = 0;
    return at + contentsBytes;
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

  /** The prefix, and the entries without it; returns where they end. */
  #writeEntries(target: Slab, start: number, prefixBytes: number): number {
    const from = this.#from;
    const { bytes } = target;
    const keysAt = this.#keysAt;
    copyBetween(from, keysAt[0]!, keysAt[0]! + prefixBytes, target, start);
    let at = start + prefixBytes;
    for (let i = 0; i < this.#entries; i++) {
      this.#offsets[i] = at - start;
      const keyAt = keysAt[i]! + prefixBytes;
      const valueAt = this.#valuesAt[i]!;
      const end = this.#endsAt[i]!;
      at = writeHeader(bytes, at, valueAt - keyAt, end - valueAt, this.#lows[i]!);
      copyBetween(from, keyAt, end, target, at);
      at += end - keyAt;
    }
    return at;
  }

  /** What each number is above `least`, in `width` bytes; returns where the column ends. */
  #writeColumn(
    bytes: Uint8Array,
    start: number,
    numbers: Uint32Array | Float64Array,
    least: number,
    width: number,
  ): number {
    let at = start;
    if (width === 0) return at;
    for (let i = 0; i < this.#entries; i++) {
      let rest = numbers[i]! - least;
      for (let byte = 0; byte < width; byte++) {
        bytes[at++] = rest;
        rest = rest > 0xffffffff ? Math.floor(rest / 256) : rest >>> 8;
      }
    }
    return at;
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
    const { bytes } = this.#from;
    const firstKeyAt = this.#keysAt[0]!;
    const end = Math.min(this.#prefixBytes, keyBytes);
    let at = 0;
    while (at < end && bytes[firstKeyAt + at] === bytes[keyAt + at]) at++;
    return at;
  }

  #gather(source: Uint8Array, start: number, end: number, at: number): void {
    if (source.length >= SOURCE_BYTES_MIN) {
      if (this.#source.bytes !== source) this.#source = slabOf(source);
      copyBetween(this.#source, start, end, this.#gathered, at);
    } else if (end - start > LOOP_BYTES_MAX) {
      this.#gathered.bytes.set(source.subarray(start, end), at);
    } else {
      const { bytes } = this.#gathered;
      const shift = at - start;
      for (let i = start; i < end; i++) bytes[i + shift] = source[i]!;
    }
  }

  #reserve(bytes: number): void {
    const { length } = this.#gathered.bytes;
    if (bytes <= length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, length * 2));
    grown.set(this.#gathered.bytes.subarray(0, this.#end));
    this.#gathered = slabOf(grown);
  }

  #growArrays(): void {
    const entries = this.#offsets.length * 2;
    this.#keysAt = grown(this.#keysAt, new Uint32Array(entries));
    this.#valuesAt = grown(this.#valuesAt, new Uint32Array(entries));
    this.#endsAt = grown(this.#endsAt, new Uint32Array(entries));
    this.#lows = grown(this.#lows, new Uint32Array(entries));
    this.#highs = grown(this.#highs, new Uint32Array(entries));
    this.#times = grown(this.#times, new Float64Array(entries));
    this.#tags = grown(this.#tags, new Uint8Array(entries));
    this.#offsets = new Uint32Array(entries);
  }
}

function grown<Numbers extends Uint8Array | Uint32Array | Float64Array>(
  numbers: Numbers,
  larger: Numbers,
): Numbers {
  larger.set(numbers);
  return larger;
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
