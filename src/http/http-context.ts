/** What routes know of the server that they belong to, and of the store that it serves. */
import type { TreeLayout } from "../engine/layout.ts";
import type { DatabaseStats } from "../engine/stats.ts";
import type { Settings } from "../options.ts";
import type {
  EntryRecord,
  KeyedStore,
  KeyspaceOptions,
  NOT_CACHED,
  ReadOptions,
  Snapshot,
  Store,
} from "../store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Access } from "./access.ts";
import type { Bodies } from "./bodies.ts";
import type { HttpSettings } from "./http-options.ts";
import type { OpenStreams } from "./open-streams.ts";
import type { UnsentAnswers } from "./unsent-answers.ts";

export interface HttpSnapshot extends Snapshot {
  /** The answer from memory, without a promise, or `NOT_CACHED` where the disk may have to be asked. */
  getEntryCached(key: Uint8Array): EntryRecord | undefined | typeof NOT_CACHED;
}

/** The store, or one of its keyspaces. */
export interface HttpKeyedStore extends KeyedStore {
  /** As that of a snapshot. */
  getEntryCached(
    key: Uint8Array,
    options?: ReadOptions,
  ): EntryRecord | undefined | typeof NOT_CACHED;
  snapshot(): Promise<HttpSnapshot>;
}

export interface HttpStore extends HttpKeyedStore, Omit<Store, "keyspace" | "snapshot"> {
  keyspace(name: string, options?: KeyspaceOptions): Promise<HttpKeyedStore>;
  readonly limits: Pick<
    Settings,
    "keyBytesMax" | "valueBytesMax" | "batchBytesMax" | "batchOperationsMax"
  >;
  stats(): DatabaseStats;
  layout(): TreeLayout;
}

/** Where the server says what it does; a `pino` logger fits. */
export interface HttpLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface HttpContext {
  readonly store: HttpStore;
  readonly telemetry: Telemetry;
  readonly settings: HttpSettings;
  readonly version: string;
  readonly logger: HttpLogger;
  readonly access: Access;
  readonly bodies: Bodies;
  readonly unsent: UnsentAnswers;
  readonly streams: OpenStreams;
  readonly isReadOnly: boolean;
  /** New requests are refused. */
  readonly isClosing: boolean;
}
