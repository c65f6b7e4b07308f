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
import { headerBytes } from "../entry-header.ts";
import { baseKindOf, KIND, KIND_SEEK, kindOf, trailerHigh, trailerLow } from "../key.ts";
import { LEVELS } from "../options.ts";
import { FIND, type FilterStats, TableLookup } from "../table/table-lookup.ts";
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

  /** `filterStats` counts what filters were asked; a search that may wait needs a `Lookup` of its own. */
  constructor(tables: TableCache, filterStats: FilterStats) {
    this.#tables = tables;
    this.#inTable = new TableLookup(filterStats);
  }

  find(view: View, key: Uint8Array, sequence: number): LookupState {
    const low = trailerLow(sequence, KIND_SEEK);
    const high = trailerHigh(sequence);
    this.#hash.update(key);
    const inMemtables = this.#findInMemtables(view, key, low, high);
    if (inMemtables !== undefined) return inMemtables;

    const { version } = view;
    for (const meta of version.level0) {
      if (!covers(meta, key)) continue;
      const state = this.#findInTable(meta, key, low, high);
      if (state !== undefined) return state;
    }
    for (let level = 1; level < LEVELS; level++) {
      const meta = version.level(level).tableFor(key);
      if (meta === undefined) continue;
      const state = this.#findInTable(meta, key, low, high);
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
    const inMemtables = this.#findInMemtables(view, key, low, high);
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
      if (node === 0) continue;
      this.value = memtable.bytes;
      this.valueStart = memtable.valueStartAt(node);
      this.valueEnd = memtable.valueEndAt(node);
      return this.#judge(memtable.kindAt(node));
    }
    return undefined;
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
    if (baseKindOf(kind) === KIND.DELETE) return LOOKUP.ABSENT;
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
