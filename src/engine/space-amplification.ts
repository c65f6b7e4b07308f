/**
 * How much more space the tables take than what is alive in them. Nobody can tell without reading them all, so this is
 * an estimate:
 *
 *   bytes of all tables / (bytes of the largest level × share of its entries that are neither tombstones nor hidden)
 *
 * The largest level, which is the last one in all but a young database, has a version of nearly every key that there
 * is (`compaction/targets.ts`), and what is above it is taken as newer versions of those. Where keys are only ever
 * added, nothing is garbage and this says up to 1.1; and for a database that is still finding its shape it says too
 * much.
 */
export interface LevelShare {
  readonly bytes: number;
  readonly entries: number;
  readonly tombstones: number;
  readonly hidden: number;
}

/** From 1 on; 0 where there are no tables. */
export function spaceAmplification(levels: readonly LevelShare[]): number {
  let bytes = 0;
  let largest: LevelShare | undefined;
  for (const level of levels) {
    bytes += level.bytes;
    if (largest === undefined || level.bytes >= largest.bytes) largest = level;
  }
  if (bytes === 0 || largest === undefined) return 0;
  const { entries, tombstones, hidden } = largest;
  // Of a level of tombstones alone nothing is alive, which is no number that can be drawn.
  const alive = Math.max(1, entries - tombstones - hidden) / Math.max(1, entries);
  return bytes / (largest.bytes * alive);
}
