/**
 * Writes one table, entry by entry in internal-key order, with synchronous calls: for background work. What
 * is written leaves in large chunks, and is on the disk when `finish` returns; the caller then syncs the
 * directory.
 */
import assert from "node:assert";
import { pack } from "msgpackr";
import { compareRanges } from "../bytes/compare.ts";
import { KeyHash } from "../bytes/key-hash.ts";
import type { SyncFile } from "../fs/file-system.ts";
import { baseKindOf, compareTrailers, KIND, kindOf, sequenceOf } from "../key.ts";
import type { CodecName } from "../options.ts";
import { encodeBlock } from "./block-format.ts";
import { BlockIndexWriter, separatorBetween } from "./block-index.ts";
import { CODEC, type Codec, codecNumber } from "./codec.ts";
import { DataBlockWriter } from "./data-block.ts";
import { TableFilter } from "./filter.ts";
import { recordOfProperties } from "./properties.ts";
import { encodeFooter } from "./table-format.ts";
import type { TableMeta } from "./table-meta.ts";

const CHUNK_BYTES = 256 * 1024;
const HASHES_INITIAL = 8 * 1024;

export interface TableWriterOptions {
  readonly number: number;
  readonly blockBytes: number;
  readonly codec: CodecName;
  readonly filterErrorRate: number;
  readonly createdAtMs: number;
}

export class TableWriter {
  readonly #file: SyncFile;
  readonly #options: TableWriterOptions;
  readonly #codec: Codec;
  readonly #block = new DataBlockWriter();
  readonly #index = new BlockIndexWriter();
  readonly #hash = new KeyHash();
  /** Both halves of the hash of each user key. */
  #hashes = new Uint32Array(HASHES_INITIAL);
  #hashed = 0;
  #chunk: Buffer[] = [];
  #chunkBytes = 0;
  /** Bytes handed to the file. */
  #written = 0;
  /** Where the block that is being built will be. */
  #offset = 0;
  /** A block that is stored but not in the index yet, as its separator depends on the next key. */
  #unindexed: { lastKey: Uint8Array; offset: number; storedBytes: number } | undefined;
  #smallest: Uint8Array | undefined;
  #lastKey = Buffer.allocUnsafeSlow(256);
  #lastKeyBytes = 0;
  #lastLow = 0;
  #lastHigh = 0;
  #entries = 0;
  #tombstones = 0;
  #rawBytes = 0;
  #smallestSequence = Number.POSITIVE_INFINITY;
  #largestSequence = 0;

  constructor(file: SyncFile, options: TableWriterOptions) {
    this.#file = file;
    this.#options = options;
    this.#codec = codecNumber(options.codec);
  }

  /** About what the file would have if it ended here. */
  get fileBytes(): number {
    return this.#offset + this.#block.bytes + this.#index.bytes + this.#hashed;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Whether the entry added last is a version of this user key. */
  lastKeyEquals(key: Uint8Array, keyStart: number, keyEnd: number): boolean {
    return (
      this.#entries > 0 &&
      compareRanges(this.#lastKey, 0, this.#lastKeyBytes, key, keyStart, keyEnd) === 0
    );
  }

  add(
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
    const order =
      this.#entries === 0
        ? 1
        : compareRanges(key, keyStart, keyEnd, this.#lastKey, 0, this.#lastKeyBytes);
    assert(
      order > 0 ||
        (order === 0 &&
          compareTrailers(trailerLow, trailerHigh, this.#lastLow, this.#lastHigh) > 0),
      "entries are added in internal-key order",
    );
    if (order > 0) this.#beginKey(key, keyStart, keyEnd);
    if (!this.#block.isEmpty && this.#block.bytes >= this.#options.blockBytes) this.#endBlock();
    if (this.#unindexed !== undefined) this.#indexBefore(key.subarray(keyStart, keyEnd));

    const { first } = this.#hash;
    this.#block.add(
      first,
      key,
      keyStart,
      keyEnd,
      trailerLow,
      trailerHigh,
      timeMs,
      value,
      valueStart,
      valueEnd,
    );
    this.#lastLow = trailerLow;
    this.#lastHigh = trailerHigh;
    this.#entries++;
    this.#rawBytes += keyEnd - keyStart + valueEnd - valueStart;
    if (baseKindOf(kindOf(trailerLow)) === KIND.DELETE) this.#tombstones++;
    const sequence = sequenceOf(trailerLow, trailerHigh);
    if (sequence < this.#smallestSequence) this.#smallestSequence = sequence;
    if (sequence > this.#largestSequence) this.#largestSequence = sequence;
  }

  /** Completes the file, puts it on the disk and closes it. */
  finish(): TableMeta {
    assert(this.#entries > 0, "a table has at least one entry");
    this.#endBlock();
    this.#indexBefore(undefined);
    const dataBytes = this.#offset;
    const filterBytes = this.#writeBlock(this.#filter().encode(), CODEC.NONE);
    const indexBytes = this.#writeBlock(this.#index.finish(), CODEC.NONE);
    const meta = this.#meta();
    const properties = pack(recordOfProperties(meta, dataBytes, this.#options.codec));
    const propertiesBytes = this.#writeBlock(properties, CODEC.NONE);
    this.#write(encodeFooter({ filterBytes, indexBytes, propertiesBytes }));
    this.#writeChunk();
    this.#file.sync();
    this.#file.close();
    return { ...meta, fileBytes: this.#written, tailBytes: this.#written - dataBytes };
  }

  /** Closes the file as it is; the caller removes it. */
  abandon(): void {
    this.#file.close();
  }

  #beginKey(key: Uint8Array, keyStart: number, keyEnd: number): void {
    const length = keyEnd - keyStart;
    if (length > this.#lastKey.length) this.#lastKey = Buffer.allocUnsafeSlow(length * 2);
    for (let i = 0; i < length; i++) this.#lastKey[i] = key[keyStart + i]!;
    this.#lastKeyBytes = length;
    this.#smallest ??= new Uint8Array(key.subarray(keyStart, keyEnd));
    if (this.#hashed + 2 > this.#hashes.length) {
      const grown = new Uint32Array(this.#hashes.length * 2);
      grown.set(this.#hashes);
      this.#hashes = grown;
    }
    this.#hash.update(key, keyStart, keyEnd);
    this.#hashes[this.#hashed++] = this.#hash.first;
    this.#hashes[this.#hashed++] = this.#hash.second;
  }

  #endBlock(): void {
    const lastKey = new Uint8Array(this.#block.lastKey);
    const offset = this.#offset;
    const storedBytes = this.#writeBlock(this.#block.finish(), this.#codec);
    this.#unindexed = { lastKey, offset, storedBytes };
  }

  /** Indexes the block that ended, now that the user key after it is known; none comes after the last. */
  #indexBefore(next: Uint8Array | undefined): void {
    if (this.#unindexed === undefined) return;
    const { lastKey, offset, storedBytes } = this.#unindexed;
    const separator = next === undefined ? lastKey : separatorBetween(lastKey, next);
    this.#index.add(separator, offset, storedBytes);
    this.#unindexed = undefined;
  }

  #filter(): TableFilter {
    const filter = TableFilter.create(this.#hashed / 2, this.#options.filterErrorRate);
    for (let i = 0; i < this.#hashed; i += 2) filter.add(this.#hashes[i]!, this.#hashes[i + 1]!);
    return filter;
  }

  #meta(): TableMeta {
    return {
      number: this.#options.number,
      fileBytes: 0,
      tailBytes: 0,
      entries: this.#entries,
      tombstones: this.#tombstones,
      smallest: this.#smallest ?? new Uint8Array(),
      largest: new Uint8Array(this.#lastKey.subarray(0, this.#lastKeyBytes)),
      smallestSequence: this.#smallestSequence,
      largestSequence: this.#largestSequence,
      rawBytes: this.#rawBytes,
      createdAtMs: this.#options.createdAtMs,
    };
  }

  #writeBlock(contents: Buffer, codec: Codec): number {
    const stored = encodeBlock(contents, codec, this.#offset);
    this.#write(stored);
    return stored.length;
  }

  #write(bytes: Buffer): void {
    this.#chunk.push(bytes);
    this.#chunkBytes += bytes.length;
    this.#offset += bytes.length;
    assert(this.#offset < 2 ** 32, "a table is smaller than 4 GiB");
    if (this.#chunkBytes >= CHUNK_BYTES) this.#writeChunk();
  }

  #writeChunk(): void {
    this.#file.write(Buffer.concat(this.#chunk, this.#chunkBytes), this.#written);
    this.#written += this.#chunkBytes;
    this.#chunk = [];
    this.#chunkBytes = 0;
  }
}
