/** The operations that took long, the last hundred of them. */
import type { Door, OperationName } from "./operations.ts";
import { type KeyspaceNames, printableKey } from "./printable-key.ts";

export const SLOW_MS = 100;
const KEPT_MAX = 100;
/** More of a key is not printed. */
const KEY_BYTES_MAX = 256;

/** Those last for as long as their callers have it, which says nothing of the store. */
const LASTING: ReadonlySet<OperationName> = new Set(["watch", "ingest"]);

/** As JSON. */
export interface SlowOperation {
  /** When it was answered, milliseconds since 1970. */
  readonly time: number;
  readonly door: Door;
  readonly operation: OperationName;
  /** For people; `null` where the operation has none, or its door kept none. */
  readonly key: string | null;
  readonly duration_ms: number;
  readonly error: boolean;
}

interface Kept extends Omit<SlowOperation, "key"> {
  readonly key: Uint8Array | undefined;
}

export class SlowOperations {
  readonly #kept: Kept[] = [];

  /** Keeps the operation if it was slow. The key is copied. */
  offer(
    time: number,
    door: Door,
    operation: OperationName,
    durationMs: number,
    error: boolean,
    key: Uint8Array | undefined,
  ): void {
    if (durationMs < SLOW_MS || LASTING.has(operation)) return;
    const duration_ms = Math.round(durationMs * 10) / 10;
    // Copied, as a buffer's `slice` would not.
    const kept = key && new Uint8Array(key.subarray(0, KEY_BYTES_MAX));
    this.#kept.push({ time, door, operation, duration_ms, error, key: kept });
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
  }

  /** Newest first. */
  list(names: KeyspaceNames): SlowOperation[] {
    return this.#kept
      .map(({ key, ...rest }) => ({ ...rest, key: key ? printableKey(key, names) : null }))
      .reverse();
  }
}
