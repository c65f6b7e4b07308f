/** The checks of what `watch` takes. */
import { toBytes } from "../bytes/data.ts";
import type { BoundOptions } from "../cursor/bounds.ts";
import { VarveError } from "../errors.ts";
import type { WatchOptions } from "../store.ts";
import { checkScan, type Limits } from "./validate.ts";

const HEARTBEAT_MS = 5000;
const HEARTBEAT_MS_MAX = 3_600_000;
const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;

export interface CheckedWatch {
  readonly since: number | undefined;
  readonly heartbeatMs: number;
  readonly signal: AbortSignal | undefined;
  /** With bytes of its own. */
  readonly range: BoundOptions;
}

export function checkWatch(options: WatchOptions, limits: Limits): CheckedWatch {
  if (typeof options !== "object" || options === null) {
    throw new VarveError("INVALID_ARGUMENT", "watch takes an object");
  }
  const { since, heartbeatMs = HEARTBEAT_MS, signal, ...range } = options;
  checkScan(range, limits);
  if (since !== undefined && (!Number.isSafeInteger(since) || since < 0)) {
    const message = `since is ${String(since)}; it must be a whole number from 0`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  if (!Number.isInteger(heartbeatMs) || heartbeatMs < 1 || heartbeatMs > HEARTBEAT_MS_MAX) {
    const message = `heartbeatMs is ${String(heartbeatMs)}; it must be a whole number from 1 to ${HEARTBEAT_MS_MAX}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new VarveError("INVALID_ARGUMENT", "signal must be an AbortSignal");
  }
  const bounds: { -readonly [name in keyof BoundOptions]: BoundOptions[name] } = {};
  for (const name of BOUNDS) {
    const bound = range[name];
    if (bound !== undefined) bounds[name] = new Uint8Array(toBytes(bound));
  }
  return { since, heartbeatMs, signal, range: bounds };
}
