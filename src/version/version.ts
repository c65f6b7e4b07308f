/**
 * A version: the immutable set of tables that make up the database below its memtables. Level 0 holds
 * flushed memtables, newest first, whose ranges overlap; every level below is sorted and without overlap.
 * An edit makes a new version and leaves the old one to its readers.
 */
import { compareBytes } from "../bytes/compare.ts";
import { VarveError } from "../errors.ts";
import { LEVELS } from "../options.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { VersionEdit } from "./edit.ts";
import { Level } from "./level.ts";
import { Past } from "./past.ts";

export interface LevelTotals {
  readonly files: number;
  readonly bytes: number;
  readonly entries: number;
  readonly tombstones: number;
  /** Entries whose values expire. */
  readonly expiring: number;
  /** Fragments of deleted ranges. */
  readonly rangeDeletes: number;
  /** Entries that a newer version of their key hides, in the same table. */
  readonly hidden: number;
}

const NOTHING: LevelTotals = {
  files: 0,
  bytes: 0,
  entries: 0,
  tombstones: 0,
  expiring: 0,
  rangeDeletes: 0,
  hidden: 0,
};

export class Version {
  static readonly EMPTY = new Version(
    [],
    Array.from({ length: LEVELS }, () => Level.EMPTY),
    Array.from({ length: LEVELS }, () => NOTHING),
    0,
    Past.WHOLE,
  );

  /** Newest first. */
  readonly level0: readonly TableMeta[];
  /** No table has a newer version of any key. */
  readonly sequenceMax: number;
  /** From where on the past is whole: versions from before may have been dropped. */
  readonly past: Past;
  readonly #levels: readonly Level[];
  readonly #totals: readonly LevelTotals[];

  private constructor(
    level0: readonly TableMeta[],
    levels: readonly Level[],
    totals: readonly LevelTotals[],
    sequenceMax: number,
    past: Past,
  ) {
    this.level0 = level0;
    this.sequenceMax = sequenceMax;
    this.past = past;
    this.#levels = levels;
    this.#totals = totals;
  }

  /** A level below 0. */
  level(level: number): Level {
    const found = this.#levels[level];
    if (found === undefined || level === 0)
      throw new RangeError(`there is no sorted level ${level}`);
    return found;
  }

  totals(level: number): LevelTotals {
    return this.#totals[level] ?? NOTHING;
  }

  /** The tables of any level: by age in level 0, by key below. */
  files(level: number): readonly TableMeta[] {
    return level === 0 ? this.level0 : this.level(level).files;
  }

  /** Tables of any level with a key from `smallest` to `largest`, both included. */
  overlapping(
    level: number,
    smallest: Uint8Array | undefined,
    largest: Uint8Array | undefined,
  ): TableMeta[] {
    if (level > 0) return this.level(level).overlapping(smallest, largest);
    return this.level0.filter(
      (table) =>
        (smallest === undefined || compareBytes(table.largest, smallest) >= 0) &&
        (largest === undefined || compareBytes(table.smallest, largest) <= 0),
    );
  }

  /** All tables that may hold the key, in the order in which a read asks them. */
  tablesFor(key: Uint8Array): TableMeta[] {
    const tables = this.overlapping(0, key, key);
    for (let level = 1; level < LEVELS; level++) {
      const table = this.level(level).tableFor(key);
      if (table !== undefined) tables.push(table);
    }
    return tables;
  }

  /** The version after `edit`. Throws `CORRUPTION` for an edit that does not fit this version. */
  apply(edit: VersionEdit): Version {
    const levels = [...this.#levels];
    const totals = [...this.#totals];
    let level0 = this.level0;
    for (let level = 0; level < LEVELS; level++) {
      const added = edit.added.filter((one) => one.level === level).map(({ table }) => table);
      const removed = edit.removed.filter((one) => one.level === level).map(({ number }) => number);
      if (added.length === 0 && removed.length === 0) continue;
      if (level === 0) level0 = withLevel0(level0, added, removed);
      else levels[level] = this.level(level).with(added, removed);
      const gone = new Set(removed);
      const before = this.files(level).filter((table) => gone.has(table.number));
      totals[level] = totalsAfter(this.totals(level), added, before);
    }
    const sequences = edit.added.map(({ table }) => table.largestSequence);
    const sequenceMax = Math.max(this.sequenceMax, ...sequences);
    const past = this.past.with(edit.prunedTo ?? 0, edit.prunedKeyspaces ?? []);
    return new Version(level0, levels, totals, sequenceMax, past);
  }

  /** One edit that makes this version out of nothing. */
  asEdit(): VersionEdit {
    const added = Array.from({ length: LEVELS }, (_, level) =>
      this.files(level).map((table) => ({ level, table })),
    ).flat();
    return { added, removed: [], ...this.past.changesSince(Past.WHOLE) };
  }
}

function withLevel0(
  level0: readonly TableMeta[],
  added: readonly TableMeta[],
  removed: readonly number[],
): readonly TableMeta[] {
  const gone = new Set(removed);
  const kept = level0.filter((table) => !gone.has(table.number));
  if (kept.length + gone.size !== level0.length) {
    throw new VarveError("CORRUPTION", "an edit removes a level-0 table that is not there");
  }
  return [...kept, ...added].sort((a, b) => b.largestSequence - a.largestSequence);
}

function totalsAfter(
  before: LevelTotals,
  added: readonly TableMeta[],
  removed: readonly TableMeta[],
): LevelTotals {
  const sum = (of: (table: TableMeta) => number) =>
    added.reduce((total, table) => total + of(table), 0) -
    removed.reduce((total, table) => total + of(table), 0);
  return {
    files: before.files + added.length - removed.length,
    bytes: before.bytes + sum((table) => table.fileBytes),
    entries: before.entries + sum((table) => table.entries),
    tombstones: before.tombstones + sum((table) => table.tombstones),
    expiring: before.expiring + sum((table) => table.expiring),
    rangeDeletes: before.rangeDeletes + sum((table) => table.rangeDeletes),
    hidden: before.hidden + sum((table) => table.hidden),
  };
}
