/**
 * Walks the versions of one user key, newest first, through memtables and tables: for reads that need more than
 * the newest one. `next` answers from memory; where it is BLOCKED, `load` or `loadSync` fetches what is missing,
 * and `next` goes on.
 *
 * Who awaits `load` keeps the view pinned, and calls `end` in any case.
 */
import { compareBytes } from "../bytes/compare.ts";
import { KeyHash } from "../bytes/key-hash.ts";
import { createdAtOf, expiresAtOf, headerBytes, revisionsOf } from "../entry-header.ts";
import {
  baseKindOf,
  FLAG,
  KIND,
  KIND_SEEK,
  kindOf,
  sequenceOf,
  trailerHigh,
  trailerLow,
} from "../key.ts";
import type { Memtable } from "../memtable/memtable.ts";
import { LEVELS } from "../options.ts";
import { FIND, type FilterStats, TableLookup } from "../table/table-lookup.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { OpenTable } from "./open-table.ts";
import type { TableCache } from "./table-cache.ts";
import type { View } from "./view.ts";

export const WALK = {
  /** There is no older version. */
  END: 0,
  /** The fields tell of a version. */
  FOUND: 1,
  /** Something that the walk needs is not in memory. */
  BLOCKED: 2,
} as const;
export type WalkState = (typeof WALK)[keyof typeof WALK];

const EMPTY = new Uint8Array();
const NO_BLOCK = -1;

export class KeyVersions {
  /** One of `KIND`. A DELETE that expires stands for an entry that has, and whose value is gone. */
  kind = 0;
  sequence = 0;
  timeMs = 0;
  /** The value is `value[valueStart, valueEnd)`, until the next move, or for as long as the view is pinned. */
  value: Uint8Array = EMPTY;
  valueStart = 0;
  valueEnd = 0;
  /** From when on the entry is absent; `Infinity` where it does not expire. */
  expiresAtMs = 0;
  /** How many versions this one stands for, and the time of the oldest of them. */
  revisions = 0;
  createdAtMs = 0;
  /** The key came into being with the oldest of them. */
  isBorn = false;
  /** The version is a range that was deleted with the key in it: nothing older is seen. */
  isRange = false;
  /** Readers see sequences up to this one. */
  #sequence = 0;
  readonly #tables: TableCache;
  readonly #inTable: TableLookup;
  readonly #hash = new KeyHash();
  #view: View | undefined;
  #key: Uint8Array = EMPTY;
  /** The next version is at or after this trailer. */
  #low = 0;
  #high = 0;
  #byLives = false;
  #memtableAt = 0;
  /** The node that was found last in the present memtable; 0 before the first. */
  #node = 0;
  #level0At = 0;
  #level = 1;
  /** The table that is being searched. */
  #meta: TableMeta | undefined;
  #held: OpenTable | undefined;
  /** Where to search on in it; before anything was found in it, `NO_BLOCK`. */
  #blockIndex = NO_BLOCK;
  #block: Uint8Array | undefined;

  constructor(tables: TableCache, filterStats: FilterStats) {
    this.#tables = tables;
    this.#inTable = new TableLookup(filterStats);
  }

  /**
   * Before the newest version at or below `sequence`. The key's bytes must stay as they are. With `byLives`, what a
   * memtable has of the key since it came into being counts as one version, the newest of them.
   */
  start(view: View, key: Uint8Array, sequence: number, byLives: boolean): void {
    this.#hash.update(key);
    this.#view = view;
    this.#key = key;
    this.#byLives = byLives;
    this.#sequence = sequence;
    this.isRange = false;
    this.#low = trailerLow(sequence, KIND_SEEK);
    this.#high = trailerHigh(sequence);
    this.#memtableAt = 0;
    this.#node = 0;
    this.#level0At = 0;
    this.#level = 1;
    this.#leaveTable();
  }

  /** To the next older version. */
  next(): WalkState {
    if (this.isRange) return WALK.END;
    const { memtables } = this.#viewed();
    while (this.#memtableAt < memtables.length) {
      const memtable = memtables[this.#memtableAt]!;
      const node = this.#nodeIn(memtable);
      const deleted = memtable.ranges?.covering(this.#key, this.#sequence) ?? 0;
      if (deleted > memtable.sequenceAt(node)) return this.#takeRange(deleted);
      if (node !== 0) {
        this.#takeNode(memtable, node);
        // A deleted range in the same memtable may have ended what came before.
        if (!this.#byLives || deleted === 0) return WALK.FOUND;
        this.isBorn = true;
        return WALK.FOUND;
      }
      this.#node = 0;
      this.#memtableAt++;
    }
    return this.#nextInTables();
  }

  /** The next version in the memtable; 0 where there is none. */
  #nodeIn(memtable: Memtable): number {
    if (this.#node !== 0) return memtable.olderAt(this.#node);
    return memtable.find(this.#hash, this.#key, this.#low, this.#high);
  }

  /** A deleted range as the tombstone that it is to the key. */
  #takeRange(sequence: number): WalkState {
    this.#leaveTable();
    this.isRange = true;
    this.kind = KIND.DELETE;
    this.sequence = sequence;
    this.expiresAtMs = Number.POSITIVE_INFINITY;
    return WALK.FOUND;
  }

  async load(): Promise<void> {
    const meta = this.#tableNow();
    if (this.#held === undefined) this.#held = await this.#tables.acquire(meta);
    else this.#block = await this.#held.load(this.#blockIndex);
  }

  loadSync(): void {
    const meta = this.#tableNow();
    if (this.#held === undefined) this.#held = this.#tables.acquireSync(meta);
    else this.#block = this.#held.loadSync(this.#blockIndex);
  }

  /** Gives back what the walk holds. */
  end(): void {
    this.#leaveTable();
    this.#view = undefined;
  }

  #takeNode(memtable: Memtable, node: number): void {
    const kind = memtable.kindAt(node);
    const valueStart = memtable.valueStartAt(node);
    this.#take(kind, memtable.trailerLowAt(node), memtable.trailerHighAt(node));
    this.timeMs = memtable.timeMsAt(node);
    this.value = memtable.bytes;
    this.valueStart = valueStart + headerBytes(kind);
    this.valueEnd = memtable.valueEndAt(node);
    this.expiresAtMs = expiresAtOf(kind, memtable.bytes, valueStart);
    this.revisions = 1;
    this.createdAtMs = this.timeMs;
    this.isBorn = false;
    this.#node = node;
    if (!this.#byLives) return;
    const born = memtable.bornAt(node);
    this.revisions = memtable.revisionsAt(node);
    this.createdAtMs = memtable.timeMsAt(born);
    // What is older than its first version was a tombstone, or had expired.
    this.isBorn = memtable.olderAt(born) !== 0;
    this.#node = 0;
    this.#memtableAt++;
  }

  #nextInTables(): WalkState {
    for (;;) {
      this.#meta ??= this.#nextTable();
      if (this.#meta === undefined) return WALK.END;
      const open = this.#held ?? this.#tables.get(this.#meta.number);
      if (open === undefined) return WALK.BLOCKED;
      const state = this.#search(open);
      if (state !== FIND.BLOCKED && open.table.ranges !== undefined) {
        const deleted = open.table.ranges.covering(this.#key, this.#sequence);
        if (deleted > (state === FIND.FOUND ? this.sequence : 0)) return this.#takeRange(deleted);
      }
      if (state === FIND.FOUND) return WALK.FOUND;
      if (state === FIND.BLOCKED) {
        // Held from now on, so that it stays open until the block is there.
        if (this.#held === undefined) open.hold();
        this.#held = open;
        return WALK.BLOCKED;
      }
      this.#leaveTable();
    }
  }

  #search(open: OpenTable): number {
    const inTable = this.#inTable;
    const { table } = open;
    const state =
      this.#blockIndex === NO_BLOCK
        ? inTable.find(table, open, this.#key, this.#hash, this.#low, this.#high)
        : inTable.searchFrom(
            this.#blockIndex,
            this.#block,
            table,
            open,
            this.#key,
            this.#hash,
            this.#low,
            this.#high,
          );
    this.#blockIndex = state === FIND.ABSENT ? NO_BLOCK : inTable.blockIndex;
    this.#block = undefined;
    if (state !== FIND.FOUND) return state;
    const { block, valueStart } = inTable;
    const kind = kindOf(inTable.trailerLow);
    this.#block = block;
    this.#take(kind, inTable.trailerLow, inTable.trailerHigh);
    this.timeMs = inTable.timeMs;
    this.value = block;
    this.valueStart = valueStart + headerBytes(kind);
    this.valueEnd = inTable.valueEnd;
    this.expiresAtMs = expiresAtOf(kind, block, valueStart);
    this.revisions = revisionsOf(kind, block, valueStart);
    this.createdAtMs = createdAtOf(kind, block, valueStart, this.timeMs);
    this.isBorn = (kind & FLAG.BORN) !== 0;
    return state;
  }

  /** Takes over the kind and sequence of a version; the next one is older. */
  #take(kind: number, low: number, high: number): void {
    this.kind = baseKindOf(kind);
    this.sequence = sequenceOf(low, high);
    this.#low = low === 0 ? 0xffffffff : low - 1;
    this.#high = low === 0 ? high - 1 : high;
  }

  /** The next table that may have the key. */
  #nextTable(): TableMeta | undefined {
    const { version } = this.#viewed();
    const key = this.#key;
    while (this.#level0At < version.level0.length) {
      const meta = version.level0[this.#level0At++]!;
      const isCovered =
        compareBytes(meta.smallest, key) <= 0 && compareBytes(meta.largest, key) >= 0;
      if (isCovered) return meta;
    }
    while (this.#level < LEVELS) {
      const meta = version.level(this.#level++).tableFor(key);
      if (meta !== undefined) return meta;
    }
    return undefined;
  }

  #leaveTable(): void {
    this.#held?.release();
    this.#held = undefined;
    this.#meta = undefined;
    this.#blockIndex = NO_BLOCK;
    this.#block = undefined;
  }

  #viewed(): View {
    if (this.#view === undefined) throw new Error("the walk was not started");
    return this.#view;
  }

  #tableNow(): TableMeta {
    if (this.#meta === undefined) throw new Error("the walk does not wait for anything");
    return this.#meta;
  }
}
