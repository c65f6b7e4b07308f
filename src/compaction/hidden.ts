/** How much of a table is hidden from every reader: pure functions of what the manifest knows of it. */
import { LEVELS } from "../options.ts";
import { hiddenUpTo, quarterOf, REST } from "../table/hidden-entries.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { Version } from "../version/version.ts";
import { Horizons } from "./horizons.ts";

/**
 * Whether it pays to compact the table for the versions in it that nobody can see any more. What is compacted then
 * loses a quarter of its entries at least, so no table is taken twice for the same. No snapshot is older than
 * `oldestSnapshot`.
 */
export function isMuchHidden(
  table: TableMeta,
  oldestSnapshot: number,
  horizons: Horizons = Horizons.NONE,
): boolean {
  const { quarterHiddenAt, hiddenParts, smallest, largest, entries } = table;
  if (quarterHiddenAt === 0) return false;
  if (quarterHiddenAt <= Math.min(oldestSnapshot, horizons.leastIn(smallest, largest))) return true;
  if (hiddenParts === undefined) return false;
  const known = new Set(hiddenParts.map(([keyspace]) => keyspace));
  // Keys of a keyspace that has got a retention of its own since are among the rest.
  const others = horizons.ownIn(smallest, largest).filter(([keyspace]) => !known.has(keyspace));
  const rest = others.reduce((least, [, horizon]) => Math.min(least, horizon), horizons.rest);
  let hidden = 0;
  for (const part of hiddenParts) {
    const [keyspace] = part;
    const horizon = keyspace === REST ? rest : horizons.of(keyspace);
    hidden += hiddenUpTo(part, entries, Math.min(oldestSnapshot, horizon));
  }
  return hidden >= quarterOf(entries);
}

/** Whether there may be something that is to go once the past has moved on. Level 0 is compacted anyway. */
export function waitsForPast(version: Version): boolean {
  for (let level = 1; level < LEVELS; level++) {
    const { hidden, tombstones, rangeDeletes } = version.totals(level);
    if (hidden > 0 || tombstones > 0 || rangeDeletes > 0) return true;
  }
  return false;
}
