/**
 * Writes one table, entry by entry in internal-key order, with synchronous calls: for background work. What
 * is written leaves in large chunks, and is on the disk when `finish` returns; the caller then syncs the
 * directory.
 */
import assert from "node:assert";
import { pack } from "msgpackr";
import { type Slab, slabOf } from "../bytes/copy.ts";
import { KeyHash } from "../bytes/key-hash.ts";
import { expiresAtOf } from "../entry-header.ts";
import type { SyncFile } from "../fs/file-system.ts";
import {
  baseKindOf,
  compareTrailers,
  FLAG,
  isTombstone,
  KIND,
  kindOf,
  sequenceOf,
} from "../key.ts";
import type { CodecName } from "../options.ts";
import { type Fragment, RangeTombstones } from "../range-tombstones.ts";
import { keyspaceOf } from "../store.ts";
import { BLOCK_TRAILER_BYTES, encodeBlock, endBlock } from "./block-format.ts";
import { BlockIndexWriter, separatorBetween } from "./block-index.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { CODEC, type Codec, codecNumber } from "./codec.ts";
import { CompressionTrial } from "./compression-trial.ts";
import { DataBlockWriter } from "./data-block.ts";
import { TableFilter } from "./filter.ts";
import { HiddenEntries, REST } from "./hidden-entries.ts";
import { type KeyspaceCodecList, KeyspaceCodecs } from "./keyspace-codecs.ts";
import { recordOfProperties } from "./properties.ts";
import { encodeFooter } from "./table-format.ts";
import type { TableMeta } from "./table-meta.ts";
import { tableRange } from "./table-range.ts";

const HASHES_INITIAL = 8 * 1024;

export interface TableWriterOptions {
  readonly number: number;
  readonly blockBytes: number;
  readonly codec: CodecName;
  /** Of keyspaces with a codec of their own; a block is all of one codec. */
  readonly keyspaceCodecs?: KeyspaceCodecList;
  /** Ids of keyspaces of which it is told apart how many of their entries are hidden. */
  readonly retainingKeyspaces?: readonly number[];
  readonly filterErrorRate: number;
  readonly createdAtMs: number;
}

export class TableWriter {
  readonly #file: SyncFile;
  readonly #out: ChunkWriter;
  readonly #options: TableWriterOptions;
  readonly #keyspaceCodecs: KeyspaceCodecs | undefined;
  readonly #retainingKeyspaces: ReadonlySet<number> | undefined;
  /** Of the block that is being filled. */
  #codec: Codec;
  readonly #block = new DataBlockWriter();
  readonly #index = new BlockIndexWriter();
  readonly #hash = new KeyHash();
  /** Both halves of the hash of each user key. */
  #hashes = new Uint32Array(HASHES_INITIAL);
  #hashed = 0;
  /** The contents of a block before they are compressed. */
  #plain: Slab | undefined;
  readonly #trial = new CompressionTrial();
  /** A block that is stored but not in the index yet, as its separator depends on the next key. */
  #unindexed: { lastKey: Uint8Array; offset: number; storedBytes: number } | undefined;
  readonly #ranges = new RangeTombstones();
  #smallest: Uint8Array | undefined;
  #lastLow = 0;
  #lastHigh = 0;
  #entries = 0;
  #tombstones = 0;
  #rawBytes = 0;
  #oldestMs = Number.POSITIVE_INFINITY;
  /** When the values that expire do. */
  readonly #expiries: number[] = [];
  readonly #hidden = new HiddenEntries();
  #smallestSequence = Number.POSITIVE_INFINITY;
  #largestSequence = 0;

  constructor(file: SyncFile, options: TableWriterOptions) {
    this.#file = file;
    this.#out = new ChunkWriter(file);
    this.#options = options;
    this.#codec = codecNumber(options.codec);
    const { keyspaceCodecs = [], retainingKeyspaces = [] } = options;
    this.#keyspaceCodecs =
      keyspaceCodecs.length === 0 ? undefined : new KeyspaceCodecs(keyspaceCodecs, this.#codec);
    this.#retainingKeyspaces =
      retainingKeyspaces.length === 0 ? undefined : new Set(retainingKeyspaces);
  }

  /** About what the file would have if it ended here. */
  get fileBytes(): number {
    return this.#out.bytes + this.#block.bytes + this.#index.bytes + this.#hashed;
  }

  get entries(): number {
    return this.#entries;
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
    const isOlder = this.#begin(key, keyStart, keyEnd, trailerLow, trailerHigh);
    this.#block.add(
      this.#hash.first,
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
    const bytes = keyEnd - keyStart + valueEnd - valueStart;
    this.#note(isOlder, trailerLow, trailerHigh, timeMs, bytes, value, valueStart);
  }

  /** `add`, of an entry whose value stands behind its key; `bytes` are the same array for all, and stay as they are. */
  addInPlace(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueEnd: number,
    trailerLow: number,
    trailerHigh: number,
    timeMs: number,
  ): void {
    const isOlder = this.#begin(bytes, keyStart, keyEnd, trailerLow, trailerHigh);
    const hash = this.#hash.first;
    this.#block.addInPlace(
      hash,
      bytes,
      keyStart,
      keyEnd,
      valueEnd,
      trailerLow,
      trailerHigh,
      timeMs,
    );
    const rawBytes = valueEnd - keyStart;
    this.#note(isOlder, trailerLow, trailerHigh, timeMs, rawBytes, bytes, keyEnd);
  }

  /** Makes ready for an entry, which must come after those before. Whether it is an older version of the last key. */
  #begin(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    trailerLow: number,
    trailerHigh: number,
  ): boolean {
    const order = this.#entries === 0 ? 1 : this.#block.compareToLast(key, keyStart, keyEnd);
    assert(
      order > 0 ||
        (order === 0 &&
          compareTrailers(trailerLow, trailerHigh, this.#lastLow, this.#lastHigh) > 0),
      "entries are added in internal-key order",
    );
    if (order > 0) this.#beginKey(key, keyStart, keyEnd);
    if (!this.#block.isEmpty && this.#block.bytes >= this.#options.blockBytes) this.#endBlock();
    if (this.#keyspaceCodecs !== undefined) {
      this.#useCodec(this.#keyspaceCodecs.codecOf(key, keyStart));
    }
    if (this.#unindexed !== undefined) this.#indexBefore(key.subarray(keyStart, keyEnd));
    return order === 0;
  }

  #useCodec(codec: Codec): void {
    if (codec === this.#codec) return;
    if (!this.#block.isEmpty) this.#endBlock();
    this.#codec = codec;
  }

  /** Takes into account what was added. */
  #note(
    isOlder: boolean,
    trailerLow: number,
    trailerHigh: number,
    timeMs: number,
    bytes: number,
    value: Uint8Array,
    valueStart: number,
  ): void {
    const kind = kindOf(trailerLow);
    if (isOlder) {
      const newer = sequenceOf(this.#lastLow, this.#lastHigh);
      this.#hidden.add(newer, kindOf(this.#lastLow), kind, value, valueStart);
    }
    this.#lastLow = trailerLow;
    this.#lastHigh = trailerHigh;
    this.#entries++;
    this.#rawBytes += bytes;
    if (kind !== KIND.PUT) this.#count(kind, value, valueStart);
    if (timeMs < this.#oldestMs) this.#oldestMs = timeMs;
    this.#seeSequence(sequenceOf(trailerLow, trailerHigh));
  }

  /** The user key added last; valid until the next one is. */
  get lastKey(): Uint8Array {
    return this.#block.lastKey;
  }

  /** Adds deleted ranges, in key order; before or after any entries. */
  addRange({ start, end, sequences }: Fragment): void {
    for (const sequence of sequences) {
      this.#ranges.add(start, end, sequence);
      this.#seeSequence(sequence);
    }
  }

  /** Completes the file, puts it on the disk and closes it. `oldestMs` is the earliest time of the deleted ranges. */
  finish(oldestMs = Number.POSITIVE_INFINITY): TableMeta {
    const meta = this.#complete(oldestMs);
    this.#file.sync();
    this.#file.close();
    return meta;
  }

  /** Completes the file, which is on the disk, and closed, when the promise resolves. */
  finishLater(): { meta: TableMeta; synced: Promise<void> } {
    const meta = this.#complete(Number.POSITIVE_INFINITY);
    return { meta, synced: this.#file.syncAndClose() };
  }

  #complete(oldestMs: number): TableMeta {
    assert(this.#entries > 0 || !this.#ranges.isEmpty, "a table has at least one entry or range");
    if (!this.#ranges.isEmpty) this.#oldestMs = Math.min(this.#oldestMs, oldestMs);
    if (this.#entries > 0) {
      this.#endBlock();
      this.#indexBefore(undefined);
    }
    const dataBytes = this.#out.bytes;
    const filterBytes = this.#writeBlock(this.#filter().encode(), CODEC.NONE);
    const indexBytes = this.#writeBlock(this.#index.finish(), CODEC.NONE);
    const meta = this.#meta();
    const ranges = this.#ranges.isEmpty ? undefined : this.#ranges.encode();
    const properties = pack(recordOfProperties(meta, dataBytes, this.#options.codec, ranges));
    const propertiesBytes = this.#writeBlock(properties, CODEC.NONE);
    this.#out.write(encodeFooter({ filterBytes, indexBytes, propertiesBytes }));
    this.#out.flush();
    return { ...meta, fileBytes: this.#out.bytes, tailBytes: this.#out.bytes - dataBytes };
  }

  /** Closes the file as it is; the caller removes it. */
  abandon(): void {
    this.#file.close();
  }

  /** What has expired and lost its value is not much more than a tombstone, but for how long it must stay. */
  #count(kind: number, value: Uint8Array, valueStart: number): void {
    if (baseKindOf(kind) === KIND.MERGE) this.#hidden.seeOperand(kind, value, valueStart);
    if (isTombstone(kind)) this.#tombstones++;
    else if (baseKindOf(kind) !== KIND.DELETE && (kind & FLAG.EXPIRES) !== 0) {
      this.#expiries.push(expiresAtOf(kind, value, valueStart));
    }
  }

  #halfExpiredMs(): number {
    const sorted = Float64Array.from(this.#expiries).sort();
    return sorted[(sorted.length - 1) >>> 1] ?? 0;
  }

  #beginKey(key: Uint8Array, keyStart: number, keyEnd: number): void {
    this.#smallest ??= new Uint8Array(key.subarray(keyStart, keyEnd));
    if (this.#retainingKeyspaces !== undefined) {
      const keyspace = key[keyStart] === 0 ? (keyspaceOf(key, keyStart) ?? REST) : REST;
      this.#hidden.enter(this.#retainingKeyspaces.has(keyspace) ? keyspace : REST);
    }
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
    const offset = this.#out.bytes;
    const isTried = this.#codec !== CODEC.NONE && this.#trial.isDue();
    if (isTried) this.#writeCompressed();
    else this.#writeAsItIs();
    this.#unindexed = { lastKey, offset, storedBytes: this.#out.bytes - offset };
  }

  /** Lays the block out in the place from which it is written. */
  #writeAsItIs(): void {
    const chunk = this.#out.reserve(this.#block.bytesMax + BLOCK_TRAILER_BYTES);
    const { start, bytes: offset } = this.#out;
    const end = this.#block.finish(chunk, start);
    this.#out.add(endBlock(chunk.bytes, start, end, CODEC.NONE, offset) - start);
    this.#assertSize();
  }

  #writeCompressed(): void {
    const { bytesMax } = this.#block;
    if (this.#plain === undefined || this.#plain.bytes.length < bytesMax) {
      this.#plain = slabOf(Buffer.allocUnsafeSlow(bytesMax + bytesMax / 4));
    }
    const end = this.#block.finish(this.#plain, 0);
    const plain = this.#plain.bytes.subarray(0, end) as Buffer;
    const storedBytes = this.#writeBlock(plain, this.#codec);
    this.#trial.told(storedBytes - BLOCK_TRAILER_BYTES < end);
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

  #seeSequence(sequence: number): void {
    if (sequence < this.#smallestSequence) this.#smallestSequence = sequence;
    if (sequence > this.#largestSequence) this.#largestSequence = sequence;
  }

  #meta(): TableMeta {
    const last = new Uint8Array(this.lastKey);
    const hiddenParts = this.#hidden.parts(this.#entries);
    return {
      number: this.#options.number,
      fileBytes: 0,
      tailBytes: 0,
      entries: this.#entries,
      tombstones: this.#tombstones,
      rangeDeletes: this.#ranges.fragments.length,
      ...tableRange(this.#smallest, this.#entries === 0 ? undefined : last, this.#ranges),
      smallestSequence: this.#smallestSequence,
      largestSequence: this.#largestSequence,
      rawBytes: this.#rawBytes,
      createdAtMs: this.#options.createdAtMs,
      oldestMs: this.#oldestMs,
      expiring: this.#expiries.length,
      halfExpiredMs: this.#halfExpiredMs(),
      hidden: this.#hidden.count,
      quarterHiddenAt: this.#hidden.quarterAt(this.#entries),
      ...(hiddenParts === undefined ? {} : { hiddenParts }),
    };
  }

  #writeBlock(contents: Buffer, codec: Codec): number {
    const stored = encodeBlock(contents, codec, this.#out.bytes);
    this.#out.write(stored);
    this.#assertSize();
    return stored.length;
  }

  #assertSize(): void {
    assert(this.#out.bytes < 2 ** 32, "a table is smaller than 4 GiB");
  }
}
