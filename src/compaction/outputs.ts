/** The tables that a task writes: begun when there is something to write, cut where that is allowed. */
import { join } from "node:path";
import { compareBytes } from "../bytes/compare.ts";
import { keyAfter } from "../cursor/bounds.ts";
import type { SyncFileSystem } from "../fs/file-system.ts";
import { tableName } from "../fs/names.ts";
import type { Fragment } from "../range-tombstones.ts";
import type { TableMeta } from "../table/table-meta.ts";
import { TableWriter } from "../table/table-writer.ts";
import type { OutputSettings } from "./tasks.ts";

/** A version to be written, but for its user key. */
export interface KeptVersion {
  readonly trailerLow: number;
  readonly trailerHigh: number;
  readonly timeMs: number;
  readonly value: Uint8Array;
  readonly valueStart: number;
  readonly valueEnd: number;
}

export class Outputs {
  readonly #fs: SyncFileSystem;
  readonly #settings: OutputSettings;
  /** Tables are on their way to the disk while others are written; see `synced`. */
  readonly #syncsLater: boolean;
  readonly #syncing: Promise<void>[] = [];
  readonly #tables: TableMeta[] = [];
  readonly #paths: string[] = [];
  #writer: TableWriter | undefined;
  #finishedBytes = 0;
  /** Deleted ranges that are not in a table yet. */
  #ranges: Fragment[] = [];
  #rangesOldestMs = Number.POSITIVE_INFINITY;

  constructor(fs: SyncFileSystem, settings: OutputSettings, syncsLater = false) {
    this.#fs = fs;
    this.#settings = settings;
    this.#syncsLater = syncsLater;
  }

  /** About what was written so far. */
  get bytesWritten(): number {
    return this.#finishedBytes + (this.#writer?.fileBytes ?? 0);
  }

  /** About what the table that is being written has. */
  get tableBytes(): number {
    return this.#writer?.fileBytes ?? 0;
  }

  /** A version of the user key `key[0, keyBytes)`. */
  add(key: Uint8Array, keyBytes: number, version: KeptVersion): void {
    this.#writer ??= this.#begin();
    this.#writer.add(
      key,
      0,
      keyBytes,
      version.trailerLow,
      version.trailerHigh,
      version.timeMs,
      version.value,
      version.valueStart,
      version.valueEnd,
    );
  }

  /** A version whose value stands behind its key, in an array that is the same for all and stays as it is. */
  addInPlace(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueEnd: number,
    trailerLow: number,
    trailerHigh: number,
    timeMs: number,
  ): void {
    this.#writer ??= this.#begin();
    this.#writer.addInPlace(bytes, keyStart, keyEnd, valueEnd, trailerLow, trailerHigh, timeMs);
  }

  /** Deleted ranges, in key order, to be written among the tables; before any entry. `oldestMs` is their earliest time. */
  setRanges(ranges: readonly Fragment[], oldestMs: number): void {
    this.#ranges = [...ranges];
    this.#rangesOldestMs = oldestMs;
  }

  /** Ends the table that is being written. Between two versions of one user key that must not be. */
  cut(): void {
    if (this.#writer === undefined) return;
    // Up to the table's last key and not further, so that no two tables meet.
    if (this.#ranges.length > 0) this.#writeRanges(this.#writer, keyAfter(this.#writer.lastKey));
    this.#end(this.#writer);
  }

  /** Ends the table that is being written, with all that is left of the ranges. */
  end(): void {
    if (this.#ranges.length > 0) {
      this.#writer ??= this.#begin();
      this.#writeRanges(this.#writer, undefined);
    }
    if (this.#writer !== undefined) this.#end(this.#writer);
  }

  #end(writer: TableWriter): void {
    const table = this.#syncsLater
      ? this.#finishLater(writer)
      : writer.finish(this.#rangesOldestMs);
    this.#writer = undefined;
    this.#tables.push(table);
    this.#finishedBytes += table.fileBytes;
  }

  #finishLater(writer: TableWriter): TableMeta {
    const { meta, synced } = writer.finishLater();
    // Whoever waits for it hears of it; until then it is nobody's.
    synced.catch(() => {});
    this.#syncing.push(synced);
    return meta;
  }

  /** Resolves when the tables that were ended are on the disk, but for their names. */
  async synced(): Promise<void> {
    await Promise.all(this.#syncing);
  }

  /** In key order. */
  get tables(): readonly TableMeta[] {
    return this.#tables;
  }

  /** All on the disk, names included. */
  finish(): readonly TableMeta[] {
    this.end();
    if (this.#tables.length > 0) this.#fs.syncDirectory(this.#settings.directory);
    return this.#tables;
  }

  /** Removes everything that was written, as far as that is possible. */
  abandon(): void {
    try {
      this.#writer?.abandon();
      this.#writer = undefined;
      for (const path of this.#paths) this.#fs.remove(path);
    } catch {
      // What is left is named by nothing and removed at the next open; the failure that led here counts.
    }
  }

  /** Writes what the ranges have before `end`, and keeps the rest of them. */
  #writeRanges(writer: TableWriter, end: Uint8Array | undefined): void {
    const rest: Fragment[] = [];
    for (const range of this.#ranges) {
      if (end === undefined || isWithin(range.end, end)) writer.addRange(range);
      else if (compareBytes(range.start, end) >= 0) rest.push(range);
      else {
        writer.addRange({ ...range, end });
        rest.push({ ...range, start: end });
      }
    }
    this.#ranges = rest;
  }

  #begin(): TableWriter {
    const { directory, numbers, ...options } = this.#settings;
    const number = Atomics.add(new Int32Array(numbers), 0, 1) + 1;
    const path = join(directory, tableName(number));
    const file = this.#fs.open(path, "create");
    this.#paths.push(path);
    return new TableWriter(file, { ...options, number });
  }
}

function isWithin(rangeEnd: Uint8Array | undefined, end: Uint8Array): boolean {
  return rangeEnd !== undefined && compareBytes(rangeEnd, end) <= 0;
}
