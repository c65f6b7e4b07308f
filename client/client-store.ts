/**
 * What a client and each keyspace of its server's store do with keys: arguments are checked here, keys made into stored
 * keys, encoded by the protocol, and sent by the one connection that they share.
 */
import {
  type BatchOptions,
  type Commit,
  type CountOptions,
  type Data,
  type DeleteOptions,
  type EntryRecord,
  type Expiry,
  encodeBatch,
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
  type HistoryOptions,
  type Incremented,
  type IngestOptions,
  type KeyedStore,
  KeyMapping,
  type KeyRange,
  type Keyspace,
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
  registerKeyspace,
  runTransaction,
  type ScanOptions,
  type SeekableScan,
  type SnapshotLease,
  type Transaction,
  type TransactionOptions,
  toStoredConditions,
  toStoredOperations,
  type Watch,
  type WatchOptions,
  type WriteOptions,
} from "varve-protocol";
import type { Connection } from "./connection.ts";
import type { CallOptions } from "./options.ts";
import { ClientSnapshot } from "./snapshot.ts";
import { fromStoredPage, storedKey, storedKeys } from "./stored-keys.ts";
import {
  checkDurability,
  checkHistory,
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

/** What a client and its keyspaces share. It stands for the server's store; see `registerKeyspace`. */
export interface ClientParts {
  readonly connection: Connection;
  /** Makes further connections to the same server. */
  readonly reconnect: () => Promise<Connection>;
  readonly watches: Set<ClientWatch>;
}

/** Every call may carry a `signal` and a `timeoutMs`. */
export class ClientStore implements KeyedStore {
  readonly #client: ClientParts;
  readonly #keys: KeyMapping;

  constructor(client: ClientParts, keys: KeyMapping) {
    this.#client = client;
    this.#keys = keys;
  }

  get(key: Data, options?: ReadOptions & CallOptions): Promise<Uint8Array | undefined> {
    const { connection } = this.#client;
    return connection.call(OPCODE.GET, options, (writer, id) => {
      const stored = this.#stored(key);
      return encodeGet(writer, id, stored, scopeOf(options));
    });
  }

  getEntry(key: Data, options?: ReadOptions & CallOptions): Promise<EntryRecord | undefined> {
    const { connection } = this.#client;
    return connection.call(OPCODE.GET_ENTRY, options, (writer, id) => {
      const stored = this.#stored(key);
      return encodeGetEntry(writer, id, stored, scopeOf(options));
    });
  }

  getMany(
    keys: readonly Data[],
    options?: ReadOptions & CallOptions,
  ): Promise<(Uint8Array | undefined)[]> {
    const { connection } = this.#client;
    const encode = (writer: Parameters<typeof encodeGetMany>[0], id: number) => {
      const stored = storedKeys(keys, this.#keys, connection.limits);
      return encodeGetMany(writer, id, stored, scopeOf(options));
    };
    return connection.call(OPCODE.GET_MANY, options, encode, keys?.length);
  }

  put(key: Data, value: Data, options?: PutOptions & CallOptions): Promise<Commit> {
    const { connection } = this.#client;
    return connection.call(OPCODE.PUT, options, (writer, id) => {
      const { limits } = connection;
      const stored = this.#stored(key);
      checkValue(value, limits);
      if (options === undefined) return encodePut(writer, id, undefined, stored, value);
      checkDurability(options.durability);
      checkExpiry(options);
      const conditions = this.#conditions(stored, options);
      return encodePut(writer, id, options.durability, stored, value, conditions, options);
    });
  }

  delete(key: Data, options?: DeleteOptions & CallOptions): Promise<Commit> {
    const { connection } = this.#client;
    return connection.call(OPCODE.DELETE, options, (writer, id) => {
      const stored = this.#stored(key);
      checkDurability(options?.durability);
      const conditions = this.#conditions(stored, options);
      return encodeDelete(writer, id, options?.durability, stored, conditions);
    });
  }

  deleteRange(range: KeyRange, options?: WriteOptions & CallOptions): Promise<Commit> {
    const { connection } = this.#client;
    return connection.call(OPCODE.DELETE_RANGE, options, (writer, id) => {
      checkRange(range, connection.limits);
      checkDurability(options?.durability);
      const stored = this.#keys.toStoredRange(range);
      return encodeDeleteRange(writer, id, options?.durability, stored);
    });
  }

  batch(operations: readonly Operation[], options?: BatchOptions & CallOptions): Promise<Commit> {
    const { connection } = this.#client;
    return connection.call(OPCODE.BATCH, options, (writer, id) => {
      const stored = toStoredOperations(operations, this.#keys, this.#client);
      checkBatch(stored, connection.limits);
      checkDurability(options?.durability);
      const conditions = toStoredConditions(options?.if, this.#keys, this.#client);
      if (conditions !== undefined) checkConditions(conditions, connection.limits);
      return encodeBatch(writer, id, options?.durability, stored, conditions);
    });
  }

  merge(
    key: Data,
    operator: MergeOperator,
    operand: Operand,
    options?: WriteOptions & CallOptions,
  ): Promise<Commit> {
    const { connection } = this.#client;
    return connection.call(OPCODE.MERGE, options, (writer, id) => {
      const stored = this.#stored(key);
      checkOperand(operator, operand, connection.limits);
      checkDurability(options?.durability);
      return encodeMerge(writer, id, options?.durability, operator, stored, operand);
    });
  }

  increment(
    key: Data,
    delta: number | bigint = 1,
    options?: WriteOptions & CallOptions,
  ): Promise<Incremented> {
    const { connection } = this.#client;
    return connection.call(OPCODE.INCREMENT, options, (writer, id) => {
      const stored = this.#stored(key);
      checkInteger(delta);
      checkDurability(options?.durability);
      return encodeIncrement(writer, id, options?.durability, delta, stored);
    });
  }

  /** `timeoutMs` limits each wait for the server. What is on its way there is bounded by what the server asks for. */
  async ingest(pairs: Pairs, options: IngestOptions & CallOptions = {}): Promise<Commit> {
    checkExpiry(options);
    return this.#client.connection.ingest(pairs, options, this.#keys);
  }

  expire(
    key: Data,
    expiry: Expiry,
    options?: WriteOptions & CallOptions,
  ): Promise<Commit | undefined> {
    const { connection } = this.#client;
    return connection.call(OPCODE.EXPIRE, options, (writer, id) => {
      const stored = this.#stored(key);
      checkGivenExpiry(expiry);
      checkDurability(options?.durability);
      return encodeExpire(writer, id, options?.durability, expiry, stored);
    });
  }

  persist(key: Data, options?: WriteOptions & CallOptions): Promise<Commit | undefined> {
    const { connection } = this.#client;
    return connection.call(OPCODE.EXPIRE, options, (writer, id) => {
      const stored = this.#stored(key);
      checkDurability(options?.durability);
      return encodeExpire(writer, id, options?.durability, undefined, stored);
    });
  }

  /** `timeoutMs` limits each wait for the server. Throws at once for wrong arguments and a lost connection. */
  scan(options: ScanOptions & CallOptions = {}): SeekableScan {
    const { connection } = this.#client;
    checkScan(options, connection.limits);
    const stored = this.#keys.toStoredRange(options);
    return connection.scan(options, this.#keys, (writer, id, credit) =>
      encodeScan(writer, id, stored, credit, scopeOf(options)),
    );
  }

  async page(options: PageOptions & CallOptions = {}): Promise<Page> {
    const { connection } = this.#client;
    const page: Page = await connection.call(OPCODE.PAGE, options, (writer, id) => {
      checkPage(options, connection.limits);
      return encodePage(writer, id, this.#keys.toStoredRange(options), scopeOf(options));
    });
    return fromStoredPage(page, this.#keys);
  }

  count(options: CountOptions & CallOptions = {}): Promise<number> {
    const { connection } = this.#client;
    return connection.call(OPCODE.COUNT, options, (writer, id) => {
      checkScan(options, connection.limits);
      return encodeCount(writer, id, this.#keys.toStoredRange(options), scopeOf(options));
    });
  }

  history(key: Data, options?: HistoryOptions & CallOptions): Promise<KeyVersion[]> {
    const { connection } = this.#client;
    return connection.call(OPCODE.HISTORY, options, (writer, id) => {
      const stored = this.#stored(key);
      checkHistory(options);
      return encodeHistory(writer, id, stored, options);
    });
  }

  /**
   * As `Store.watch`, and it outlives the connection: it connects anew by itself and goes on where it was. Throws at
   * once for wrong arguments and a connection that is lost already.
   */
  watch(options: WatchOptions = {}): Watch {
    const { connection, reconnect, watches } = this.#client;
    const checked = checkWatch(options, connection.limits);
    const watch = new ClientWatch({
      options: this.#keys.toStoredRange(checked),
      keys: this.#keys,
      connection,
      reconnect,
      onEnd: () => watches.delete(watch),
    });
    watches.add(watch);
    return watch;
  }

  /** Leased: see `ClientSnapshot`. Fails with `OVERLOADED` where the connection has too many open. */
  async snapshot(options?: CallOptions): Promise<ClientSnapshot> {
    const { connection } = this.#client;
    const lease: SnapshotLease = await connection.call(OPCODE.SNAPSHOT, options, (writer, id) =>
      encodeEmpty(writer, id, OPCODE.SNAPSHOT),
    );
    return new ClientSnapshot(connection, lease, this.#keys, this.#client);
  }

  /** `runTransaction` of the protocol; nothing of it is sent but a snapshot, its reads, and one batch. */
  async transaction<Result>(
    body: (transaction: Transaction) => Promise<Result> | Result,
    options?: TransactionOptions,
  ): Promise<Result> {
    const owner = this.#client;
    const store = new ClientStore(owner, KeyMapping.STORED);
    return runTransaction({ store, keys: this.#keys, owner }, body, options);
  }

  #stored(key: Data): Data {
    return storedKey(key, this.#keys, this.#client.connection.limits);
  }

  #conditions(stored: Data, options: DeleteOptions | undefined): ReturnType<typeof conditionsOf> {
    if (options?.if === undefined) return undefined;
    const conditions = toStoredConditions(options.if, this.#keys, this.#client);
    return conditionsOf(stored, conditions, this.#client.connection.limits);
  }
}

/** A named part of the server's store, over the client's connection. */
export class ClientKeyspace extends ClientStore implements Keyspace {
  readonly name: string;

  constructor(client: ClientParts, name: string, keys: KeyMapping) {
    super(client, keys);
    this.name = name;
    registerKeyspace(this, client, keys);
  }
}
