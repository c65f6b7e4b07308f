/**
 * `Database`: the embedded engine. This file is the map of it: what each call does, in the order it is
 * done, with the work itself in the files beside.
 */

import { VarveError } from "../errors.ts";
import { DiskFileSystem } from "../fs/disk-file-system.ts";
import type { FileSystem } from "../fs/file-system.ts";
import type { Settings } from "../options.ts";
import {
  type BatchOptions,
  type Commit,
  type CountOptions,
  type Data,
  type DeleteOptions,
  type EntryRecord,
  type Expiry,
  type HistoryOptions,
  type Incremented,
  type IngestOptions,
  type KeyRange,
  type KeyVersion,
  type MergeOperator,
  NOT_CACHED,
  type Operand,
  type Operation,
  type Page,
  type PageOptions,
  type Pairs,
  type PutOptions,
  type ReadOptions,
  runTransaction,
  type ScanOptions,
  type Store,
  type Transaction,
  type TransactionOptions,
  type WatchOptions,
  type WriteOptions,
} from "../store.ts";
import type { Engine } from "./engine.ts";
import type { EngineWatch } from "./engine-watch.ts";
import { checkAt, checkHistoryLimit } from "./history.ts";
import { openEngine } from "./open-engine.ts";
import type { OpenOptions } from "./open-options.ts";
import { type RepairReport, repairDirectory } from "./repair.ts";
import type { EngineScan } from "./scan.ts";
import { EngineSnapshot } from "./snapshot.ts";
import { type DatabaseStats, statsOf } from "./stats.ts";
import { checkKey, checkPage, checkRange, checkScan } from "./validate.ts";
import {
  type TablesReport,
  type VerifyProgress,
  type VerifyReport,
  verifyDirectory,
  verifyTables,
} from "./verify.ts";
import { Writes } from "./writes.ts";

const VERIFY_RETRY_MS = 1000;

export class Database implements Store {
  readonly #engine: Engine;
  readonly #writes: Writes;
  #closing: Promise<void> | undefined;
  #verifying: VerifyProgress | undefined;

  private constructor(engine: Engine) {
    this.#engine = engine;
    this.#writes = new Writes(engine);
  }

  /**
   * Opens the database in `directory`, or makes one where there is none. One process at a time owns it.
   *
   * Throws `LOCKED` where another owns it, `NOT_A_DATABASE` for a directory with other files in it,
   * `UNSUPPORTED_FORMAT` for files of a newer version, `CORRUPTION` for damage, with file and offset, and
   * `INVALID_ARGUMENT` for an unknown or wrong option.
   */
  static async open(directory: string, options: OpenOptions = {}): Promise<Database> {
    return new Database(await openEngine(directory, options));
  }

  /** What keys, values and batches may have at most. */
  get limits(): Pick<
    Settings,
    "keyBytesMax" | "valueBytesMax" | "batchBytesMax" | "batchOperationsMax"
  > {
    const { keyBytesMax, valueBytesMax, batchBytesMax, batchOperationsMax } = this.#engine.settings;
    return { keyBytesMax, valueBytesMax, batchBytesMax, batchOperationsMax };
  }

  /** Resolves when the write is as durable as asked for, and visible to every later read. */
  put(key: Data, value: Data, options?: PutOptions): Promise<Commit> {
    try {
      return this.#writable().put(key, value, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  delete(key: Data, options?: DeleteOptions): Promise<Commit> {
    try {
      return this.#writable().delete(key, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async deleteRange(range: KeyRange, options?: WriteOptions): Promise<Commit> {
    return this.#writable().deleteRange(range, options);
  }

  async batch(operations: readonly Operation[], options?: BatchOptions): Promise<Commit> {
    return this.#writable().batch(operations, options);
  }

  async merge(
    key: Data,
    operator: MergeOperator,
    operand: Operand,
    options?: WriteOptions,
  ): Promise<Commit> {
    return this.#writable().merge(key, operator, operand, options);
  }

  async increment(
    key: Data,
    delta: number | bigint = 1,
    options?: WriteOptions,
  ): Promise<Incremented> {
    return this.#writable().increment(key, delta, options);
  }

  async ingest(pairs: Pairs, options?: IngestOptions): Promise<Commit> {
    this.#writable();
    return this.#engine.ingests.run(pairs, options);
  }

  async expire(key: Data, expiry: Expiry, options?: WriteOptions): Promise<Commit | undefined> {
    return this.#writable().expire(key, expiry, options);
  }

  async persist(key: Data, options?: WriteOptions): Promise<Commit | undefined> {
    return this.#writable().persist(key, options);
  }

  get(key: Data, options?: ReadOptions): Promise<Uint8Array | undefined> {
    try {
      const { reads } = this.#open();
      return reads.get(checkKey(key, this.#engine.settings), this.#sequenceOf(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** `get` without a promise. What is not in memory is read with a blocking file call. */
  getSync(key: Data): Uint8Array | undefined {
    const { reads, commits } = this.#open();
    return reads.getSync(checkKey(key, this.#engine.settings), commits.visibleSequence);
  }

  /** `get` without a promise, from memory alone: `NOT_CACHED` where the disk would have to be asked. */
  getCached(key: Data): Uint8Array | undefined | typeof NOT_CACHED {
    const { reads, commits } = this.#open();
    const bytes = checkKey(key, this.#engine.settings);
    return reads.getCached(bytes, commits.visibleSequence, NOT_CACHED);
  }

  async getEntry(key: Data, options?: ReadOptions): Promise<EntryRecord | undefined> {
    const { reads, settings } = this.#open();
    return reads.getEntry(checkKey(key, settings), this.#sequenceOf(options));
  }

  async getMany(keys: readonly Data[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    return this.#getMany(keys, this.#sequenceOf(options));
  }

  scan(options?: ScanOptions): EngineScan {
    return this.#scan(options, this.#sequenceOf(options));
  }

  async page(options?: PageOptions): Promise<Page> {
    return this.#page(options, this.#sequenceOf(options));
  }

  async count(options?: CountOptions): Promise<number> {
    return this.#count(options, this.#sequenceOf(options));
  }

  async history(key: Data, options?: HistoryOptions): Promise<KeyVersion[]> {
    const { reads, commits, settings } = this.#open();
    const limit = checkHistoryLimit(options?.limit);
    return reads.history(checkKey(key, settings), commits.visibleSequence, limit);
  }

  watch(options?: WatchOptions): EngineWatch {
    return this.#open().feed.watch(options);
  }

  /** The database as it is now, to be read for as long as the snapshot is open. */
  async snapshot(): Promise<EngineSnapshot> {
    const { snapshots, commits, maintenance } = this.#open();
    const sequence = commits.visibleSequence;
    snapshots.add(sequence);
    return new EngineSnapshot(
      sequence,
      {
        get: async (key) => this.#open().reads.get(checkKey(key, this.#engine.settings), sequence),
        getEntry: async (key) =>
          this.#open().reads.getEntry(checkKey(key, this.#engine.settings), sequence),
        getMany: (keys) => this.#getMany(keys, sequence),
        scan: (scanOptions) => this.#scan(scanOptions, sequence),
        page: (pageOptions) => this.#page(pageOptions, sequence),
        count: (countOptions) => this.#count(countOptions, sequence),
      },
      () => {
        snapshots.remove(sequence);
        // What only the snapshot saw may be worth a compaction.
        maintenance.wake();
      },
    );
  }

  async transaction<Result>(
    body: (transaction: Transaction) => Promise<Result> | Result,
    options?: TransactionOptions,
  ): Promise<Result> {
    this.#open();
    return runTransaction(this, body, options);
  }

  /** Writes all memtables to tables; resolves when they are on the disk. */
  async flush(): Promise<void> {
    this.#writable();
    const { commits, maintenance } = this.#engine;
    await commits.rotate();
    await maintenance.flushed();
  }

  /** Flushes, then compacts the keys from `gte` to `lte` (all, without bounds) down to the last level. */
  async compact(range: { readonly gte?: Data; readonly lte?: Data } = {}): Promise<void> {
    const checked = checkRange(range, this.#engine.settings);
    await this.flush();
    await this.#engine.maintenance.compact(checked);
  }

  /** Reads every table and tells all that is wrong in them, while reads and writes go on. One at a time. */
  async verify(onProgress?: (progress: VerifyProgress) => void): Promise<TablesReport> {
    const { fs, directory, tree } = this.#open();
    if (this.#verifying !== undefined) {
      throw new VarveError("OVERLOADED", "the database is being verified already", {
        retryAfterMs: VERIFY_RETRY_MS,
      });
    }
    this.#verifying = { doneBytes: 0, totalBytes: 0 };
    const view = tree.views.pin();
    try {
      return await verifyTables(fs, directory, view.version, (progress) => {
        this.#verifying = progress;
        onProgress?.(progress);
      });
    } finally {
      this.#verifying = undefined;
      tree.views.unpin(view);
    }
  }

  /** Verifies the database in a directory that nobody has open: manifest, tables and log. */
  static verify(
    directory: string,
    onProgress?: (progress: VerifyProgress) => void,
    fs: FileSystem = new DiskFileSystem(),
  ): Promise<VerifyReport> {
    return verifyDirectory(fs, directory, onProgress);
  }

  /**
   * Makes a damaged database, which nobody has open, one that opens: keeps all that is sound, moves the rest
   * to `lost/`, and tells what was lost.
   */
  static repair(directory: string, fs: FileSystem = new DiskFileSystem()): Promise<RepairReport> {
    return repairDirectory(fs, directory);
  }

  stats(): DatabaseStats {
    return statsOf(this.#open(), this.#verifying);
  }

  /** Waits for the writes in flight, syncs and gives the directory back. Closing twice is fine. */
  close(): Promise<void> {
    this.#closing ??= this.#engine.close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #getMany(keys: readonly Data[], sequence: number): Promise<(Uint8Array | undefined)[]> {
    if (!Array.isArray(keys)) {
      throw new VarveError("INVALID_ARGUMENT", "getMany takes an array of keys");
    }
    const checked = keys.map((key: Data) => checkKey(key, this.#engine.settings));
    return this.#open().reads.getMany(checked, sequence);
  }

  #page(options: PageOptions | undefined, sequence: number): Promise<Page> {
    return this.#open().reads.page(checkPage(options, this.#engine.settings), sequence);
  }

  #count(options: CountOptions | undefined, sequence: number): Promise<number> {
    return this.#open().reads.count(checkScan(options, this.#engine.settings), sequence);
  }

  /** The sequence that a read is to see. */
  #sequenceOf(options: ReadOptions | undefined): number {
    const { commits, tree } = this.#open();
    const at = options?.at;
    if (at === undefined) return commits.visibleSequence;
    return checkAt(at, commits.visibleSequence, tree.version.prunedTo);
  }

  #scan(options: ScanOptions | undefined, sequence: number): EngineScan {
    return this.#open().reads.scan(checkScan(options, this.#engine.settings), sequence);
  }

  #open(): Engine {
    if (this.#closing !== undefined) throw new VarveError("CLOSED", "the database is closed");
    return this.#engine;
  }

  /** Throws where the database is closed, or was stopped by an earlier failure of the log. */
  #writable(): Writes {
    const { failure } = this.#open().commits;
    if (failure !== undefined) throw failure;
    return this.#writes;
  }
}
