/**
 * A snapshot that the server keeps for this connection: reads that carry its handle. It is leased; every use renews
 * the lease.
 */
import {
  type CountOptions,
  type Data,
  type EntryRecord,
  encodeCount,
  encodeGet,
  encodeGetEntry,
  encodeGetMany,
  encodePage,
  encodeScan,
  encodeSnapshotHandle,
  OPCODE,
  type Page,
  type PageOptions,
  type RequestScope,
  type ScanOptions,
  type SeekableScan,
  type Snapshot,
  type SnapshotLease,
  VarveError,
} from "varve-protocol";
import type { Connection } from "./connection.ts";
import type { CallOptions } from "./options.ts";
import { assertNoAt, checkKey, checkKeys, checkPage, checkScan } from "./validate.ts";

export class ClientSnapshot implements Snapshot {
  /** The newest sequence that the snapshot sees. */
  readonly sequence: number;
  /** The server ends it when it was not used for so long: from then on its reads fail with `SNAPSHOT_EXPIRED`. */
  readonly leaseMs: number;
  readonly #connection: Connection;
  readonly #handle: number;
  readonly #scope: RequestScope;
  #closed = false;

  constructor(connection: Connection, { handle, sequence, leaseMs }: SnapshotLease) {
    this.sequence = sequence;
    this.leaseMs = leaseMs;
    this.#connection = connection;
    this.#handle = handle;
    this.#scope = { at: { snapshot: handle } };
  }

  async get(key: Data, options?: CallOptions): Promise<Uint8Array | undefined> {
    const { limits } = this.#open();
    return this.#connection.call(OPCODE.GET, options, (writer, id) => {
      checkKey(key, limits);
      return encodeGet(writer, id, key, this.#scope);
    });
  }

  async getEntry(key: Data, options?: CallOptions): Promise<EntryRecord | undefined> {
    const { limits } = this.#open();
    return this.#connection.call(OPCODE.GET_ENTRY, options, (writer, id) => {
      checkKey(key, limits);
      return encodeGetEntry(writer, id, key, this.#scope);
    });
  }

  async getMany(keys: readonly Data[], options?: CallOptions): Promise<(Uint8Array | undefined)[]> {
    const { limits } = this.#open();
    const encode = (writer: Parameters<typeof encodeGetMany>[0], id: number) => {
      checkKeys(keys, limits);
      return encodeGetMany(writer, id, keys, this.#scope);
    };
    return this.#connection.call(OPCODE.GET_MANY, options, encode, keys?.length);
  }

  /** Goes on when the snapshot ends. */
  scan(options: ScanOptions & CallOptions = {}): SeekableScan {
    const connection = this.#open();
    assertNoAt(options);
    checkScan(options, connection.limits);
    if (options.at !== undefined) {
      const message = "a snapshot is read as of its own sequence, not at another";
      throw new VarveError("INVALID_ARGUMENT", message);
    }
    return connection.scan(options, (writer, id, credit) =>
      encodeScan(writer, id, options, credit, this.#scope),
    );
  }

  async page(options: PageOptions & CallOptions = {}): Promise<Page> {
    const { limits } = this.#open();
    return this.#connection.call(OPCODE.PAGE, options, (writer, id) => {
      assertNoAt(options);
      checkPage(options, limits);
      return encodePage(writer, id, options, this.#scope);
    });
  }

  async count(options: CountOptions & CallOptions = {}): Promise<number> {
    const { limits } = this.#open();
    return this.#connection.call(OPCODE.COUNT, options, (writer, id) => {
      assertNoAt(options);
      checkScan(options, limits);
      return encodeCount(writer, id, options, this.#scope);
    });
  }

  /** Renews the lease, for a program that will not read for longer than that. */
  async renew(options?: CallOptions): Promise<void> {
    await this.#open().call(OPCODE.SNAPSHOT_RENEW, options, (writer, id) =>
      encodeSnapshotHandle(writer, id, OPCODE.SNAPSHOT_RENEW, this.#handle),
    );
  }

  /** Scans that were begun go on. Closing twice is fine, and after the client was closed or lost, too. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#connection.call(OPCODE.SNAPSHOT_CLOSE, undefined, (writer, id) =>
        encodeSnapshotHandle(writer, id, OPCODE.SNAPSHOT_CLOSE, this.#handle),
      );
    } catch (error) {
      // It has ended with the connection.
      if (!isOver(error)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(): Connection {
    if (this.#closed) throw new VarveError("CLOSED", "the snapshot is closed");
    return this.#connection;
  }
}

function isOver(error: unknown): boolean {
  return (
    error instanceof VarveError &&
    (error.code === "CLOSED" || error.code === "CONNECTION_LOST" || error.code === "SHUTTING_DOWN")
  );
}
