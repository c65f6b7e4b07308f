/** How much of a table is hidden from every reader: pure functions of what the manifest knows of it. */
import { LEVELS } from "../options.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { Version } from "../version/version.ts";

/**
 * Whether it pays to compact the table for the versions in it that nobody can see any more. What is compacted then
 * loses a quarter of its entries at least, so no table is taken twice for the same.
 */
export function isMuchHidden({ quarterHiddenAt }: TableMeta, oldestSnapshot: number): boolean {
  return quarterHiddenAt > 0 && quarterHiddenAt <= oldestSnapshot;
}

/** Whether there may be something that is to go once the past has moved on. Level 0 is compacted anyway. */
export function waitsForPast(version: Version): boolean {
  for (let level = 1; level < LEVELS; level++) {
    const { hidden, tombstones, rangeDeletes } = version.totals(level);
    if (hidden > 0 || tombstones > 0 || rangeDeletes > 0) return true;
  }
  return false;
}
