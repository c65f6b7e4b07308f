/**
 * What a database and each of its keyspaces do with keys: from what callers say to stored keys, checked, and on to reads
 * and writes. All of them share one engine; only their keys differ.
 */
import type { KeyBounds } from "../cursor/bounds.ts";
import { VarveError } from "../errors.ts";
import {
  type BatchOptions,
  type Commit,
  type CountOptions,
  type Data,
  type DeleteOptions,
  type EntryRecord,
  type Expiry,
  type HistoryOptions,
  hasBounds,
  type Incremented,
  type IngestOptions,
  type KeyedStore,
  KeyMapping,
  type KeyRange,
  type Keyspace,
  type KeyVersion,
  keyspaceOf,
  type MergeOperator,
  mappingOf,
  NO_KEYSPACE,
  NOT_CACHED,
  type Operand,
  type Operation,
  type Page,
  type PageOptions,
  type Pairs,
  type PutOptions,
  type ReadOptions,
  registerKeyspace,
  runTransaction,
  type ScanOptions,
  type Transaction,
  type TransactionOptions,
  toStoredConditions,
  toStoredOperations,
  type WatchOptions,
  type WriteOptions,
} from "../store.ts";
import { assertNotAborted, checkSignal } from "./abort.ts";
import type { Engine } from "./engine.ts";
import type { EngineWatch } from "./engine-watch.ts";
import { checkAt, checkHistoryLimit } from "./history.ts";
import type { EngineScan } from "./scan.ts";
import { EngineSnapshot, type SnapshotReads } from "./snapshot.ts";
import { checkBounds, checkKey, checkPage, checkScan } from "./validate.ts";
import type { Writes } from "./writes.ts";

export class EngineStore implements KeyedStore {
  readonly #engine: Engine;
  readonly #keys: KeyMapping;

  constructor(engine: Engine, keys: KeyMapping) {
    this.#engine = engine;
    this.#keys = keys;
  }

  /** Resolves when the write is as durable as asked for, and visible to every later read. */
  put(key: Data, value: Data, options?: PutOptions): Promise<Commit> {
    try {
      return this.#writable().put(this.#keys.toStored(key), value, this.#conditional(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  delete(key: Data, options?: DeleteOptions): Promise<Commit> {
    try {
      return this.#writable().delete(this.#keys.toStored(key), this.#conditional(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async deleteRange(range: KeyRange, options?: WriteOptions): Promise<Commit> {
    const stored = hasBounds(range) ? this.#keys.toStoredRange(range) : range;
    return this.#writable().deleteRange(stored, options);
  }

  async batch(operations: readonly Operation[], options?: BatchOptions): Promise<Commit> {
    const stored = toStoredOperations(operations, this.#keys, this.#engine);
    return this.#writable().batch(stored, this.#conditional(options));
  }

  async merge(
    key: Data,
    operator: MergeOperator,
    operand: Operand,
    options?: WriteOptions,
  ): Promise<Commit> {
    return this.#writable().merge(this.#keys.toStored(key), operator, operand, options);
  }

  async increment(
    key: Data,
    delta: number | bigint = 1,
    options?: WriteOptions,
  ): Promise<Incremented> {
    return this.#writable().increment(this.#keys.toStored(key), delta, options);
  }

  async ingest(pairs: Pairs, options?: IngestOptions): Promise<Commit> {
    this.#writable();
    return this.#engine.ingests.run(pairs, options, this.#keys);
  }

  async expire(key: Data, expiry: Expiry, options?: WriteOptions): Promise<Commit | undefined> {
    return this.#writable().expire(this.#keys.toStored(key), expiry, options);
  }

  async persist(key: Data, options?: WriteOptions): Promise<Commit | undefined> {
    return this.#writable().persist(this.#keys.toStored(key), options);
  }

  get(key: Data, options?: ReadOptions): Promise<Uint8Array | undefined> {
    try {
      const { reads } = this.#open();
      const stored = this.#stored(key);
      return reads.get(stored, this.#sequenceOf(options, stored));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** `get` without a promise. What is not in memory is read with a blocking file call. */
  getSync(key: Data): Uint8Array | undefined {
    const { reads, commits } = this.#open();
    return reads.getSync(this.#stored(key), commits.visibleSequence);
  }

  /** `get` without a promise, from memory alone: `NOT_CACHED` where the disk would have to be asked. */
  getCached(key: Data): Uint8Array | undefined | typeof NOT_CACHED {
    const { reads, commits } = this.#open();
    return reads.getCached(this.#stored(key), commits.visibleSequence, NOT_CACHED);
  }

  /** `getEntry` without a promise, from memory alone: `NOT_CACHED` where the disk may have to be asked. */
  getEntryCached(key: Data, options?: ReadOptions): EntryRecord | undefined | typeof NOT_CACHED {
    const { reads } = this.#open();
    return reads.getEntryCached(this.#stored(key), this.#sequenceOf(options), NOT_CACHED);
  }

  async getEntry(key: Data, options?: ReadOptions): Promise<EntryRecord | undefined> {
    const { reads } = this.#open();
    const stored = this.#stored(key);
    return reads.getEntry(stored, this.#sequenceOf(options, stored));
  }

  async getMany(keys: readonly Data[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    const stored = this.#storedKeys(keys);
    return this.#open().reads.getMany(stored, this.#sequenceOf(options, ...stored));
  }

  scan(options?: ScanOptions): EngineScan {
    return this.#scan(options);
  }

  async page(options?: PageOptions): Promise<Page> {
    return this.#page(options);
  }

  async count(options?: CountOptions): Promise<number> {
    return this.#count(options);
  }

  async history(key: Data, options?: HistoryOptions): Promise<KeyVersion[]> {
    const { reads, commits } = this.#open();
    const limit = checkHistoryLimit(options?.limit);
    return reads.history(this.#stored(key), commits.visibleSequence, limit);
  }

  watch(options: WatchOptions = {}): EngineWatch {
    return this.#open().feed.watch(this.#keys.toStoredRange(options), this.#keys);
  }

  /** The store as it is now, to be read for as long as the snapshot is open. */
  async snapshot(): Promise<EngineSnapshot> {
    const { snapshots, commits, maintenance } = this.#open();
    const sequence = commits.visibleSequence;
    snapshots.add(sequence);
    return new EngineSnapshot({
      sequence,
      reads: this.#readsAt(sequence),
      readsOf: (keyspace) => this.#viewOf(keyspace).#readsAt(sequence),
      release: () => {
        snapshots.remove(sequence);
        // What only the snapshot saw may be worth a compaction.
        maintenance.wake();
      },
    });
  }

  async transaction<Result>(
    body: (transaction: Transaction) => Promise<Result> | Result,
    options?: TransactionOptions,
  ): Promise<Result> {
    const owner = this.#open();
    const store = new EngineStore(owner, KeyMapping.STORED);
    return runTransaction({ store, keys: this.#keys, owner }, body, options);
  }

  #viewOf(keyspace: Keyspace): EngineStore {
    return new EngineStore(this.#engine, mappingOf(keyspace, this.#engine));
  }

  #readsAt(sequence: number): SnapshotReads {
    return {
      get: async (key) => this.#open().reads.get(this.#stored(key), sequence),
      getEntry: (key) => this.#getEntry(key, sequence),
      getEntryCached: (key) =>
        this.#open().reads.getEntryCached(this.#stored(key), sequence, NOT_CACHED),
      getMany: (keys) => this.#getMany(keys, sequence),
      scan: (options) => this.#scan(options, sequence),
      page: (options) => this.#page(options, sequence),
      count: (options) => this.#count(options, sequence),
    };
  }

  async #getEntry(key: Data, sequence: number): Promise<EntryRecord | undefined> {
    return this.#open().reads.getEntry(this.#stored(key), sequence);
  }

  async #getMany(keys: readonly Data[], sequence: number): Promise<(Uint8Array | undefined)[]> {
    return this.#open().reads.getMany(this.#storedKeys(keys), sequence);
  }

  #scan(options: ScanOptions | undefined, sequence?: number): EngineScan {
    const { reads, limits } = this.#open();
    const checked = this.#keys.toStoredRange(checkScan(options));
    const bounds = checkBounds(checked, limits);
    return reads.scan(checked, bounds, sequence ?? this.#sequenceIn(bounds, options), this.#keys);
  }

  async #page(options: PageOptions | undefined, sequence?: number): Promise<Page> {
    const { reads, limits } = this.#open();
    const checked = this.#keys.toStoredRange(checkPage(options));
    const bounds = checkBounds(checked, limits);
    return reads.page(checked, bounds, sequence ?? this.#sequenceIn(bounds, options), this.#keys);
  }

  async #count(options: CountOptions | undefined, sequence?: number): Promise<number> {
    const { reads, limits } = this.#open();
    const checked = this.#keys.toStoredRange(checkScan(options));
    const signal = checkSignal(options?.signal);
    assertNotAborted(signal, "count");
    const bounds = checkBounds(checked, limits);
    return reads.count(bounds, sequence ?? this.#sequenceIn(bounds, options), signal);
  }

  #storedKeys(keys: readonly Data[]): Uint8Array[] {
    if (!Array.isArray(keys)) {
      throw new VarveError("INVALID_ARGUMENT", "getMany takes an array of keys");
    }
    return keys.map((key: Data) => this.#stored(key));
  }

  #stored(key: Data): Uint8Array {
    return checkKey(this.#keys.toStored(key), this.#engine.limits);
  }

  #conditional<Options extends DeleteOptions | BatchOptions>(
    options: Options | undefined,
  ): Options | undefined {
    if (options?.if === undefined) return options;
    return { ...options, if: toStoredConditions(options.if, this.#keys, this.#engine) };
  }

  /** The sequence that a read of stored keys is to see. */
  #sequenceOf(options: ReadOptions | undefined, ...stored: readonly Uint8Array[]): number {
    const { commits, tree } = this.#open();
    const at = options?.at;
    if (at === undefined) return commits.visibleSequence;
    const oldest = stored.map((key) => tree.version.past.prunedOf(keyspaceOf(key) ?? NO_KEYSPACE));
    return checkAt(at, commits.visibleSequence, Math.max(0, ...oldest));
  }

  /** And one of a range, which is in one keyspace. */
  #sequenceIn({ lower }: KeyBounds, options: ReadOptions | undefined): number {
    return lower === undefined ? this.#sequenceOf(options) : this.#sequenceOf(options, lower);
  }

  #open(): Engine {
    if (this.#engine.isClosing) throw new VarveError("CLOSED", "the database is closed");
    return this.#engine;
  }

  /** Throws where the database is closed, or was stopped by an earlier failure of the log. */
  #writable(): Writes {
    return writableOf(this.#open());
  }
}

/** Throws where the engine was stopped by an earlier failure of the log. */
export function writableOf({ commits, writes }: Engine): Writes {
  if (commits.failure !== undefined) throw commits.failure;
  return writes;
}

/** A named part of a database. */
export class EngineKeyspace extends EngineStore implements Keyspace {
  readonly name: string;

  constructor(engine: Engine, name: string, keys: KeyMapping) {
    super(engine, keys);
    this.name = name;
    registerKeyspace(this, engine, keys);
  }
}
