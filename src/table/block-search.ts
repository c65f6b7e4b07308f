/**
 * Finds the first entry of a data block at or after an internal key: a binary search over the restarts, then
 * a walk of at most one restart interval. No key is put together on the way: the walk keeps how many bytes
 * of the wanted key the entry before has matched, and what an entry shares with that one mostly decides.
 *
 * Hot path: every point read ends here.
 */
import { compareRanges } from "../bytes/compare.ts";
import { compareTrailers } from "../key.ts";
import { entriesEnd, restartAt, restartCount } from "./data-block.ts";
import { EntryDecoder } from "./entry-decoder.ts";

export const SEARCH = {
  /** The block has the user key at or after the trailer: the newest version that is visible. */
  FOUND: 0,
  /** The first entry at or after the internal key has another user key. */
  ABSENT: 1,
  /** All entries of the block come before the internal key. */
  PAST_END: 2,
} as const;
export type SearchState = (typeof SEARCH)[keyof typeof SEARCH];

export class BlockSearch {
  /** Where the entry that the search ended on begins. */
  offset = 0;
  /** That entry, when FOUND. */
  readonly entry = new EntryDecoder();

  search(block: Uint8Array, key: Uint8Array, trailerLow: number, trailerHigh: number): SearchState {
    const end = entriesEnd(block);
    const entry = this.entry;
    const keyBytes = key.length;
    let at = this.startOf(block, key, trailerLow, trailerHigh);
    let matched = 0;
    while (at < end) {
      entry.decode(block, at);
      // A restart has its whole key, whatever it has in common with the entry before.
      if (entry.shared === 0) matched = 0;
      // Sharing more with the entry before than that matched, it is on the same side: before the key.
      if (entry.shared <= matched) {
        if (entry.shared < matched) break;
        const length = entry.shared + entry.unshared;
        const shift = entry.keyAt - matched;
        const most = Math.min(length, keyBytes);
        while (matched < most && block[matched + shift] === key[matched]) matched++;
        if (matched === keyBytes) {
          if (length > keyBytes) break;
          if (compareTrailers(entry.trailerLow, entry.trailerHigh, trailerLow, trailerHigh) >= 0) {
            this.offset = at;
            return SEARCH.FOUND;
          }
        } else if (matched < length && block[matched + shift]! > key[matched]!) break;
      }
      at = entry.end;
    }
    this.offset = at;
    return at < end ? SEARCH.ABSENT : SEARCH.PAST_END;
  }

  /** The last restart before (key, trailer), or the first: where a walk towards it begins. */
  startOf(block: Uint8Array, key: Uint8Array, trailerLow: number, trailerHigh: number): number {
    const entry = this.entry;
    const end = entriesEnd(block);
    let low = 0;
    let high = restartCount(block) - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      entry.decode(block, restartAt(block, end, middle));
      let order = compareRanges(block, entry.keyAt, entry.valueAt, key, 0, key.length);
      if (order === 0) {
        order = compareTrailers(entry.trailerLow, entry.trailerHigh, trailerLow, trailerHigh);
      }
      if (order < 0) low = middle;
      else high = middle - 1;
    }
    return restartAt(block, end, low);
  }
}
