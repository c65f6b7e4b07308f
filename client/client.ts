/** The networked store: arguments are checked here, encoded by the protocol, and sent by the connection. */
import {
  type Commit,
  type CompactRange,
  type Data,
  type EntryRecord,
  encodeBatch,
  encodeCompact,
  encodeDelete,
  encodeEmpty,
  encodeGet,
  encodeGetEntry,
  encodeGetMany,
  encodePut,
  encodeScan,
  OPCODE,
  type Operation,
  type Scan,
  type ScanOptions,
  type Store,
  type Welcome,
  type WriteOptions,
} from "varve-protocol";
import type { Connection } from "./connection.ts";
import type { CallOptions } from "./options.ts";
import {
  checkBatch,
  checkBound,
  checkDurability,
  checkKey,
  checkKeys,
  checkScan,
  checkValue,
} from "./validate.ts";

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

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** What the server said of itself: version, features, limits. */
  get server(): Welcome {
    return this.#connection.welcome;
  }

  get(key: Data, options?: CallOptions): Promise<Uint8Array | undefined> {
    const connection = this.#connection;
    return connection.call(OPCODE.GET, options, (writer, id) => {
      checkKey(key, connection.limits);
      return encodeGet(writer, id, key);
    });
  }

  getEntry(key: Data, options?: CallOptions): Promise<EntryRecord | undefined> {
    const connection = this.#connection;
    return connection.call(OPCODE.GET_ENTRY, options, (writer, id) => {
      checkKey(key, connection.limits);
      return encodeGetEntry(writer, id, key);
    });
  }

  getMany(keys: readonly Data[], options?: CallOptions): Promise<(Uint8Array | undefined)[]> {
    const connection = this.#connection;
    const encode = (writer: Parameters<typeof encodeGetMany>[0], id: number) => {
      checkKeys(keys, connection.limits);
      return encodeGetMany(writer, id, keys);
    };
    return connection.call(OPCODE.GET_MANY, options, encode, keys?.length);
  }

  put(key: Data, value: Data, options?: WriteOptions & CallOptions): Promise<Commit> {
    const connection = this.#connection;
    return connection.call(OPCODE.PUT, options, (writer, id) => {
      checkKey(key, connection.limits);
      checkValue(value, connection.limits);
      checkDurability(options?.durability);
      return encodePut(writer, id, options?.durability, key, value);
    });
  }

  delete(key: Data, options?: WriteOptions & CallOptions): Promise<Commit> {
    const connection = this.#connection;
    return connection.call(OPCODE.DELETE, options, (writer, id) => {
      checkKey(key, connection.limits);
      checkDurability(options?.durability);
      return encodeDelete(writer, id, options?.durability, key);
    });
  }

  batch(operations: readonly Operation[], options?: WriteOptions & CallOptions): Promise<Commit> {
    const connection = this.#connection;
    return connection.call(OPCODE.BATCH, options, (writer, id) => {
      checkBatch(operations, connection.limits);
      checkDurability(options?.durability);
      return encodeBatch(writer, id, options?.durability, operations);
    });
  }

  /** `timeoutMs` limits each wait for the server. Throws at once for wrong arguments and a lost connection. */
  scan(options: ScanOptions & CallOptions = {}): Scan {
    const connection = this.#connection;
    checkScan(options, connection.limits);
    return connection.scan(options, (writer, id, credit) =>
      encodeScan(writer, id, options, credit),
    );
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
   * fail with `CLOSED`. Closing twice is fine.
   */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
