/**
 * Which versions of a user key a flush or compaction keeps. Open snapshots cut the sequence numbers into
 * stripes: all versions in one stripe look the same to every reader, but for the newest of them, which
 * hides the others. So of each stripe the newest version is kept.
 *
 * A tombstone is kept like any version, except in the oldest stripe: there it only hides what is older, and
 * where nothing older can be in a deeper level, it goes too.
 */
import { KIND } from "../key.ts";

export class Retention {
  /** Sequences of the open snapshots, ascending. */
  readonly #snapshots: readonly number[];
  /** Stripe of the version that came last; versions of one key come newest first. */
  #stripe = -1;

  constructor(snapshots: readonly number[]) {
    this.#snapshots = snapshots;
  }

  /** The next version belongs to another user key than the one before. */
  nextKey(): void {
    this.#stripe = -1;
  }

  /**
   * Whether to keep a version. `hasDeeper` says whether an older version of the key may be in a deeper
   * level; it is asked only where that matters.
   */
  keeps(sequence: number, kind: number, hasDeeper: () => boolean): boolean {
    const stripe = this.#stripeOf(sequence);
    if (stripe === this.#stripe) return false;
    this.#stripe = stripe;
    return !(kind === KIND.DELETE && stripe === 0 && !hasDeeper());
  }

  /** The number of snapshots that are too old to see the sequence: 0 is the oldest stripe. */
  #stripeOf(sequence: number): number {
    const snapshots = this.#snapshots;
    let stripe = 0;
    while (stripe < snapshots.length && snapshots[stripe]! < sequence) stripe++;
    return stripe;
  }
}
