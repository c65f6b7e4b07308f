/**
 * Whether anything in a range of keys was written after a sequence: asked in the synchronous step of a commit, so from
 * memory alone. Memtables tell exactly; of a table it is enough that it overlaps the range and has something newer,
 * since what is flushed while somebody waits to write is little. So a change is never missed, and one may be seen
 * where there is none.
 */
import { setImmediate } from "node:timers/promises";
import { compareBytes, compareRanges } from "../bytes/compare.ts";
import type { KeyBounds } from "../cursor/bounds.ts";
import { KIND_SEEK, SEQUENCE_MAX, trailerHigh, trailerLow } from "../key.ts";
import type { Memtable } from "../memtable/memtable.ts";
import { LEVELS } from "../options.ts";
import type { View, ViewList } from "./view.ts";

/** Entries that are put in order at a time, which takes about a millisecond. */
const LINK_STEP = 2048;

export interface RangeChange {
  /** The first key that was changed; `undefined` where that is not known. */
  readonly key: Uint8Array | undefined;
}

/** Puts what is asked into order, a piece at a time, so that the commit has little left to do. */
export async function orderMemtables(views: ViewList, since: number): Promise<void> {
  const view = views.pin();
  try {
    for (const memtable of view.memtables) {
      if (memtable.largestSequence <= since) continue;
      while (memtable.unlinked > LINK_STEP) {
        memtable.link(LINK_STEP);
        await setImmediate();
      }
    }
  } finally {
    views.unpin(view);
  }
}

/** What was changed in the range after `since`, submitted but not visible yet included. */
export function changeIn(view: View, bounds: KeyBounds, since: number): RangeChange | undefined {
  const { lower, upper } = bounds;
  if (lower !== undefined && upper !== undefined && compareBytes(lower, upper) >= 0) {
    return undefined;
  }
  for (const memtable of view.memtables) {
    if (memtable.largestSequence <= since) continue;
    const change = rangeDeletedIn(memtable, bounds, since) ?? entryIn(memtable, bounds, since);
    if (change !== undefined) return change;
  }
  const { version } = view;
  if (version.sequenceMax <= since) return undefined;
  for (let level = 0; level < LEVELS; level++) {
    const tables = version.overlapping(level, lower, upper);
    const isChanged = tables.some(
      ({ smallest, largestSequence }) =>
        largestSequence > since && (upper === undefined || compareBytes(smallest, upper) < 0),
    );
    if (isChanged) return { key: undefined };
  }
  return undefined;
}

function rangeDeletedIn(
  { ranges }: Memtable,
  { lower, upper }: KeyBounds,
  since: number,
): RangeChange | undefined {
  for (const { start, end, sequences } of ranges?.fragments ?? []) {
    const isAfter = upper !== undefined && compareBytes(start, upper) >= 0;
    const isBefore = lower !== undefined && end !== undefined && compareBytes(end, lower) <= 0;
    if (!isAfter && !isBefore && (sequences[0] ?? 0) > since) return { key: new Uint8Array(start) };
  }
  return undefined;
}

function entryIn(
  memtable: Memtable,
  { lower, upper }: KeyBounds,
  since: number,
): RangeChange | undefined {
  memtable.linkAll();
  const low = trailerLow(SEQUENCE_MAX, KIND_SEEK);
  const high = trailerHigh(SEQUENCE_MAX);
  let node =
    lower === undefined ? memtable.first() : memtable.next(memtable.before(lower, low, high));
  while (node !== 0) {
    const keyStart = memtable.keyStartAt(node);
    const keyEnd = memtable.valueStartAt(node);
    const { bytes } = memtable;
    if (
      upper !== undefined &&
      compareRanges(bytes, keyStart, keyEnd, upper, 0, upper.length) >= 0
    ) {
      return undefined;
    }
    if (memtable.sequenceAt(node) > since) {
      return { key: new Uint8Array(bytes.subarray(keyStart, keyEnd)) };
    }
    node = memtable.next(node);
  }
  return undefined;
}
