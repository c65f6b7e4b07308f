/** The settings of a connection, its address among them, with their defaults and limits. */
import { DEFAULT_PORT, VarveError } from "varve-protocol";

const MIB = 1024 * 1024;

export interface ConnectOptions {
  /** What the client calls itself in the server's log. */
  readonly name?: string;
  /** How long connecting and the handshake may take together. Default 5000. */
  readonly connectTimeoutMs?: number;
  /** How long a call may take that names no `timeoutMs` of its own. Default: as long as it takes. */
  readonly timeoutMs?: number;
  /** Calls sent and unanswered at one time; the server's limit holds, too. Default 1024. */
  readonly requestsInFlightMax?: number;
  /** Bytes of calls that wait to be sent; at the limit calls fail with `OVERLOADED`. Default 64 MiB. */
  readonly queueBytesMax?: number;
  /** The largest frame that the server may send. Default 64 MiB. */
  readonly frameBytesMax?: number;
  /** What the server may send ahead of each scan's reader. Default 256 KiB. */
  readonly scanCreditBytes?: number;
}

/** For a single call. */
export interface CallOptions {
  /** Ends the call with `ABORTED`. */
  readonly signal?: AbortSignal;
  /** Ends the call with `TIMEOUT`; for a scan, each wait for the server. Overrides the connection's. */
  readonly timeoutMs?: number;
}

export interface Settings extends Required<Omit<ConnectOptions, "timeoutMs">> {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number | undefined;
}

const DEFAULTS = {
  name: "varve-client",
  connectTimeoutMs: 5000,
  timeoutMs: undefined,
  requestsInFlightMax: 1024,
  queueBytesMax: 64 * MIB,
  frameBytesMax: 64 * MIB,
  scanCreditBytes: 256 * 1024,
} as const;

/** The longest delay that a timer takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** Lowest and highest value of each numeric option, both allowed. */
const RANGES: { readonly [name: string]: readonly [number, number] } = {
  connectTimeoutMs: [1, DELAY_MS_MAX],
  timeoutMs: [1, DELAY_MS_MAX],
  requestsInFlightMax: [1, 100_000],
  queueBytesMax: [1, 2 ** 30],
  frameBytesMax: [4096, 2 ** 30],
  scanCreditBytes: [1, 2 ** 30],
};

function invalid(message: string): never {
  throw new VarveError("INVALID_ARGUMENT", message);
}

function checkRange(name: string, value: unknown): void {
  const range = RANGES[name];
  if (range === undefined) return;
  const [least, most] = range;
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    invalid(`${name} is ${String(value)}; it must be a whole number from ${least} to ${most}`);
  }
}

/** Checks a call's options; returns its own time limit, else the connection's. Throws `INVALID_ARGUMENT`. */
export function timeoutOf(
  options: CallOptions | undefined,
  settings: Settings,
): number | undefined {
  if (options === undefined) return settings.timeoutMs;
  const { signal, timeoutMs } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    invalid("signal must be an AbortSignal");
  }
  if (timeoutMs === undefined) return settings.timeoutMs;
  checkRange("timeoutMs", timeoutMs);
  return timeoutMs;
}

/** The defaults with `options` over them, and the address in `url`; throws `INVALID_ARGUMENT`. */
export function resolveSettings(url: string, options: ConnectOptions): Settings {
  const given: [string, unknown][] = [];
  for (const [name, value] of Object.entries(options)) {
    if (!(name in DEFAULTS)) invalid(`${name} is not an option of connect`);
    if (value === undefined) continue;
    checkRange(name, value);
    given.push([name, value]);
  }
  const settings = { ...DEFAULTS, ...Object.fromEntries(given), ...parseAddress(url) };
  if (typeof settings.name !== "string") invalid("name must be a string");
  return settings;
}

function parseAddress(url: string): { host: string; port: number } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "varve:" || parsed.hostname === "") {
    invalid(`${url} is not an address of the form varve://host:port`);
  }
  const { hostname, port, pathname, search, hash, username, password } = parsed;
  if ((pathname !== "" && pathname !== "/") || search + hash + username + password !== "") {
    invalid(`${url} has parts beyond varve://host:port`);
  }
  // A URL writes an IPv6 address in brackets; the socket takes it without.
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return { host, port: port === "" ? DEFAULT_PORT : Number(port) };
}
