/** The networked store: its keyspaces, and what an administrator asks of the server; `client-store.ts` has the rest. */
import {
  type CompactRange,
  checkKeyspaceChanges,
  checkKeyspaceName,
  checkKeyspaceOptions,
  encodeCompact,
  encodeEmpty,
  encodeKeyspaceAlter,
  encodeKeyspaceDrop,
  encodeKeyspaceOpen,
  encodeSnapshotHandle,
  KeyMapping,
  type KeyspaceChanges,
  type KeyspaceHandle,
  type KeyspaceInfo,
  type KeyspaceOptions,
  OPCODE,
  type SnapshotInfo,
  type Store,
  VarveError,
  type Welcome,
} from "varve-protocol";
import { ClientKeyspace, type ClientParts, ClientStore } from "./client-store.ts";
import type { Connection } from "./connection.ts";
import type { CallOptions } from "./options.ts";
import { checkBound, checkId } from "./validate.ts";
import type { ClientWatch } from "./watch.ts";

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
export class VarveClient extends ClientStore implements Store {
  readonly #connection: Connection;
  readonly #parts: ClientParts;

  /** `reconnect` makes further connections to the same server. */
  constructor(connection: Connection, reconnect: () => Promise<Connection>) {
    const parts = { connection, reconnect, watches: new Set<ClientWatch>() };
    super(parts, KeyMapping.DEFAULT);
    this.#connection = connection;
    this.#parts = parts;
  }

  /** What the server said of itself: version, features, limits. */
  get server(): Welcome {
    return this.#connection.welcome;
  }

  async keyspace(name: string, options?: KeyspaceOptions & CallOptions): Promise<ClientKeyspace> {
    const handle: KeyspaceHandle = await this.#connection.call(
      OPCODE.KEYSPACE_OPEN,
      options,
      (writer, id) => {
        checkKeyspaceName(name);
        return encodeKeyspaceOpen(writer, id, name, checkKeyspaceOptions(options));
      },
    );
    return new ClientKeyspace(this.#parts, name, KeyMapping.of(handle.id));
  }

  keyspaces(options?: CallOptions): Promise<KeyspaceInfo[]> {
    return this.#connection.call(OPCODE.KEYSPACES_LIST, options, (writer, id) =>
      encodeEmpty(writer, id, OPCODE.KEYSPACES_LIST),
    );
  }

  dropKeyspace(name: string, options?: CallOptions): Promise<boolean> {
    return this.#connection.call(OPCODE.KEYSPACE_DROP, options, (writer, id) => {
      checkKeyspaceName(name);
      return encodeKeyspaceDrop(writer, id, name);
    });
  }

  async alterKeyspace(
    name: string,
    changes: KeyspaceChanges,
    options?: CallOptions,
  ): Promise<void> {
    await this.#connection.call(OPCODE.KEYSPACE_ALTER, options, (writer, id) => {
      checkKeyspaceName(name);
      return encodeKeyspaceAlter(writer, id, name, checkKeyspaceChanges(changes));
    });
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
      return encodeCompact(writer, id, storedRange(range));
    });
  }

  /**
   * Takes no further calls (`CLOSED`), waits for the answers in flight and ends the connection. Open scans
   * and watches fail with `CLOSED`. Closing twice is fine.
   */
  close(): Promise<void> {
    for (const watch of this.#parts.watches) {
      watch.fail(new VarveError("CLOSED", "the client was closed"));
    }
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function storedRange({ gte, lte }: CompactRange): CompactRange {
  return {
    ...(gte === undefined ? {} : { gte: KeyMapping.DEFAULT.toStored(gte) }),
    ...(lte === undefined ? {} : { lte: KeyMapping.DEFAULT.toStored(lte) }),
  };
}
