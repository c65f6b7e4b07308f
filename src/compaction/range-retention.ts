/**
 * Deleted ranges in a flush or compaction: which versions they hide for good, which of them are kept, and which tables
 * need not even be read. A fragment that reaches into several keyspaces, as old ones may, is kept for as long as any of
 * them needs it.
 *
 * Open snapshots cut the sequence numbers into stripes (`stripes.ts`). A range hides what is older in its own stripe
 * from everybody. Of each stripe the newest deletion of a range is kept, but in the oldest stripe only where something
 * may be in a deeper level.
 */
import type { Fragment, RangeTombstones } from "../range-tombstones.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { Stripes } from "./stripes.ts";

export class RangeRetention {
  readonly #ranges: RangeTombstones;
  readonly #stripes: Stripes;

  constructor(ranges: RangeTombstones, stripes: Stripes) {
    this.#ranges = ranges;
    this.#stripes = stripes;
  }

  get isEmpty(): boolean {
    return this.#ranges.isEmpty;
  }

  /** Whether a version of the user key `key[0, keyBytes)`, which the stripes are about, is hidden from every reader. */
  hides(key: Uint8Array, keyBytes: number, sequence: number): boolean {
    const fragment = this.#ranges.fragmentAt(key, 0, keyBytes);
    return fragment !== undefined && this.#hidesAll(fragment, sequence, sequence);
  }

  /** Whether all of a table is hidden from every reader by one fragment. */
  hidesTable({ smallest, largest, smallestSequence, largestSequence }: TableMeta): boolean {
    const fragment = this.#ranges.fragmentAt(smallest);
    if (fragment === undefined || this.#ranges.fragmentAt(largest) !== fragment) return false;
    this.#stripes.enterRange(fragment.start, fragment.end);
    return this.#hidesAll(fragment, smallestSequence, largestSequence);
  }

  /** What is to be written. `hasDeeper` says whether a deeper level may have keys in a range. */
  kept(hasDeeper: (start: Uint8Array, end: Uint8Array | undefined) => boolean): Fragment[] {
    const kept: Fragment[] = [];
    for (const { start, end, sequences } of this.#ranges.fragments) {
      this.#stripes.enterRange(start, end);
      const stripes = sequences.map((sequence) => this.#stripes.of(sequence));
      const needed = sequences.filter((_, i) => {
        if (stripes[i] === stripes[i - 1]) return false;
        return stripes[i] !== 0 || hasDeeper(start, end);
      });
      if (needed.length > 0) kept.push({ start, end, sequences: needed });
    }
    return kept;
  }

  /** The fragments of which not all is kept. */
  dropped(kept: readonly Fragment[]): Fragment[] {
    const counts = new Map(kept.map(({ start, sequences }) => [start, sequences.length]));
    return this.#ranges.fragments.filter(
      ({ start, sequences }) => (counts.get(start) ?? 0) < sequences.length,
    );
  }

  #hidesAll({ sequences }: Fragment, oldest: number, newest: number): boolean {
    const stripe = this.#stripes.of(oldest);
    return sequences.some((deleted) => deleted > newest && this.#stripes.of(deleted) === stripe);
  }
}
