/**
 * The one error class and the one registry of error codes, shared by engine, server and client. A code's
 * name is what programs test; its number is what travels on the wire. Numbers are never used again.
 */

export const ERROR_CODES = {
  /** An argument has the wrong type or lies outside its documented limits. */
  INVALID_ARGUMENT: 1,
  /** A key of zero bytes. */
  KEY_EMPTY: 2,
  /** A key longer than `keyBytesMax`. */
  KEY_TOO_LARGE: 3,
  /** A value longer than `valueBytesMax`. */
  VALUE_TOO_LARGE: 4,
  /** A batch with more operations or bytes than `batchOperationsMax` or `batchBytesMax`. */
  BATCH_TOO_LARGE: 5,
  /** The database, snapshot, scan or connection was closed before the call. */
  CLOSED: 10,
  /** Another process (or another open in this one) owns the directory. */
  LOCKED: 11,
  /** The directory holds files, but not those of a database. */
  NOT_A_DATABASE: 12,
  /** A file was written by a newer version of Varve than this one reads. */
  UNSUPPORTED_FORMAT: 13,
  /** Stored bytes are not what was written; the message names file and offset. */
  CORRUPTION: 14,
  /** A log write or sync failed; reads go on, writes wait for the database to be opened again. */
  LOG_FAILED: 15,
  /** Free space is below the reserve; deletes go on, puts resume when space is back. */
  NO_SPACE: 16,
  /** Writes outrun flush and compaction; try again after `retryAfterMs`. */
  OVERLOADED: 17,
  /** The operating system refused a file operation; the message names file and cause. */
  IO_ERROR: 18,
  /** The database was opened read-only. */
  READ_ONLY: 19,
  /** A condition of the write did not hold; the error has the key and its present sequence. Nothing was written. */
  CONDITION_FAILED: 50,
  /** An increment of a value that has not 8 bytes. */
  NOT_A_COUNTER: 51,
  /** An increment to more than 64 bits hold. */
  COUNTER_OVERFLOW: 52,
  /** What a write depends on was changed since it was read; read again, and try anew. Nothing was written. */
  CONFLICT: 53,
  /** The past asked for is gone; the error's `sequence` is the oldest that can be asked for. */
  COMPACTED: 54,
  /** The snapshot's lease ran out, it was ended by an administrator, or it was never this connection's. */
  SNAPSHOT_EXPIRED: 55,
  /** The keyspace was dropped, or never created. */
  NO_SUCH_KEYSPACE: 56,
  /** A keyspace was to be created that is there already. */
  KEYSPACE_EXISTS: 57,
  /** The caller's `AbortSignal` fired, or the peer sent CANCEL. */
  ABORTED: 30,
  /** The call did not finish within its `timeoutMs`. */
  TIMEOUT: 31,
  /** No connection to the server could be made. */
  CONNECTION_FAILED: 32,
  /** The connection ended with the call unanswered; see `maybeApplied`. */
  CONNECTION_LOST: 33,
  /** The server is shutting down and takes no new requests. */
  SHUTTING_DOWN: 34,
  /** The peer sent bytes that are not the protocol; the connection is closed. */
  PROTOCOL_ERROR: 40,
  /** A frame longer than the receiver takes; the connection is closed. */
  FRAME_TOO_LARGE: 41,
  /** The peers share no protocol version. */
  UNSUPPORTED_PROTOCOL: 42,
  /** Over HTTP: there is no such entry, or no such address. */
  NOT_FOUND: 70,
  /** Over HTTP: no token was sent, or one that is not known. */
  UNAUTHENTICATED: 71,
  /** Over HTTP: the token does not allow it, or the server is asked by a name that is not its own. */
  FORBIDDEN: 72,
  /** Over HTTP: a body of a kind that is not taken here. */
  UNSUPPORTED_MEDIA_TYPE: 73,
  /** Over HTTP: a body longer than is taken. */
  BODY_TOO_LARGE: 74,
  /** Over HTTP: `Accept` names nothing that can be answered. */
  NOT_ACCEPTABLE: 75,
  /** Over HTTP: the request's line and headers are longer than is taken. */
  HEADERS_TOO_LARGE: 76,
  /** Over HTTP: there is something at the address, but not for this method. */
  METHOD_NOT_ALLOWED: 77,
  /** A defect in Varve; please report it with the message. */
  INTERNAL: 99,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** How long to wait before trying again, in milliseconds. Implies `retryable`. */
  readonly retryAfterMs?: number;
  /** The same call may succeed later, unchanged. */
  readonly retryable?: boolean;
  /** The write may or may not have been applied: read before writing again. */
  readonly maybeApplied?: boolean;
  /** Of `CONDITION_FAILED` and `CONFLICT`: the key whose condition did not hold. */
  readonly key?: Uint8Array;
  /**
   * Of `CONDITION_FAILED` and `CONFLICT`: the sequence of that key's present entry; left out where the key is absent. Of `COMPACTED`:
   * the oldest that can be asked for.
   */
  readonly sequence?: number;
  readonly cause?: unknown;
}

/**
 * Every failure that a caller of Varve sees, other than a programmer's mistake inside Varve itself. `code`
 * is stable; `message` says what happened, where, and what to do, and may change.
 */
export class VarveError extends Error {
  override readonly name = "VarveError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly maybeApplied: boolean;
  readonly retryAfterMs: number | undefined;
  readonly key: Uint8Array | undefined;
  readonly sequence: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryAfterMs = details.retryAfterMs;
    this.retryable = details.retryable ?? details.retryAfterMs !== undefined;
    this.maybeApplied = details.maybeApplied ?? false;
    this.key = details.key;
    this.sequence = details.sequence;
  }
}

const namesByNumber = new Map<number, ErrorCode>(
  Object.entries(ERROR_CODES).map(([name, number]) => [number, name as ErrorCode]),
);

/** The code's name for its number on the wire; `undefined` for one that this version does not know. */
export function errorCodeOf(number: number): ErrorCode | undefined {
  return namesByNumber.get(number);
}
