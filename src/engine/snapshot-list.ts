/**
 * The sequences of the snapshots that are open. Compaction keeps, for each of them, the newest version of
 * a key at or below it.
 */
export class SnapshotList {
  /** Open snapshots by sequence; several may share one. */
  readonly #counts = new Map<number, number>();
  /** Of a sequence below this one it may not be known any more what was changed after it: see `forget`. */
  forgottenSequence = 0;

  add(sequence: number): void {
    this.#counts.set(sequence, (this.#counts.get(sequence) ?? 0) + 1);
  }

  remove(sequence: number): void {
    const count = this.#counts.get(sequence) ?? 0;
    if (count > 1) this.#counts.set(sequence, count - 1);
    else this.#counts.delete(sequence);
  }

  /**
   * A flush or compaction of entries up to `largestSequence` may drop deletes, and so all trace of a change, as far as
   * no open snapshot needs them. `oldest` is the oldest snapshot that it keeps, if there is one.
   */
  forget(largestSequence: number, oldest: number = Number.POSITIVE_INFINITY): void {
    const sequence = Math.min(largestSequence, oldest);
    if (sequence > this.forgottenSequence) this.forgottenSequence = sequence;
  }

  /** Distinct sequences, ascending. */
  sequences(): number[] {
    return [...this.#counts.keys()].sort((a, b) => a - b);
  }

  get count(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }
}
