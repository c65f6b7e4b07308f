/**
 * A point read in one table: filter, index, one block. Answers from what is in memory; where a block is not,
 * the caller fetches it and searches again with it.
 *
 * Hot path: one instance serves any number of reads, one after the other, and allocates nothing.
 */

import type { KeyHash } from "../bytes/key-hash.ts";
import { entryCount, timeMsAt, trailerHighAt } from "./block-columns.ts";
import { BlockSearch, SEARCH } from "./block-search.ts";
import type { BlockSource } from "./block-source.ts";
import type { Table } from "./table.ts";

export const FIND = {
  /** The table has no version of the key that is visible. */
  ABSENT: 0,
  /** `block`, `valueStart`, `valueEnd` and `trailerLow` tell of the newest visible version; it is in `blockIndex`. */
  FOUND: 1,
  /** The block with index `blockIndex` has to be fetched. */
  BLOCKED: 2,
} as const;
export type FindState = (typeof FIND)[keyof typeof FIND];

const NO_BLOCK = new Uint8Array();

/** How filters did, over all searches that share it. */
export interface FilterStats {
  /** Tables whose filter was asked. */
  checks: number;
  /** Tables that were spared, as the filter said that the key is not in them. */
  refused: number;
  /** Tables that were read for nothing. */
  misses: number;
}

export class TableLookup {
  blockIndex = 0;
  block: Uint8Array = NO_BLOCK;
  valueStart = 0;
  valueEnd = 0;
  trailerLow = 0;
  readonly #search = new BlockSearch();
  readonly #stats: FilterStats;

  constructor(stats: FilterStats) {
    this.#stats = stats;
  }

  /** Of the version that was found. */
  get trailerHigh(): number {
    return trailerHighAt(this.block, entryCount(this.block), this.#search.place);
  }

  get timeMs(): number {
    return timeMsAt(this.block, entryCount(this.block), this.#search.place);
  }

  /** Asks the filter first. */
  find(
    table: Table,
    source: BlockSource,
    key: Uint8Array,
    hash: KeyHash,
    trailerLow: number,
    trailerHigh: number,
  ): FindState {
    this.#stats.checks++;
    if (!table.filter.mayContain(hash)) {
      this.#stats.refused++;
      return FIND.ABSENT;
    }
    const first = table.index.find(key);
    return this.findFrom(first, undefined, table, source, key, hash, trailerLow, trailerHigh);
  }

  /** Goes on at a block, which the caller has fetched if it gives it. */
  findFrom(
    blockIndex: number,
    fetched: Uint8Array | undefined,
    table: Table,
    source: BlockSource,
    key: Uint8Array,
    hash: KeyHash,
    trailerLow: number,
    trailerHigh: number,
  ): FindState {
    const state = this.searchFrom(
      blockIndex,
      fetched,
      table,
      source,
      key,
      hash,
      trailerLow,
      trailerHigh,
    );
    if (state === FIND.ABSENT) this.#stats.misses++;
    return state;
  }

  /** The same for a key that the table is known to have. */
  searchFrom(
    blockIndex: number,
    fetched: Uint8Array | undefined,
    table: Table,
    source: BlockSource,
    key: Uint8Array,
    hash: KeyHash,
    trailerLow: number,
    trailerHigh: number,
  ): FindState {
    let given = fetched;
    for (let index = blockIndex; index < table.index.length; index++) {
      const block = given ?? source.cached(index);
      given = undefined;
      this.blockIndex = index;
      if (block === undefined) return FIND.BLOCKED;
      const state = this.#search.search(block, key, hash.first, trailerLow, trailerHigh);
      if (state === SEARCH.FOUND) {
        const { entry } = this.#search;
        this.block = block;
        this.valueStart = entry.valueAt;
        this.valueEnd = entry.end;
        this.trailerLow = entry.trailerLow;
        return FIND.FOUND;
      }
      if (state === SEARCH.ABSENT || !table.index.mayGoOn(index, key)) break;
    }
    return FIND.ABSENT;
  }
}
