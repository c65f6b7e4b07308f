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
  type KeyMapping,
  type Keyspace,
  mappingOf,
  OPCODE,
  type Page,
  type PageOptions,
  type PageReader,
  type RequestScope,
  type ScanOptions,
  type SeekableScan,
  type Snapshot,
  type SnapshotLease,
  VarveError,
} from "varve-protocol";
import type { Connection } from "./connection.ts";
import type { CallOptions } from "./options.ts";
import { fromStoredPage, storedKey, storedKeys } from "./stored-keys.ts";
import { assertNoAt, checkPage, checkScan } from "./validate.ts";

export class ClientSnapshot implements Snapshot {
  /** The newest sequence that the snapshot sees. */
  readonly sequence: number;
  /** The server ends it when it was not used for so long: from then on its reads fail with `SNAPSHOT_EXPIRED`. */
  readonly leaseMs: number;
  readonly #connection: Connection;
  readonly #handle: number;
  readonly #scope: RequestScope;
  readonly #lease: SnapshotLease;
  readonly #keys: KeyMapping;
  readonly #owner: object;
  readonly #state: { isClosed: boolean };

  /** `owner` stands for the server's store; `state` is that of the snapshot of which this shows another keyspace. */
  constructor(
    connection: Connection,
    lease: SnapshotLease,
    keys: KeyMapping,
    owner: object,
    state = { isClosed: false },
  ) {
    const { handle, sequence, leaseMs } = lease;
    this.#lease = lease;
    this.#keys = keys;
    this.#owner = owner;
    this.#state = state;
    this.sequence = sequence;
    this.leaseMs = leaseMs;
    this.#connection = connection;
    this.#handle = handle;
    this.#scope = { at: { snapshot: handle } };
  }

  async get(key: Data, options?: CallOptions): Promise<Uint8Array | undefined> {
    const { limits } = this.#open();
    return this.#connection.call(OPCODE.GET, options, (writer, id) => {
      return encodeGet(writer, id, storedKey(key, this.#keys, limits), this.#scope);
    });
  }

  async getEntry(key: Data, options?: CallOptions): Promise<EntryRecord | undefined> {
    const { limits } = this.#open();
    return this.#connection.call(OPCODE.GET_ENTRY, options, (writer, id) => {
      return encodeGetEntry(writer, id, storedKey(key, this.#keys, limits), this.#scope);
    });
  }

  async getMany(keys: readonly Data[], options?: CallOptions): Promise<(Uint8Array | undefined)[]> {
    const { limits } = this.#open();
    const encode = (writer: Parameters<typeof encodeGetMany>[0], id: number) => {
      const stored = storedKeys(keys, this.#keys, limits);
      return encodeGetMany(writer, id, stored, this.#scope);
    };
    return this.#connection.call(OPCODE.GET_MANY, options, encode, keys?.length);
  }

  /** Goes on when the snapshot ends. */
  scan(options: ScanOptions & CallOptions = {}): SeekableScan {
    const connection = this.#open();
    assertNoAt(options);
    checkScan(options, connection.limits);
    const stored = this.#keys.toStoredRange(options);
    return connection.scan(options, this.#keys, (writer, id, credit) =>
      encodeScan(writer, id, stored, credit, this.#scope),
    );
  }

  async page(options: PageOptions & CallOptions = {}): Promise<Page> {
    const { limits } = this.#open();
    const page: Page = await this.#connection.call(OPCODE.PAGE, options, (writer, id) => {
      assertNoAt(options);
      checkPage(options, limits);
      return encodePage(writer, id, this.#keys.toStoredRange(options), this.#scope);
    });
    return fromStoredPage(page, this.#keys);
  }

  async count(options: CountOptions & CallOptions = {}): Promise<number> {
    const { limits } = this.#open();
    return this.#connection.call(OPCODE.COUNT, options, (writer, id) => {
      assertNoAt(options);
      checkScan(options, limits);
      return encodeCount(writer, id, this.#keys.toStoredRange(options), this.#scope);
    });
  }

  /** With the same lease. */
  keyspace(keyspace: Keyspace): PageReader {
    const keys = mappingOf(keyspace, this.#owner);
    return new ClientSnapshot(this.#open(), this.#lease, keys, this.#owner, this.#state);
  }

  /** Renews the lease, for a program that will not read for longer than that. */
  async renew(options?: CallOptions): Promise<void> {
    await this.#open().call(OPCODE.SNAPSHOT_RENEW, options, (writer, id) =>
      encodeSnapshotHandle(writer, id, OPCODE.SNAPSHOT_RENEW, this.#handle),
    );
  }

  /** Scans that were begun go on. Closing twice is fine, and after the client was closed or lost, too. */
  async close(): Promise<void> {
    if (this.#state.isClosed) return;
    this.#state.isClosed = true;
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
    if (this.#state.isClosed) throw new VarveError("CLOSED", "the snapshot is closed");
    return this.#connection;
  }
}

function isOver(error: unknown): boolean {
  return (
    error instanceof VarveError &&
    (error.code === "CLOSED" || error.code === "CONNECTION_LOST" || error.code === "SHUTTING_DOWN")
  );
}
