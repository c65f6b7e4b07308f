/**
 * Finds entries of a data block. A point read goes by the tags of the keys' hashes to the entry that has its key,
 * and compares no other; a cursor goes to a place by a binary search. No key is put together on the way.
 *
 * Hot path: every point read ends here.
 */
import { compareRanges } from "../bytes/compare.ts";
import { compareTrailers, TRAILER_HIGH_NEWEST } from "../key.ts";
import { entryAt, entryCount, prefixBytesOf, tagsAt, trailerHighAt } from "./block-columns.ts";
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

  /** `hash` is the first half of the key's. */
  search(
    block: Uint8Array,
    key: Uint8Array,
    hash: number,
    trailerLow: number,
    trailerHigh: number,
  ): SearchState {
    const entries = entryCount(block);
    const tags = tagsAt(block, entries);
    const tag = tagOf(hash);
    for (let place = 0; place < entries; place++) {
      if (block[tags + place] !== tag) continue;
      this.entry.decode(block, entryAt(block, entries, place));
      if (this.#isOf(key, block)) {
        if (trailerHigh === TRAILER_HIGH_NEWEST) {
          this.place = place;
          return SEARCH.FOUND;
        }
        return this.#searchVersions(block, entries, place, key, trailerLow, trailerHigh);
      }
    }
    return SEARCH.ABSENT;
  }

  /** The first entry at or after (key, trailer), by its number; the number of entries where there is none. */
  firstFrom(block: Uint8Array, key: Uint8Array, trailerLow: number, trailerHigh: number): number {
    const entry = this.entry;
    const entries = entryCount(block);
    const prefixBytes = prefixBytesOf(block);
    const keyBytes = Math.min(prefixBytes, key.length);
    const prefixOrder = compareRanges(block, 0, prefixBytes, key, 0, keyBytes);
    if (prefixOrder !== 0) return prefixOrder > 0 ? 0 : entries;
    let low = 0;
    let high = entries;
    while (low < high) {
      const middle = (low + high) >>> 1;
      entry.decode(block, entryAt(block, entries, middle));
      let order = compareRanges(block, entry.keyAt, entry.valueAt, key, prefixBytes, key.length);
      if (order === 0) {
        const entryHigh = trailerHighAt(block, entries, middle);
        order = compareTrailers(entry.trailerLow, entryHigh, trailerLow, trailerHigh);
      }
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** From the newest version of the key, which was decoded and stands at `first`. */
  #searchVersions(
    block: Uint8Array,
    entries: number,
    first: number,
    key: Uint8Array,
    trailerLow: number,
    trailerHigh: number,
  ): SearchState {
    const { entry } = this;
    for (let place = first; ; ) {
      const high = trailerHighAt(block, entries, place);
      if (compareTrailers(entry.trailerLow, high, trailerLow, trailerHigh) >= 0) {
        this.place = place;
        return SEARCH.FOUND;
      }
      if (++place === entries) return SEARCH.GOES_ON;
      entry.decode(block, entry.end);
      if (!this.#isOf(key, block)) return SEARCH.ABSENT;
    }
  }

  /** Whether the decoded entry has this user key. */
  #isOf(key: Uint8Array, block: Uint8Array): boolean {
    const { keyAt, valueAt } = this.entry;
    const prefixBytes = prefixBytesOf(block);
    if (prefixBytes + valueAt - keyAt !== key.length) return false;
    const shift = keyAt - prefixBytes;
    // From the end, where neighbouring keys differ first.
    let i = key.length - 1;
    for (; i >= prefixBytes; i--) if (block[i + shift] !== key[i]) return false;
    for (; i >= 0; i--) if (block[i] !== key[i]) return false;
    return true;
  }
}
