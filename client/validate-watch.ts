/** The checks of what `watch` takes. */
import type { BytesRange, Limits, WatchOptions } from "varve-protocol";
import { checkScan, invalid } from "./validate.ts";

const HEARTBEAT_MS = 5000;
const HEARTBEAT_MS_MAX = 3_600_000;

const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;

export interface CheckedWatch extends BytesRange {
  readonly since: number | undefined;
  readonly heartbeatMs: number;
  readonly signal: AbortSignal | undefined;
}

/** With bounds of its own, as they are sent again when the watch goes on over another connection. */
export function checkWatch(options: WatchOptions, limits: Limits): CheckedWatch {
  if (typeof options !== "object" || options === null) invalid("watch takes an object");
  const { since, heartbeatMs = HEARTBEAT_MS, signal, ...range } = options;
  checkScan(range, limits);
  if (since !== undefined && (!Number.isSafeInteger(since) || since < 0)) {
    invalid(`since is ${String(since)}; it must be a whole number from 0`);
  }
  if (!Number.isInteger(heartbeatMs) || heartbeatMs < 1 || heartbeatMs > HEARTBEAT_MS_MAX) {
    const message = `heartbeatMs is ${String(heartbeatMs)}; it must be a whole number from 1 to ${HEARTBEAT_MS_MAX}`;
    invalid(message);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    invalid("signal must be an AbortSignal");
  }
  const bounds: { -readonly [Bound in keyof BytesRange]: Uint8Array } = {};
  for (const name of BOUNDS) {
    const bound = range[name];
    if (bound !== undefined) bounds[name] = new Uint8Array(Buffer.from(bound));
  }
  return { ...bounds, since, heartbeatMs, signal };
}
