/**
 * Up to which sequence all had been committed by when, by samples: one list answers for any age. Samples thin out as they
 * grow old: between two the time is at most a 64th of their age, or as long as nobody asked.
 */

/** Of an age, the part between two samples. */
const SAMPLE_SHARE = 1 / 64;
/** Samples are thinned when they have doubled, and are more than this. */
const THIN_AT_MIN = 512;

/** Up to `sequence` all was committed by `ms` of the wall clock. */
interface Sample {
  readonly ms: number;
  readonly sequence: number;
}

export class CommitTimes {
  /** Ascending in both. */
  #samples: Sample[] = [];
  #thinAt = THIN_AT_MIN;

  get count(): number {
    return this.#samples.length;
  }

  /** Up to `sequence` all was committed by now, which is `ms`. */
  add(ms: number, sequence: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && (sequence <= last.sequence || ms <= last.ms)) return;
    this.#samples.push({ ms, sequence });
    if (this.#samples.length >= this.#thinAt) this.#thin(ms);
  }

  /** The newest sequence that is known to have been committed before `ms`; 0 where none is. */
  sequenceBefore(ms: number): number {
    return this.#samples[this.#firstFrom(ms) - 1]?.sequence ?? 0;
  }

  /** Nobody will ask for an earlier time than `ms`. */
  forgetBefore(ms: number): void {
    const first = this.#firstFrom(ms) - 1;
    if (first > 0) this.#samples.splice(0, first);
  }

  /** The index of the first sample that is not before `ms`. */
  #firstFrom(ms: number): number {
    let low = 0;
    let high = this.#samples.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#samples[middle]!.ms >= ms) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #thin(nowMs: number): void {
    const kept: Sample[] = [];
    for (const [i, sample] of this.#samples.entries()) {
      const before = kept.at(-1);
      const next = this.#samples[i + 1];
      const isNeeded =
        before === undefined ||
        next === undefined ||
        next.ms - before.ms > (nowMs - next.ms) * SAMPLE_SHARE;
      if (isNeeded) kept.push(sample);
    }
    this.#samples = kept;
    this.#thinAt = Math.max(THIN_AT_MIN, 2 * kept.length);
  }
}
