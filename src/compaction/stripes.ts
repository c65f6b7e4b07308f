/**
 * Which versions of a user key a flush or compaction may drop. Open snapshots cut the sequence numbers into
 * stripes: all versions in one stripe look the same to every reader, but for the newest of them, which hides the
 * others. Above the horizon, from where on the past is retained, each sequence is a stripe. So of each stripe the newest version is kept, and what can still be asked of the others, how many they
 * were and since when, is folded into it (`version-fold.ts`).
 */
export class Stripes {
  /** Sequences of the open snapshots, ascending. */
  readonly #snapshots: readonly number[];
  readonly #horizon: number;

  constructor(snapshots: readonly number[], horizon = Number.POSITIVE_INFINITY) {
    this.#snapshots = snapshots;
    this.#horizon = horizon;
  }

  /** Up to the horizon the number of snapshots that are too old to see the sequence: 0 is the oldest stripe. */
  of(sequence: number): number {
    const snapshots = this.#snapshots;
    if (sequence > this.#horizon) return snapshots.length + sequence - this.#horizon;
    let stripe = 0;
    while (stripe < snapshots.length && snapshots[stripe]! < sequence) stripe++;
    return stripe;
  }
}
