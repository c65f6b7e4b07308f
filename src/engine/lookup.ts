/**
 * Point reads: memtables newest first, then level 0 newest first, then one table of each deeper level. The
 * first version found at or below the reader's sequence decides.
 *
 * `find` is the hot path: it answers from memory alone, without allocating, or says BLOCKED. `fetchSteps`
 * is the same search as a generator that yields what must come from the disk, so that one text serves
 * callers that await and callers that block.
 */

import { compareBytes } from "../bytes/compare.ts";
import { KeyHash } from "../bytes/key-hash.ts";
import { expiresAtOf, headerBytes } from "../entry-header.ts";
import {
  baseKindOf,
  FLAG,
  KIND,
  KIND_SEEK,
  kindOf,
  sequenceOf,
  TRAILER_HIGH_NEWEST,
  trailerHigh,
  trailerLow,
} from "../key.ts";
import type { Memtable } from "../memtable/memtable.ts";
import { LEVELS } from "../options.ts";
import type { Table } from "../table/table.ts";
import { FIND, type FilterStats, type FindState, TableLookup } from "../table/table-lookup.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { OpenTable } from "./open-table.ts";
import type { TableCache } from "./table-cache.ts";
import type { View } from "./view.ts";

export const LOOKUP = {
  ABSENT: 0,
  /** The value is `value[valueStart, valueEnd)` of the lookup, until its next search. */
  FOUND: 1,
  /** Something that the search needs is not in memory. */
  BLOCKED: 2,
  /** The newest version is an operand, which has yet to be folded into those below it. */
  MERGED: 3,
} as const;
export type LookupState = (typeof LOOKUP)[keyof typeof LOOKUP];

/** Something to fetch: with a blocking call, or off the event loop. */
export interface Fetch {
  now(): unknown;
  later(): Promise<unknown>;
}

/** One instance serves many searches, one after the other. */
export class Lookup {
  value: Uint8Array = new Uint8Array();
  valueStart = 0;
  valueEnd = 0;
  readonly #tables: TableCache;
  readonly #hash = new KeyHash();
  readonly #inTable: TableLookup;
  readonly #now: () => number;

  /**
   * `filterStats` counts what filters were asked; a search that may wait needs a `Lookup` of its own. `now` is the
   * wall clock.
   */
  constructor(tables: TableCache, filterStats: FilterStats, now: () => number) {
    this.#tables = tables;
    this.#now = now;
    this.#inTable = new TableLookup(filterStats);
  }

  find(view: View, key: Uint8Array, sequence: number): LookupState {
    const low = trailerLow(sequence, KIND_SEEK);
    const high = trailerHigh(sequence);
    this.#hash.update(key);
    if (view.hasRanges || view.memtables[0]?.ranges !== undefined) {
      return this.#findAmongRanges(view, key, low, high);
    }
    const inMemtables = this.#findInMemtables(view, key, low, high);
    if (inMemtables !== undefined) return inMemtables;

    const { version } = view;
    const tableHigh = sequence >= version.sequenceMax ? TRAILER_HIGH_NEWEST : high;
    for (const meta of version.level0) {
      if (!covers(meta, key)) continue;
      const state = this.#findInTable(meta, key, low, tableHigh);
      if (state !== undefined) return state;
    }
    for (let level = 1; level < LEVELS; level++) {
      const meta = version.level(level).tableFor(key);
      if (meta === undefined) continue;
      const state = this.#findInTable(meta, key, low, tableHigh);
      if (state !== undefined) return state;
    }
    return LOOKUP.ABSENT;
  }

  /** The same search where it may wait; drive it with `fetchNow` or `fetchLater`. */
  *fetchSteps(
    view: View,
    key: Uint8Array,
    sequence: number,
  ): Generator<Fetch, LookupState, unknown> {
    const low = trailerLow(sequence, KIND_SEEK);
    const high = trailerHigh(sequence);
    this.#hash.update(key);
    const inMemtables = this.#findInRangedMemtables(view, key, low, high);
    if (inMemtables !== undefined) return inMemtables;
    for (const meta of view.version.tablesFor(key)) {
      const table = (yield fetchTable(this.#tables, meta)) as OpenTable;
      try {
        const state = yield* this.#fetchFromTable(table, key, low, high);
        if (state !== undefined) return state;
      } finally {
        table.release();
      }
    }
    return LOOKUP.ABSENT;
  }

  *#fetchFromTable(
    open: OpenTable,
    key: Uint8Array,
    low: number,
    high: number,
  ): Generator<Fetch, LookupState | undefined, unknown> {
    const inTable = this.#inTable;
    const { table } = open;
    let state = inTable.find(table, open, key, this.#hash, low, high);
    while (state === FIND.BLOCKED) {
      const { blockIndex } = inTable;
      // The block is used as it comes, so a cache too small to keep it does not matter.
      const block = (yield fetchBlock(open, blockIndex)) as Uint8Array;
      state = inTable.findFrom(blockIndex, block, table, open, key, this.#hash, low, high);
    }
    if (this.#isInRange(table, state, key, low, high)) return LOOKUP.ABSENT;
    return state === FIND.FOUND ? this.#take() : undefined;
  }

  #findInMemtables(
    view: View,
    key: Uint8Array,
    low: number,
    high: number,
  ): LookupState | undefined {
    for (const memtable of view.memtables) {
      const node = memtable.find(this.#hash, key, low, high);
      if (node !== 0) return this.#takeNode(memtable, node);
    }
    return undefined;
  }

  #findInRangedMemtables(
    view: View,
    key: Uint8Array,
    low: number,
    high: number,
  ): LookupState | undefined {
    for (const memtable of view.memtables) {
      const node = memtable.find(this.#hash, key, low, high);
      const deleted = memtable.ranges?.covering(key, sequenceOf(low, high)) ?? 0;
      if (deleted > memtable.sequenceAt(node)) return LOOKUP.ABSENT;
      if (node !== 0) return this.#takeNode(memtable, node);
    }
    return undefined;
  }

  #takeNode(memtable: Memtable, node: number): LookupState {
    this.value = memtable.bytes;
    this.valueStart = memtable.valueStartAt(node);
    this.valueEnd = memtable.valueEndAt(node);
    return this.#judge(memtable.kindAt(node));
  }

  /** The same search where ranges were deleted: what a range hides of what is in its place, and all that is below. */
  #findAmongRanges(view: View, key: Uint8Array, low: number, high: number): LookupState {
    const inMemtables = this.#findInRangedMemtables(view, key, low, high);
    if (inMemtables !== undefined) return inMemtables;
    for (const meta of view.version.tablesFor(key)) {
      const open = this.#tables.get(meta.number);
      if (open === undefined) return LOOKUP.BLOCKED;
      const state = this.#inTable.find(open.table, open, key, this.#hash, low, high);
      if (state === FIND.BLOCKED) return LOOKUP.BLOCKED;
      if (this.#isInRange(open.table, state, key, low, high)) return LOOKUP.ABSENT;
      if (state === FIND.FOUND) return this.#take();
    }
    return LOOKUP.ABSENT;
  }

  #findInTable(
    meta: TableMeta,
    key: Uint8Array,
    low: number,
    high: number,
  ): LookupState | undefined {
    const open = this.#tables.get(meta.number);
    if (open === undefined) return LOOKUP.BLOCKED;
    const state = this.#inTable.find(open.table, open, key, this.#hash, low, high);
    if (state === FIND.ABSENT) return undefined;
    return state === FIND.BLOCKED ? LOOKUP.BLOCKED : this.#take();
  }

  /** Whether the key was deleted with a range after what was found of it in the same table, if anything was. */
  #isInRange(
    { ranges }: Table,
    state: FindState,
    key: Uint8Array,
    low: number,
    high: number,
  ): boolean {
    if (ranges === undefined) return false;
    const deleted = ranges.covering(key, sequenceOf(low, high));
    const { trailerLow, trailerHigh } = this.#inTable;
    return deleted > (state === FIND.FOUND ? sequenceOf(trailerLow, trailerHigh) : 0);
  }

  /** What the search in a table has found. */
  #take(): LookupState {
    const inTable = this.#inTable;
    this.value = inTable.block;
    this.valueStart = inTable.valueStart;
    this.valueEnd = inTable.valueEnd;
    return this.#judge(kindOf(inTable.trailerLow));
  }

  /** What the version that was found means. */
  #judge(kind: number): LookupState {
    if (kind === KIND.PUT) return LOOKUP.FOUND;
    const base = baseKindOf(kind);
    if (base === KIND.DELETE) return LOOKUP.ABSENT;
    if (base === KIND.MERGE) return LOOKUP.MERGED;
    if ((kind & FLAG.EXPIRES) !== 0) {
      if (expiresAtOf(kind, this.value, this.valueStart) <= this.#now()) return LOOKUP.ABSENT;
    }
    this.valueStart += headerBytes(kind);
    return LOOKUP.FOUND;
  }
}

function covers(meta: TableMeta, key: Uint8Array): boolean {
  return compareBytes(meta.smallest, key) <= 0 && compareBytes(meta.largest, key) >= 0;
}

/** The table comes held. */
function fetchTable(tables: TableCache, meta: TableMeta): Fetch {
  return { now: () => tables.acquireSync(meta), later: () => tables.acquire(meta) };
}

function fetchBlock(open: OpenTable, block: number): Fetch {
  return { now: () => open.loadSync(block), later: () => open.load(block) };
}

/** Drives a search with blocking file calls. On a failure the search gives back what it holds. */
export function fetchNow(steps: Generator<Fetch, LookupState, unknown>): LookupState {
  let step = steps.next();
  try {
    while (!step.done) step = steps.next(step.value.now());
  } catch (error) {
    steps.return(LOOKUP.ABSENT);
    throw error;
  }
  return step.value;
}

/** The same off the event loop. */
export async function fetchLater(
  steps: Generator<Fetch, LookupState, unknown>,
): Promise<LookupState> {
  let step = steps.next();
  try {
    while (!step.done) step = steps.next(await step.value.later());
  } catch (error) {
    steps.return(LOOKUP.ABSENT);
    throw error;
  }
  return step.value;
}
