/**
 * The log's segments that are no longer written to, oldest first: those that recovery still needs, and before them
 * those that are kept for feeds (`log-follower.ts`). A feed pins nothing: what falls out of the retention goes,
 * whoever reads it.
 *
 * Invariant: what is kept has no gaps, so all from the oldest segment's first sequence on can be told. Left-overs, files
 * that were made ready and never used, may lie between.
 *
 * Source of the idea: RocksDB's `WAL_size_limit_MB` and `WAL_ttl_seconds`.
 */

/** Flushed segments are kept while all of them have at most so many bytes, and none is older. */
export interface LogRetention {
  /** 0 keeps none. */
  readonly bytes: number;
  /** Since the last write to a segment; 0 for any age. */
  readonly ms: number;
}

export const NO_RETENTION: LogRetention = { bytes: 0, ms: 0 };

export interface ClosedSegment {
  readonly number: number;
  /** Where its records end; 0 for a left-over. */
  readonly end: number;
  /** Of the first operation in it; 0 where it holds none. */
  readonly firstSequence: number;
  /** What its file takes. */
  readonly bytes: number;
  readonly closedAtMs: number;
}

/** What is to be done with files after `SegmentList.retire`. */
export interface Retired {
  /** Nothing needs these any more. */
  readonly given: readonly ClosedSegment[];
  /** Kept, and mostly room that was made ready: to be cut at their ends. */
  readonly shortened: readonly ClosedSegment[];
}

export class SegmentList {
  readonly #retention: LogRetention;
  #segments: ClosedSegment[];
  /** Those below are there for feeds alone. */
  #neededFrom = 0;

  constructor(retention: LogRetention, segments: readonly ClosedSegment[]) {
    this.#retention = retention;
    this.#segments = segments.toSorted((a, b) => a.number - b.number);
  }

  get segments(): readonly ClosedSegment[] {
    return this.#segments;
  }

  /** Bytes that are kept for feeds alone. */
  get retainedBytes(): number {
    return this.#retained().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** When the oldest that is kept for feeds alone will be too old; `undefined` where none will. */
  get nextRetireMs(): number | undefined {
    const [oldest] = this.#retained();
    return oldest === undefined || this.#retention.ms === 0
      ? undefined
      : oldest.closedAtMs + this.#retention.ms;
  }

  /** Behind all others. */
  add(segment: ClosedSegment): void {
    this.#segments.push(segment);
  }

  find(number: number): ClosedSegment | undefined {
    return this.#segments.find((segment) => segment.number === number);
  }

  /** Recovery needs none below `neededFrom`; takes out those that the retention does not keep either. */
  retire(neededFrom: number, nowMs: number): Retired {
    this.#neededFrom = Math.max(this.#neededFrom, neededFrom);
    const retained = this.#retained();
    const kept = new Set(this.#within(retained, nowMs));
    const shortened = retained.filter((segment) => kept.has(segment) && isMostlyRoom(segment));
    this.#segments = this.#segments
      .filter((segment) => kept.has(segment) || segment.number >= this.#neededFrom)
      .map((segment) => (kept.has(segment) ? { ...segment, bytes: keptBytes(segment) } : segment));
    return { given: retained.filter((segment) => !kept.has(segment)), shortened };
  }

  /** Takes out the oldest of those that are kept for feeds alone, until they make up `bytes`, or none is left. */
  spare(bytes: number): readonly ClosedSegment[] {
    let left = bytes;
    const spared: ClosedSegment[] = [];
    for (const segment of this.#retained()) {
      if (left <= 0) break;
      left -= segment.bytes;
      spared.push(segment);
    }
    this.#segments = this.#segments.slice(spared.length);
    return spared;
  }

  #retained(): ClosedSegment[] {
    return this.#segments.filter(({ number }) => number < this.#neededFrom);
  }

  /** The newest of the segments, as many as may be kept. */
  #within(retained: readonly ClosedSegment[], nowMs: number): ClosedSegment[] {
    const { bytes: bytesMax, ms } = this.#retention;
    let bytesLeft = bytesMax;
    const segments = retained.filter(({ end }) => end > 0);
    const last = segments.findLastIndex((segment) => {
      bytesLeft -= keptBytes(segment);
      return bytesLeft < 0 || (ms > 0 && segment.closedAtMs + ms <= nowMs);
    });
    return segments.slice(last + 1);
  }
}

function isMostlyRoom({ end, bytes }: ClosedSegment): boolean {
  return end > 0 && 2 * end < bytes;
}

/** What a segment takes if it is kept. */
function keptBytes(segment: ClosedSegment): number {
  return isMostlyRoom(segment) ? segment.end : segment.bytes;
}
