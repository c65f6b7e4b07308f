/** The HTTP door's limits. Each bounds what one peer, or all together, can make the server keep. */
import { VarveError } from "../errors.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

export interface HttpSettings {
  /** A connection above this is answered `OVERLOADED` and closed. */
  readonly connectionsMax: number;
  /** The longest request line and headers together: a key of 64 KiB has up to 192 KiB there. */
  readonly headerBytesMax: number;
  /** The longest JSON body, and so what a batch may have; raw values have the store's own limit. */
  readonly bodyBytesMax: number;
  /** All bodies together that are being read or worked on; a further one is answered `OVERLOADED`. */
  readonly bodiesBytesMax: number;
  /** All large answers together that wait for their readers; a further one is answered `OVERLOADED`. */
  readonly answersBytesMax: number;
  /** Open streams, of ranges and of changes together; a further one is answered `OVERLOADED`. */
  readonly streamsMax: number;
  /** A stream, or an answer, whose reader takes nothing for so long is cut: it pins memory and files. */
  readonly streamIdleTimeoutMs: number;
  /** How long headers may take to come, and a whole request with its body. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** A connection on which nothing is asked for so long is closed. */
  readonly keepAliveTimeoutMs: number;
  /** How often changes say how far they are where there is nothing to tell. */
  readonly heartbeatMs: number;
  /** At shutdown, how long requests in flight may take to be answered. */
  readonly closeTimeoutMs: number;
}

export const DEFAULT_HTTP_SETTINGS: HttpSettings = {
  connectionsMax: 20_000,
  headerBytesMax: 256 * KIB,
  bodyBytesMax: 32 * MIB,
  bodiesBytesMax: 128 * MIB,
  answersBytesMax: 256 * MIB,
  streamsMax: 1000,
  streamIdleTimeoutMs: 300_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 72_000,
  heartbeatMs: 5000,
  closeTimeoutMs: 10_000,
};

/** Throws `INVALID_ARGUMENT`. */
export function resolveHttpSettings(options: Partial<HttpSettings>): HttpSettings {
  for (const [name, value] of Object.entries(options)) {
    if (!(name in DEFAULT_HTTP_SETTINGS)) {
      throw new VarveError("INVALID_ARGUMENT", `${name} is not an option of the HTTP server`);
    }
    if (!Number.isInteger(value) || value < 1) {
      const message = `${name} is ${String(value)}; it must be a whole number from 1`;
      throw new VarveError("INVALID_ARGUMENT", message);
    }
  }
  return { ...DEFAULT_HTTP_SETTINGS, ...options };
}
