/** Scans where ranges were deleted: each cursor of a view without what the ranges at its place, or above, hide. */
import { RangeFilterCursor } from "../cursor/range-filter-cursor.ts";
import type { EntryCursor } from "../entry-cursor.ts";
import { LEVELS } from "../options.ts";
import { RangeTombstones } from "../range-tombstones.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { TableCache } from "./table-cache.ts";
import type { View } from "./view.ts";

/** Whether any range was deleted that has not been compacted away. */
export function hasRanges({ memtables, hasRanges: isBelow }: View): boolean {
  return isBelow || memtables[0]?.ranges !== undefined;
}

/**
 * `cursors` are those of the view's memtables, of its tables of level 0, and of its deeper levels that have tables, in
 * this order, the newest first. The caller keeps the view pinned.
 */
export async function filterRanges(
  tables: TableCache,
  view: View,
  cursors: readonly EntryCursor[],
  snapshot: number,
): Promise<EntryCursor[]> {
  const places = await placesOf(tables, view);
  let ranges = new RangeTombstones();
  return cursors.map((cursor, i) => {
    const { own, largestSequence } = places[i] as Place;
    if (own.length > 0) {
      const above = ranges;
      // A set of its own: cursors above go on with theirs.
      ranges = new RangeTombstones();
      for (const set of [above, ...own]) ranges.addAll(set);
    }
    if (ranges.isEmpty) return cursor;
    return new RangeFilterCursor(cursor, ranges, snapshot, largestSequence);
  });
}

interface Place {
  readonly own: readonly RangeTombstones[];
  readonly largestSequence: number;
}

async function placesOf(tables: TableCache, { memtables, version }: View): Promise<Place[]> {
  const inMemory = memtables.map(({ ranges, largestSequence }) => ({
    own: ranges === undefined ? [] : [ranges],
    largestSequence,
  }));
  const runs = version.level0.map((meta) => [meta]);
  for (let level = 1; level < LEVELS; level++) {
    const { files } = version.level(level);
    if (files.length > 0) runs.push([...files]);
  }
  return [...inMemory, ...(await Promise.all(runs.map((run) => placeOf(tables, run))))];
}

async function placeOf(tables: TableCache, run: readonly TableMeta[]): Promise<Place> {
  const own: RangeTombstones[] = [];
  let largestSequence = 0;
  for (const meta of run) {
    largestSequence = Math.max(largestSequence, meta.largestSequence);
    if (meta.rangeDeletes === 0) continue;
    const open = await tables.acquire(meta);
    if (open.table.ranges !== undefined) own.push(open.table.ranges);
    open.release();
  }
  return { own, largestSequence };
}
