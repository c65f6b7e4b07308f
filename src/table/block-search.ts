/**
 * Finds the first entry of a data block at or after an internal key: from the hash index, or else by a binary
 * search over the restarts, it comes to where a walk of about one restart interval begins. No key is put together on the way: the walk keeps how many bytes
 * of the wanted key the entry before has matched, and what an entry shares with that one mostly decides.
 *
 * Hot path: every point read ends here.
 */
import { compareRanges } from "../bytes/compare.ts";
import { compareTrailers } from "../key.ts";
import { BUCKET_EMPTY, BUCKET_UNDECIDED, bucketOf } from "./block-hash-index.ts";
import { bucketCount, entriesEnd, FOOTER_BYTES, restartAt, restartCount } from "./data-block.ts";
import { EntryDecoder } from "./entry-decoder.ts";

export const SEARCH = {
  /** The block has the user key at or after the trailer: the newest version that is visible. */
  FOUND: 0,
  /** The block does not have the user key there, and no block after it does. */
  ABSENT: 1,
  /** All entries of the block come before the internal key. */
  PAST_END: 2,
} as const;
export type SearchState = (typeof SEARCH)[keyof typeof SEARCH];

export class BlockSearch {
  /** That entry, when FOUND. */
  readonly entry = new EntryDecoder();

  /** `hash` is the first half of the key's. */
  search(
    block: Uint8Array,
    key: Uint8Array,
    hash: number,
    trailerLow: number,
    trailerHigh: number,
  ): SearchState {
    const end = entriesEnd(block);
    const entry = this.entry;
    const keyBytes = key.length;
    const buckets = bucketCount(block);
    const bucket =
      buckets === 0
        ? BUCKET_UNDECIDED
        : block[block.length - FOOTER_BYTES - buckets + bucketOf(hash, buckets)]!;
    if (bucket === BUCKET_EMPTY) return SEARCH.ABSENT;
    let at =
      bucket === BUCKET_UNDECIDED
        ? this.startOf(block, key, trailerLow, trailerHigh)
        : restartAt(block, end, bucket);
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
            return SEARCH.FOUND;
          }
        } else if (matched < length && block[matched + shift]! > key[matched]!) break;
      }
      at = entry.end;
    }
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
