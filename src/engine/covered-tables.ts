/** Tables of which a deleted range that is flushed leaves nothing to any reader: they go without being read. */
import type { Horizons } from "../compaction/horizons.ts";
import { PrunedKeyspaces } from "../compaction/pruned-keyspaces.ts";
import { RangeRetention } from "../compaction/range-retention.ts";
import { Stripes } from "../compaction/stripes.ts";
import { LEVELS } from "../options.ts";
import { RangeTombstones } from "../range-tombstones.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { Pruned } from "../version/past.ts";
import type { Version } from "../version/version.ts";
import type { SealedMemtable } from "./memtable-set.ts";

export interface CoveredTable {
  readonly level: number;
  readonly table: TableMeta;
}

/** What is kept of the past, and the tables that are being compacted, which stay. */
export interface Kept {
  readonly snapshots: readonly number[];
  readonly horizons: Horizons;
  readonly busy: ReadonlySet<number>;
}

export function coveredTables(
  version: Version,
  flushed: readonly SealedMemtable[],
  { snapshots, horizons, busy }: Kept,
): CoveredTable[] {
  const ranges = new RangeTombstones();
  for (const { memtable } of flushed) {
    if (memtable.ranges !== undefined) ranges.addAll(memtable.ranges);
  }
  if (ranges.isEmpty) return [];
  const stripes = new Stripes(snapshots, horizons.rest, horizons.own);
  const retention = new RangeRetention(ranges, stripes);
  return Array.from({ length: LEVELS }, (_, level) =>
    version
      .files(level)
      .filter((table) => !busy.has(table.number) && retention.hidesTable(table))
      .map((table) => ({ level, table })),
  ).flat();
}

/** What goes of the past with them; up to `largest` was flushed. `undefined` where there are none. */
export function prunedWith(
  covered: readonly CoveredTable[],
  horizons: Horizons,
  largest: number,
): Pruned | undefined {
  if (covered.length === 0) return undefined;
  const pruned = new PrunedKeyspaces(horizons);
  for (const { table } of covered) pruned.addRange(table.smallest, table.largest);
  const ids = new Set(pruned.ids);
  return {
    to: pruned.isRestPruned ? Math.min(horizons.rest, largest) : 0,
    keyspaces: horizons.own.map(([id, own]) => [id, ids.has(id) ? Math.min(own, largest) : 0]),
  };
}
