/** The networked store: arguments are checked here, encoded by the protocol, and sent by the connection. */
import {
  type BatchOptions,
  type Commit,
  type CompactRange,
  type CountOptions,
  type Data,
  type DeleteOptions,
  type EntryRecord,
  type Expiry,
  encodeBatch,
  encodeCompact,
  encodeCount,
  encodeDelete,
  encodeDeleteRange,
  encodeEmpty,
  encodeExpire,
  encodeGet,
  encodeGetEntry,
  encodeGetMany,
  encodeHistory,
  encodeIncrement,
  encodeMerge,
  encodePage,
  encodePut,
  encodeScan,
  encodeSnapshotHandle,
  type HistoryOptions,
  type Incremented,
  type IngestOptions,
  type KeyRange,
  type KeyVersion,
  type MergeOperator,
  OPCODE,
  type Operand,
  type Operation,
  type Page,
  type PageOptions,
  type Pairs,
  type PutOptions,
  type ReadOptions,
  runTransaction,
  type ScanOptions,
  type SeekableScan,
  type SnapshotInfo,
  type SnapshotLease,
  type Store,
  type Transaction,
  type TransactionOptions,
  VarveError,
  type Watch,
  type WatchOptions,
  type Welcome,
  type WriteOptions,
} from "varve-protocol";
import type { Connection } from "./connection.ts";
import type { CallOptions } from "./options.ts";
import { ClientSnapshot } from "./snapshot.ts";
import {
  checkBound,
  checkDurability,
  checkHistory,
  checkId,
  checkKey,
  checkKeys,
  checkPage,
  checkScan,
  checkValue,
  scopeOf,
} from "./validate.ts";
import { checkWatch } from "./validate-watch.ts";
import {
  checkBatch,
  checkConditions,
  checkExpiry,
  checkGivenExpiry,
  checkInteger,
  checkOperand,
  checkRange,
  conditionsOf,
} from "./validate-writes.ts";
import { ClientWatch } from "./watch.ts";

/** What VERIFY found; `smallest` and `largest` are the keys that a problem concerns, where that is known. */
export interface VerifyResult {
  readonly tables: number;
  readonly tableBytes: number;
  readonly entries: number;
  readonly problems: readonly {
    readonly file: string;
    readonly message: string;
    readonly smallest?: Uint8Array;
    readonly largest?: Uint8Array;
  }[];
}

/**
 * A `Store` over one connection. Every call may carry a `signal` and a `timeoutMs`. Once the connection is
 * lost, every call fails with `CONNECTION_LOST`: connect anew.
 */
export class VarveClient implements Store {
  readonly #connection: Connection;
  readonly #reconnect: () => Promise<Connection>;
  readonly #watches = new Set<ClientWatch>();

  /** `reconnect` makes further connections to the same server. */
  constructor(connection: Connection, reconnect: () => Promise<Connection>) {
    this.#connection = connection;
    this.#reconnect = reconnect;
  }

  /** What the server said of itself: version, features, limits. */
  get server(): Welcome {
    return this.#connection.welcome;
  }

  get(key: Data, options?: ReadOptions & CallOptions): Promise<Uint8Array | undefined> {
    const connection = this.#connection;
    return connection.call(OPCODE.GET, options, (writer, id) => {
      checkKey(key, connection.limits);
      return encodeGet(writer, id, key, scopeOf(options));
    });
  }

  getEntry(key: Data, options?: ReadOptions & CallOptions): Promise<EntryRecord | undefined> {
    const connection = this.#connection;
    return connection.call(OPCODE.GET_ENTRY, options, (writer, id) => {
      checkKey(key, connection.limits);
      return encodeGetEntry(writer, id, key, scopeOf(options));
    });
  }

  getMany(
    keys: readonly Data[],
    options?: ReadOptions & CallOptions,
  ): Promise<(Uint8Array | undefined)[]> {
    const connection = this.#connection;
    const encode = (writer: Parameters<typeof encodeGetMany>[0], id: number) => {
      checkKeys(keys, connection.limits);
      return encodeGetMany(writer, id, keys, scopeOf(options));
    };
    return connection.call(OPCODE.GET_MANY, options, encode, keys?.length);
  }

  put(key: Data, value: Data, options?: PutOptions & CallOptions): Promise<Commit> {
    const connection = this.#connection;
    return connection.call(OPCODE.PUT, options, (writer, id) => {
      const { limits } = connection;
      checkKey(key, limits);
      checkValue(value, limits);
      if (options === undefined) return encodePut(writer, id, undefined, key, value);
      checkDurability(options.durability);
      checkExpiry(options);
      const conditions = conditionsOf(key, options.if, limits);
      return encodePut(writer, id, options.durability, key, value, conditions, options);
    });
  }

  delete(key: Data, options?: DeleteOptions & CallOptions): Promise<Commit> {
    const connection = this.#connection;
    return connection.call(OPCODE.DELETE, options, (writer, id) => {
      checkKey(key, connection.limits);
      checkDurability(options?.durability);
      const conditions = conditionsOf(key, options?.if, connection.limits);
      return encodeDelete(writer, id, options?.durability, key, conditions);
    });
  }

  deleteRange(range: KeyRange, options?: WriteOptions & CallOptions): Promise<Commit> {
    const connection = this.#connection;
    return connection.call(OPCODE.DELETE_RANGE, options, (writer, id) => {
      checkRange(range, connection.limits);
      checkDurability(options?.durability);
      return encodeDeleteRange(writer, id, options?.durability, range);
    });
  }

  batch(operations: readonly Operation[], options?: BatchOptions & CallOptions): Promise<Commit> {
    const connection = this.#connection;
    return connection.call(OPCODE.BATCH, options, (writer, id) => {
      checkBatch(operations, connection.limits);
      checkDurability(options?.durability);
      const conditions = options?.if;
      if (conditions !== undefined) checkConditions(conditions, connection.limits);
      return encodeBatch(writer, id, options?.durability, operations, conditions);
    });
  }

  merge(
    key: Data,
    operator: MergeOperator,
    operand: Operand,
    options?: WriteOptions & CallOptions,
  ): Promise<Commit> {
    const connection = this.#connection;
    return connection.call(OPCODE.MERGE, options, (writer, id) => {
      checkKey(key, connection.limits);
      checkOperand(operator, operand, connection.limits);
      checkDurability(options?.durability);
      return encodeMerge(writer, id, options?.durability, operator, key, operand);
    });
  }

  increment(
    key: Data,
    delta: number | bigint = 1,
    options?: WriteOptions & CallOptions,
  ): Promise<Incremented> {
    const connection = this.#connection;
    return connection.call(OPCODE.INCREMENT, options, (writer, id) => {
      checkKey(key, connection.limits);
      checkInteger(delta);
      checkDurability(options?.durability);
      return encodeIncrement(writer, id, options?.durability, delta, key);
    });
  }

  /** `timeoutMs` limits each wait for the server. What is on its way there is bounded by what the server asks for. */
  async ingest(pairs: Pairs, options: IngestOptions & CallOptions = {}): Promise<Commit> {
    checkExpiry(options);
    return this.#connection.ingest(pairs, options);
  }

  expire(
    key: Data,
    expiry: Expiry,
    options?: WriteOptions & CallOptions,
  ): Promise<Commit | undefined> {
    const connection = this.#connection;
    return connection.call(OPCODE.EXPIRE, options, (writer, id) => {
      checkKey(key, connection.limits);
      checkGivenExpiry(expiry);
      checkDurability(options?.durability);
      return encodeExpire(writer, id, options?.durability, expiry, key);
    });
  }

  persist(key: Data, options?: WriteOptions & CallOptions): Promise<Commit | undefined> {
    const connection = this.#connection;
    return connection.call(OPCODE.EXPIRE, options, (writer, id) => {
      checkKey(key, connection.limits);
      checkDurability(options?.durability);
      return encodeExpire(writer, id, options?.durability, undefined, key);
    });
  }

  /** `timeoutMs` limits each wait for the server. Throws at once for wrong arguments and a lost connection. */
  scan(options: ScanOptions & CallOptions = {}): SeekableScan {
    const connection = this.#connection;
    checkScan(options, connection.limits);
    return connection.scan(options, (writer, id, credit) =>
      encodeScan(writer, id, options, credit, scopeOf(options)),
    );
  }

  page(options: PageOptions & CallOptions = {}): Promise<Page> {
    const connection = this.#connection;
    return connection.call(OPCODE.PAGE, options, (writer, id) => {
      checkPage(options, connection.limits);
      return encodePage(writer, id, options, scopeOf(options));
    });
  }

  count(options: CountOptions & CallOptions = {}): Promise<number> {
    const connection = this.#connection;
    return connection.call(OPCODE.COUNT, options, (writer, id) => {
      checkScan(options, connection.limits);
      return encodeCount(writer, id, options, scopeOf(options));
    });
  }

  history(key: Data, options?: HistoryOptions & CallOptions): Promise<KeyVersion[]> {
    const connection = this.#connection;
    return connection.call(OPCODE.HISTORY, options, (writer, id) => {
      checkKey(key, connection.limits);
      checkHistory(options);
      return encodeHistory(writer, id, key, options);
    });
  }

  /**
   * As `Store.watch`, and it outlives the connection: it connects anew by itself and goes on where it was. Throws at
   * once for wrong arguments and a connection that is lost already.
   */
  watch(options: WatchOptions = {}): Watch {
    const watch = new ClientWatch({
      options: checkWatch(options, this.#connection.limits),
      connection: this.#connection,
      reconnect: this.#reconnect,
      onEnd: () => this.#watches.delete(watch),
    });
    this.#watches.add(watch);
    return watch;
  }

  /** Leased: see `ClientSnapshot`. Fails with `OVERLOADED` where the connection has too many open. */
  async snapshot(options?: CallOptions): Promise<ClientSnapshot> {
    const connection = this.#connection;
    const lease: SnapshotLease = await connection.call(OPCODE.SNAPSHOT, options, (writer, id) =>
      encodeEmpty(writer, id, OPCODE.SNAPSHOT),
    );
    return new ClientSnapshot(connection, lease);
  }

  /** `runTransaction` of the protocol; nothing of it is sent but a snapshot, its reads, and one batch. */
  async transaction<Result>(
    body: (transaction: Transaction) => Promise<Result> | Result,
    options?: TransactionOptions,
  ): Promise<Result> {
    return runTransaction(this, body, options);
  }

  /** The snapshots that clients of the server hold open. */
  snapshots(options?: CallOptions): Promise<SnapshotInfo[]> {
    return this.#connection.call(OPCODE.SNAPSHOTS_LIST, options, (writer, id) =>
      encodeEmpty(writer, id, OPCODE.SNAPSHOTS_LIST),
    );
  }

  /** Ends a snapshot, whoever holds it; false where there is none of this id. */
  killSnapshot(id: number, options?: CallOptions): Promise<boolean> {
    return this.#connection.call(OPCODE.SNAPSHOT_KILL, options, (writer, requestId) => {
      checkId(id);
      return encodeSnapshotHandle(writer, requestId, OPCODE.SNAPSHOT_KILL, id);
    });
  }

  /** Resolves when the server has answered. */
  ping(options?: CallOptions): Promise<void> {
    return this.#connection.call(OPCODE.PING, options, (writer, id) =>
      encodeEmpty(writer, id, OPCODE.PING),
    );
  }

  /** The server's numbers by name. */
  stats(options?: CallOptions): Promise<Record<string, unknown>> {
    return this.#connection.call(OPCODE.STATS, options, (writer, id) =>
      encodeEmpty(writer, id, OPCODE.STATS),
    );
  }

  /** Resolves when all that was written before is in tables on the server's disk. */
  async flush(options?: CallOptions): Promise<void> {
    await this.#connection.call(OPCODE.FLUSH, options, (writer, id) =>
      encodeEmpty(writer, id, OPCODE.FLUSH),
    );
  }

  /** Resolves when the server has read all its tables and checked them; may take long. `stats` shows how far it is. */
  verify(options?: CallOptions): Promise<VerifyResult> {
    return this.#connection.call(OPCODE.VERIFY, options, (writer, id) =>
      encodeEmpty(writer, id, OPCODE.VERIFY),
    );
  }

  /** Compacts the tables with keys from `gte` to `lte`, all by default. */
  async compact(range: CompactRange = {}, options?: CallOptions): Promise<void> {
    const connection = this.#connection;
    await connection.call(OPCODE.COMPACT, options, (writer, id) => {
      checkBound("gte", range.gte, connection.limits);
      checkBound("lte", range.lte, connection.limits);
      return encodeCompact(writer, id, range);
    });
  }

  /**
   * Takes no further calls (`CLOSED`), waits for the answers in flight and ends the connection. Open scans
   * and watches fail with `CLOSED`. Closing twice is fine.
   */
  close(): Promise<void> {
    for (const watch of this.#watches) {
      watch.fail(new VarveError("CLOSED", "the client was closed"));
    }
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
