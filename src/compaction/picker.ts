/**
 * Decides what to compact next. Pure: a version in, a plan out; nothing is read, changed or remembered.
 *
 * The level that is furthest over its target goes first, level 0 by its number of tables, since every read
 * asks all of them. From a level below 0 the table is taken that overlaps the least of the next level for
 * its own size (RocksDB's `kMinOverlappingRatio`), which moves the most data for each byte rewritten. From
 * level 0 the oldest are taken, with all that they overlap: a newer table may never get below an older one.
 */
import { compareBytes } from "../bytes/compare.ts";
import { LEVELS, type Settings } from "../options.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { Version } from "../version/version.ts";
import { isMuchExpired } from "./expired.ts";
import { isMuchHidden } from "./hidden.ts";
import type { Horizons } from "./horizons.ts";
import { codecOfLevel, LAST_LEVEL, type LevelTargets, levelTargets } from "./targets.ts";

/** Level-0 tables that one compaction takes at most. */
const LEVEL0_TABLES_MAX = 16;
/** Tables that one step of a manual compaction takes from a level at most. */
const MANUAL_TABLES_MAX = 16;
/** A moved table, and each output, overlaps at most so many tables' worth of the level below its own. */
export const GRANDPARENT_TABLES_MAX = 10;
/** A table whose entries are more than half tombstones is compacted, so that reads need not step over them. */
const TOMBSTONE_SHARE = 0.5;
const TOMBSTONES_MIN = 100;

type CompactionReason =
  | "level0"
  | "size"
  | "tombstones"
  | "expired"
  | "ranges"
  | "hidden"
  | "manual";

export interface CompactionPlan {
  readonly reason: CompactionReason;
  /** From one level, and what these overlap in the output level. Level 0 newest first, others by key. */
  readonly inputs: readonly { readonly level: number; readonly tables: readonly TableMeta[] }[];
  readonly outputLevel: number;
  /** The one input goes to the output level as it is. */
  readonly isMove: boolean;
}

export interface PickState {
  /** Numbers of tables that are being compacted. */
  readonly busy: ReadonlySet<number>;
  /** No open snapshot is older. */
  readonly oldestSnapshot: number;
  /** What is retained is above them. A tombstone that is neither is of use to no reader. */
  readonly horizons: Horizons;
  /** By the wall clock. */
  readonly nowMs: number;
}

interface Candidate {
  readonly level: number;
  readonly score: number;
}

/** The most urgent compaction, or `undefined` where nothing is due or all that is due is being done. */
export function pickCompaction(
  version: Version,
  settings: Settings,
  state: PickState,
): CompactionPlan | undefined {
  const targets = levelTargets(version, settings);
  for (const { level } of overfullLevels(version, settings, targets, state.busy)) {
    const plan =
      level === 0
        ? pickLevel0(version, settings, targets, state.busy)
        : pickFromLevel(version, settings, targets, state.busy, level);
    if (plan !== undefined) return plan;
  }
  return pickGarbage(version, state);
}

/** The levels with a score of 1 or more, the most overfull first. */
function overfullLevels(
  version: Version,
  settings: Settings,
  targets: LevelTargets,
  busy: ReadonlySet<number>,
): Candidate[] {
  const candidates: Candidate[] = [];
  const level0 = version.totals(0);
  const byCount = level0.files / settings.level0CompactAt;
  candidates.push({ level: 0, score: Math.max(byCount, level0.bytes / settings.levelBytes / 2) });
  for (let level = 1; level < LAST_LEVEL; level++) {
    if (version.totals(level).files === 0) continue;
    const bytes = version.totals(level).bytes - busyBytes(version, level, busy);
    candidates.push({ level, score: bytes / Math.max(1, targets.bytes[level] ?? 0) });
  }
  return candidates.filter(({ score }) => score >= 1).sort((a, b) => b.score - a.score);
}

function busyBytes(version: Version, level: number, busy: ReadonlySet<number>): number {
  if (busy.size === 0) return 0;
  let bytes = 0;
  for (const table of version.files(level)) if (busy.has(table.number)) bytes += table.fileBytes;
  return bytes;
}

/** Level 0 goes to the base level, or to a level above it that still holds older data. */
function level0Target(version: Version, targets: LevelTargets): number {
  for (let level = 1; level < targets.baseLevel; level++) {
    if (version.totals(level).files > 0) return level;
  }
  return targets.baseLevel;
}

function pickLevel0(
  version: Version,
  settings: Settings,
  targets: LevelTargets,
  busy: ReadonlySet<number>,
): CompactionPlan | undefined {
  const tables = version.level0.slice(-LEVEL0_TABLES_MAX);
  if (tables.length === 0 || version.level0.some(({ number }) => busy.has(number)))
    return undefined;
  const outputLevel = level0Target(version, targets);
  const oldest = tables.at(-1);
  if (oldest !== undefined && isMovable(version, settings, targets, 0, oldest, outputLevel)) {
    return moveOf("level0", 0, oldest, outputLevel);
  }
  return planOf("level0", version, 0, tables, outputLevel, busy);
}

function pickFromLevel(
  version: Version,
  settings: Settings,
  targets: LevelTargets,
  busy: ReadonlySet<number>,
  level: number,
): CompactionPlan | undefined {
  const free = version.files(level).filter(({ number }) => !busy.has(number));
  const overlapRatio = (table: TableMeta) =>
    bytesOf(version.overlapping(level + 1, table.smallest, table.largest)) / table.fileBytes;
  const byRatio = free
    .map((table) => ({ table, ratio: overlapRatio(table) }))
    .sort((a, b) => a.ratio - b.ratio);
  for (const { table } of byRatio) {
    if (isMovable(version, settings, targets, level, table, level + 1)) {
      return moveOf("size", level, table, level + 1);
    }
    const plan = planOf("size", version, level, [table], level + 1, busy);
    if (plan !== undefined) return plan;
  }
  return undefined;
}

/** A table of mostly garbage that can get rid of it, by going down or, in the last level, in place. */
function pickGarbage(version: Version, state: PickState): CompactionPlan | undefined {
  for (let level = 1; level < LEVELS; level++) {
    const { tombstones, expiring, rangeDeletes, hidden } = version.totals(level);
    const mayBeDue = tombstones >= TOMBSTONES_MIN || expiring > 0 || rangeDeletes > 0 || hidden > 0;
    if (!mayBeDue) continue;
    for (const table of version.files(level)) {
      if (state.busy.has(table.number)) continue;
      const reason = garbageOf(table, level, state);
      if (reason === undefined) continue;
      if (level === LAST_LEVEL) {
        return { reason, inputs: [{ level, tables: [table] }], outputLevel: level, isMove: false };
      }
      const plan = planOf(reason, version, level, [table], level + 1, state.busy);
      if (plan !== undefined) return plan;
    }
  }
  return undefined;
}

function garbageOf(
  table: TableMeta,
  level: number,
  { oldestSnapshot, horizons, nowMs }: PickState,
): CompactionReason | undefined {
  // No snapshot sees what has expired.
  if (isMuchExpired(table, nowMs)) return "expired";
  if (isMuchHidden(table, oldestSnapshot, horizons)) return "hidden";
  const isDense =
    table.tombstones >= TOMBSTONES_MIN && table.tombstones >= table.entries * TOMBSTONE_SHARE;
  if (table.rangeDeletes === 0 && !isDense) return undefined;
  // Which keyspaces the deletes are of is not known. Down it goes where they may be of use to nobody; in the last level,
  // where it would come out as it was, all must be.
  const horizon =
    level === LAST_LEVEL
      ? horizons.leastIn(table.smallest, table.largest)
      : horizons.mostIn(table.smallest, table.largest);
  if (table.largestSequence > Math.min(oldestSnapshot, horizon)) return undefined;
  // A deleted range goes down to where it meets what it hides, and with it.
  return table.rangeDeletes > 0 ? "ranges" : "tombstones";
}

/**
 * The next step of bringing a key range down to the last level: `undefined` where the range is there,
 * `"wait"` where what has to be compacted is being compacted already.
 */
export function pickRange(
  version: Version,
  settings: Settings,
  busy: ReadonlySet<number>,
  gte: Uint8Array | undefined,
  lte: Uint8Array | undefined,
): CompactionPlan | "wait" | undefined {
  const targets = levelTargets(version, settings);
  for (let level = 0; level < LAST_LEVEL; level++) {
    const inRange = version.overlapping(level, gte, lte);
    if (inRange.length === 0) continue;
    if (level === 0) {
      // All of them: a table of level 0 may not be left behind by a newer one.
      if (version.level0.some(({ number }) => busy.has(number))) return "wait";
      const outputLevel = level0Target(version, targets);
      return planOf("manual", version, 0, version.level0, outputLevel, busy) ?? "wait";
    }
    const some = joinedTables(version, inRange.slice(0, MANUAL_TABLES_MAX), level + 1);
    if (some.some(({ number }) => busy.has(number))) return "wait";
    const [first] = some;
    if (some.length === 1 && first !== undefined) {
      if (isMovable(version, settings, targets, level, first, level + 1)) {
        return moveOf("manual", level, first, level + 1);
      }
    }
    return planOf("manual", version, level, some, level + 1, busy) ?? "wait";
  }
  return undefined;
}

/**
 * The first table, and those behind it that tables of the output level join to one another. In a gap that
 * nothing covers, another compaction could bring a table down meanwhile, which the outputs, as they may reach
 * across the gap, would then overlap.
 */
function joinedTables(
  version: Version,
  tables: readonly TableMeta[],
  outputLevel: number,
): readonly TableMeta[] {
  const end = tables.findIndex((next, i) => {
    const before = tables[i - 1];
    if (before === undefined) return false;
    const [cover] = version.overlapping(outputLevel, before.largest, next.smallest);
    if (cover === undefined) return true;
    return (
      compareBytes(cover.smallest, before.largest) > 0 ||
      compareBytes(cover.largest, next.smallest) < 0
    );
  });
  return end === -1 ? tables : tables.slice(0, end);
}

/** The tables with what they overlap in the output level; `undefined` where any of that is busy. */
function planOf(
  reason: CompactionReason,
  version: Version,
  level: number,
  tables: readonly TableMeta[],
  outputLevel: number,
  busy: ReadonlySet<number>,
): CompactionPlan | undefined {
  const { smallest, largest } = rangeOf(tables);
  const overlapped = version.overlapping(outputLevel, smallest, largest);
  if (overlapped.some(({ number }) => busy.has(number))) return undefined;
  const inputs = [{ level, tables }];
  if (overlapped.length > 0) inputs.push({ level: outputLevel, tables: overlapped });
  return { reason, inputs, outputLevel, isMove: false };
}

function moveOf(
  reason: CompactionReason,
  level: number,
  table: TableMeta,
  outputLevel: number,
): CompactionPlan {
  return { reason, inputs: [{ level, tables: [table] }], outputLevel, isMove: true };
}

/**
 * Whether a table may go down as it is: it overlaps nothing there and not too much below, and the level it
 * goes to stores its blocks the same way. A table with tombstones is rewritten, which may drop them.
 */
function isMovable(
  version: Version,
  settings: Settings,
  targets: LevelTargets,
  level: number,
  table: TableMeta,
  outputLevel: number,
): boolean {
  const { smallest, largest } = table;
  if (table.tombstones > 0 || table.rangeDeletes > 0) return false;
  if (codecOfLevel(level, targets, settings) !== codecOfLevel(outputLevel, targets, settings)) {
    return false;
  }
  if (version.overlapping(outputLevel, smallest, largest).length > 0) return false;
  if (outputLevel === LAST_LEVEL) return true;
  const below = bytesOf(version.overlapping(outputLevel + 1, smallest, largest));
  return below <= GRANDPARENT_TABLES_MAX * settings.tableBytes;
}

/** The user keys that tables span together. */
export function rangeOf(tables: readonly TableMeta[]): {
  smallest: Uint8Array;
  largest: Uint8Array;
} {
  const [first, ...others] = tables;
  if (first === undefined) throw new RangeError("no tables span no range");
  let { smallest, largest } = first;
  for (const table of others) {
    if (compareBytes(table.smallest, smallest) < 0) smallest = table.smallest;
    if (compareBytes(table.largest, largest) > 0) largest = table.largest;
  }
  return { smallest, largest };
}

function bytesOf(tables: readonly TableMeta[]): number {
  let bytes = 0;
  for (const table of tables) bytes += table.fileBytes;
  return bytes;
}
