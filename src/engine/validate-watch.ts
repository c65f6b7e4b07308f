/** The checks of what `watch` takes. */
import type { KeyBounds } from "../cursor/bounds.ts";
import { VarveError } from "../errors.ts";
import type { WatchOptions } from "../store.ts";
import { checkSignal } from "./abort.ts";
import { checkBounds, type Limits } from "./validate.ts";

const HEARTBEAT_MS = 5000;
const HEARTBEAT_MS_MAX = 3_600_000;

export interface CheckedWatch {
  readonly since: number | undefined;
  readonly heartbeatMs: number;
  readonly signal: AbortSignal | undefined;
  /** With bytes of its own. */
  readonly bounds: KeyBounds;
}

export function checkWatch(options: WatchOptions, limits: Limits): CheckedWatch {
  if (typeof options !== "object" || options === null) {
    throw new VarveError("INVALID_ARGUMENT", "watch takes an object");
  }
  const { since, heartbeatMs = HEARTBEAT_MS, signal, ...range } = options;
  const bounds = checkBounds(range, limits);
  if (since !== undefined && (!Number.isSafeInteger(since) || since < 0)) {
    const message = `since is ${String(since)}; it must be a whole number from 0`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  if (!Number.isInteger(heartbeatMs) || heartbeatMs < 1 || heartbeatMs > HEARTBEAT_MS_MAX) {
    const message = `heartbeatMs is ${String(heartbeatMs)}; it must be a whole number from 1 to ${HEARTBEAT_MS_MAX}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  return { since, heartbeatMs, signal: checkSignal(signal), bounds };
}
