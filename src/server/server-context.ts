/** What a connection knows of the server that it belongs to. */
import type { Limits } from "varve-protocol";
import type { Connection } from "./connection.ts";
import type { RequestMeter } from "./request-meter.ts";
import type { ServedStore } from "./served-store.ts";
import type { ServerSettings } from "./server-options.ts";
import type { SnapshotLeases } from "./snapshot-leases.ts";

/** Where the server says what it does; a `pino` logger fits. */
export interface ServerLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Counters {
  accepted: number;
  refused: number;
  bytesIn: number;
  bytesOut: number;
  protocolErrors: number;
  /** Open now. */
  watches: number;
  /** Requests by the opcode's name. */
  readonly requests: Record<string, number>;
}

export interface ServerContext {
  readonly store: ServedStore;
  readonly settings: ServerSettings;
  /** What clients are told in the handshake. */
  readonly limits: Limits;
  readonly version: string;
  readonly logger: ServerLogger;
  readonly counters: Counters;
  /** Where nobody measures there is none. */
  readonly meter: RequestMeter | undefined;
  readonly snapshots: SnapshotLeases;
  /** New requests are refused. */
  readonly isClosing: boolean;
  readonly stats: () => object;
  readonly closed: (connection: Connection) => void;
}
