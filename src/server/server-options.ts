/** The server's limits. Each bounds what one peer can make the server keep, or how long it waits for one. */
import { VarveError } from "../errors.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

export interface ServerSettings {
  /** A connection above this is answered `OVERLOADED` and closed. */
  readonly connectionsMax: number;
  /** The longest frame taken. */
  readonly frameBytesMax: number;
  /** Requests of one connection, scans not counted, that may wait for their answer; then it is not read from. */
  readonly requestsInFlightMax: number;
  /** Open scans of one connection; a further one is answered `OVERLOADED`. */
  readonly scansMax: number;
  /** Open watches of one connection, and of all together; a further one is answered `OVERLOADED`. */
  readonly watchesMax: number;
  readonly watchesTotalMax: number;
  /** A scan whose client grants no credit for so long ends with `TIMEOUT`: it pins memory and files. So does a watch in the middle of a batch, and an ingest whose client sends nothing. */
  readonly scanIdleTimeoutMs: number;
  /** Open snapshots of one connection, and of all together; a further one is answered `OVERLOADED`. */
  readonly snapshotsPerConnectionMax: number;
  readonly snapshotsMax: number;
  /** A snapshot that is not used for so long ends: it keeps space from being given back. */
  readonly snapshotLeaseMs: number;
  /** What a client may send ahead of the store in an ingest, in bytes. */
  readonly ingestCreditBytes: number;
  /** Answers of one connection that may wait for the peer to read; then it is not read from. */
  readonly answerBytesMax: number;
  /** A peer that has not said HELLO by then is disconnected. */
  readonly helloTimeoutMs: number;
  /** At shutdown, how long requests in flight may take to be answered. */
  readonly closeTimeoutMs: number;
}

export const DEFAULT_SERVER_SETTINGS: ServerSettings = {
  connectionsMax: 10_000,
  frameBytesMax: 64 * MIB,
  requestsInFlightMax: 4096,
  scansMax: 64,
  watchesMax: 64,
  watchesTotalMax: 1000,
  scanIdleTimeoutMs: 300_000,
  snapshotsPerConnectionMax: 256,
  snapshotsMax: 4096,
  snapshotLeaseMs: 60_000,
  ingestCreditBytes: MIB,
  answerBytesMax: 4 * MIB,
  helloTimeoutMs: 5000,
  closeTimeoutMs: 10_000,
};

/** What a batch may hold, so that its frame surely passes: room is left for lengths. */
export const BATCH_FRAME_SHARE = 3 / 4;

export function resolveServerSettings(options: Partial<ServerSettings>): ServerSettings {
  for (const [name, value] of Object.entries(options)) {
    if (!(name in DEFAULT_SERVER_SETTINGS)) {
      throw new VarveError("INVALID_ARGUMENT", `${name} is not an option of the server`);
    }
    if (!Number.isInteger(value) || value < 1) {
      const message = `${name} is ${String(value)}; it must be a whole number from 1`;
      throw new VarveError("INVALID_ARGUMENT", message);
    }
  }
  return { ...DEFAULT_SERVER_SETTINGS, ...options };
}
