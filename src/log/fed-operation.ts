/** What a feed tells of an operation in the log: as an `Operation` says it, as bytes. */
import { compareBytes } from "../bytes/compare.ts";
import { expiresAtOf, headerBytes } from "../entry-header.ts";
import { VarveError } from "../errors.ts";
import { baseKindOf, KIND } from "../key.ts";
import { operatorOf } from "../merge-operators.ts";
import type { FeedOperation } from "../store.ts";

/** From `lower`, inclusive, to `upper`, exclusive; a side without a bound is `undefined`. */
export interface FeedRange {
  readonly lower: Uint8Array | undefined;
  readonly upper: Uint8Array | undefined;
}

/** Whether anything of the operation may be in the range; of one on a range `key` is its start alone. */
export function mayConcern(kind: number, key: Uint8Array, { lower, upper }: FeedRange): boolean {
  if (upper !== undefined && compareBytes(key, upper) >= 0) return false;
  const isRange = kind === KIND.RANGE_DELETE || kind === KIND.INGEST;
  return isRange || lower === undefined || compareBytes(key, lower) >= 0;
}

/**
 * The operation, with arrays of its own; `undefined` for a deleted range that the feed's does not overlap. One that
 * does is cut to it. An entry that has expired by `nowMs` is told as deleted, since its value must not be handed out.
 */
export function fedOperation(
  kind: number,
  key: Uint8Array,
  stored: Uint8Array,
  range: FeedRange,
  nowMs: number,
): FeedOperation | undefined {
  switch (baseKindOf(kind)) {
    case KIND.RANGE_DELETE: {
      const part = partOf(key, stored, range);
      return part && { type: "deleteRange", ...part };
    }
    case KIND.MERGE: {
      const operator = operatorOf(stored, 0);
      if (operator === undefined) {
        throw new VarveError("CORRUPTION", `a logged operand has unknown operator ${stored[0]}`);
      }
      return { type: "merge", key: copy(key), operator, operand: copy(stored.subarray(1)) };
    }
    case KIND.PUT: {
      const expiresAt = expiresAtOf(kind, stored, 0);
      if (expiresAt <= nowMs) return { type: "delete", key: copy(key), expiresAt };
      const put = {
        type: "put" as const,
        key: copy(key),
        value: copy(stored.subarray(headerBytes(kind))),
      };
      return expiresAt === Number.POSITIVE_INFINITY ? put : { ...put, expiresAt };
    }
    default:
      return { type: "delete", key: copy(key) };
  }
}

/** The part of a range that the feed's has; `undefined` where it has none. An empty `end` is that of all keys. */
export function partOf(
  start: Uint8Array,
  end: Uint8Array,
  { lower, upper }: FeedRange,
): { readonly gte: Uint8Array; readonly lt?: Uint8Array } | undefined {
  const gte = lower !== undefined && compareBytes(lower, start) > 0 ? lower : start;
  const isOpen = end.length === 0;
  const lt = upper !== undefined && (isOpen || compareBytes(upper, end) < 0) ? upper : end;
  if (lt.length === 0) return { gte: copy(gte) };
  if (compareBytes(gte, lt) >= 0) return undefined;
  return { gte: copy(gte), lt: copy(lt) };
}

/** Not `slice`: that of a Buffer is a view. */
function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
