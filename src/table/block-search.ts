/**
 * Finds entries of a data block. A point read goes by the tags of the keys' hashes to the entry that has its key,
 * and compares no other; a cursor goes to a place by a binary search. No key is put together on the way.
 *
 * Hot path: every point read ends here.
 */
import { compareRanges } from "../bytes/compare.ts";
import { compareTrailers } from "../key.ts";
import { BlockColumns } from "./block-columns.ts";
import { tagOf } from "./data-block.ts";
import { EntryDecoder } from "./entry-decoder.ts";

export const SEARCH = {
  /** The block has the user key at or after the trailer: the newest version that is visible. */
  FOUND: 0,
  /** The block does not have the user key there, and no block after it does. */
  ABSENT: 1,
  /** The block has newer versions of the user key, up to its end; others may follow in the next block. */
  GOES_ON: 2,
} as const;
export type SearchState = (typeof SEARCH)[keyof typeof SEARCH];

export class BlockSearch {
  /** That entry, when FOUND, and its number. */
  readonly entry = new EntryDecoder();
  place = 0;
  /** Of the block that was searched. */
  readonly columns = new BlockColumns();

  /** `hash` is the first half of the key's. */
  search(
    block: Uint8Array,
    key: Uint8Array,
    hash: number,
    trailerLow: number,
    trailerHigh: number,
  ): SearchState {
    const columns = this.columns;
    columns.enter(block);
    const tag = tagOf(hash);
    const tagsEnd = columns.tagsAt + columns.entries;
    for (let at = columns.tagsAt; at < tagsEnd; at++) {
      if (block[at] !== tag) continue;
      const place = at - columns.tagsAt;
      this.entry.decode(block, columns.entryAt(place));
      if (this.#isOf(key, block)) {
        return this.#searchVersions(block, place, key, trailerLow, trailerHigh);
      }
    }
    return SEARCH.ABSENT;
  }

  /** The first entry at or after (key, trailer), by its number; the number of entries where there is none. */
  firstFrom(block: Uint8Array, key: Uint8Array, trailerLow: number, trailerHigh: number): number {
    const entry = this.entry;
    const columns = this.columns;
    columns.enter(block);
    const { entries, prefixBytes } = columns;
    const keyBytes = Math.min(prefixBytes, key.length);
    const prefixOrder = compareRanges(block, 0, prefixBytes, key, 0, keyBytes);
    if (prefixOrder !== 0) return prefixOrder > 0 ? 0 : entries;
    let low = 0;
    let high = entries;
    while (low < high) {
      const middle = (low + high) >>> 1;
      entry.decode(block, columns.entryAt(middle));
      let order = compareRanges(block, entry.keyAt, entry.valueAt, key, prefixBytes, key.length);
      if (order === 0) {
        const high = columns.trailerHigh(middle);
        order = compareTrailers(entry.trailerLow, high, trailerLow, trailerHigh);
      }
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** From the newest version of the key, which was decoded and stands at `first`. */
  #searchVersions(
    block: Uint8Array,
    first: number,
    key: Uint8Array,
    trailerLow: number,
    trailerHigh: number,
  ): SearchState {
    const { entry, columns } = this;
    for (let place = first; ; ) {
      const high = columns.trailerHigh(place);
      if (compareTrailers(entry.trailerLow, high, trailerLow, trailerHigh) >= 0) {
        this.place = place;
        return SEARCH.FOUND;
      }
      if (++place === columns.entries) return SEARCH.GOES_ON;
      entry.decode(block, entry.end);
      if (!this.#isOf(key, block)) return SEARCH.ABSENT;
    }
  }

  /** Whether the decoded entry has this user key. */
  #isOf(key: Uint8Array, block: Uint8Array): boolean {
    const { keyAt, valueAt } = this.entry;
    const { prefixBytes } = this.columns;
    if (prefixBytes + valueAt - keyAt !== key.length) return false;
    const shift = keyAt - prefixBytes;
    // From the end, where neighbouring keys differ first.
    let i = key.length - 1;
    for (; i >= prefixBytes; i--) if (block[i + shift] !== key[i]) return false;
    for (; i >= 0; i--) if (block[i] !== key[i]) return false;
    return true;
  }
}
