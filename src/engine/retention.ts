/**
 * How far back old versions are kept, by sequence and by time. The horizon is the sequence up to which nobody may ask
 * for the past: what was overwritten or deleted at or below it may go. It moves forward only.
 *
 * Invariant: a sequence above the horizon was committed within `retentionMs`, or is among the last
 * `retentionSequences`, or nothing is known of its time.
 */
import type { Clock } from "../fs/clock.ts";
import { LEVELS, type Settings } from "../options.ts";
import type { Version } from "../version/version.ts";

/** Of the time that is retained, the part between two samples; so much more may be kept. */
const SAMPLE_SHARE = 1 / 64;

/** How often to look whether the horizon has moved, at most, and where only sequences tell. */
const STEP_MS_MIN = 1000;

/** When to look again whether the horizon has moved; `undefined` where nothing is retained. */
export function horizonStepMs({
  retentionMs,
  retentionSequences,
}: Pick<Settings, "retentionMs" | "retentionSequences">): number | undefined {
  if (retentionMs === 0 && retentionSequences === 0) return undefined;
  return Math.max(STEP_MS_MIN, retentionMs * SAMPLE_SHARE);
}

/** Up to `sequence` all was committed by `ms` of the wall clock. */
interface Sample {
  readonly ms: number;
  readonly sequence: number;
}

export class Retention {
  readonly #settings: Pick<Settings, "retentionMs" | "retentionSequences">;
  readonly #clock: Clock;
  /** Sequences that nothing was committed with, since an ingest was given a later one. */
  #skipped: { readonly after: number; readonly count: number }[] = [];
  /** Ascending in both. */
  #samples: Sample[] = [];
  #horizon = 0;
  /** Sequences up to this one may have gaps that are not known, as ingests before this open have left. */
  readonly #gapsTo: number;

  /** What is in a table was committed before the table was made, unless it was ingested: then it was made before. */
  constructor(
    settings: Pick<Settings, "retentionMs" | "retentionSequences">,
    clock: Clock,
    version: Version,
    ingestedTo = 0,
  ) {
    this.#gapsTo = ingestedTo;
    this.#settings = settings;
    this.#clock = clock;
    if (settings.retentionMs === 0) return;
    const tables = Array.from({ length: LEVELS }, (_, level) => version.files(level)).flat();
    const byAge = tables.toSorted((a, b) => a.createdAtMs - b.createdAtMs);
    for (const { createdAtMs, smallestSequence, largestSequence } of byAge) {
      if (smallestSequence < largestSequence) this.#add(createdAtMs, largestSequence);
    }
  }

  /** `visible` is the newest sequence that readers see. */
  horizon(visible: number): number {
    const { retentionMs, retentionSequences } = this.#settings;
    if (retentionMs === 0 && retentionSequences === 0) return Number.POSITIVE_INFINITY;
    const bySequence = retentionSequences === 0 ? visible : this.#countBack(visible);
    const byTime = retentionMs === 0 ? visible : this.#sequenceBefore(visible);
    this.#horizon = Math.max(this.#horizon, Math.min(bySequence, byTime));
    return this.#horizon;
  }

  /** After `after`, so many sequences are passed over. */
  skip(after: number, count: number): void {
    if (this.#settings.retentionSequences > 0) this.#skipped.push({ after, count });
  }

  /** So many sequences back as are retained. */
  #countBack(visible: number): number {
    let back = visible - this.#settings.retentionSequences;
    let needed = this.#skipped.length;
    while (needed > 0) {
      const { after, count } = this.#skipped[needed - 1]!;
      if (back > after + count) break;
      if (after < visible) back -= count;
      needed--;
    }
    // Those are never reached again.
    this.#skipped.splice(0, needed);
    return back < this.#gapsTo ? 0 : back;
  }

  /** The newest sequence that is known to be older than what is retained by time. */
  #sequenceBefore(visible: number): number {
    const nowMs = this.#clock.now();
    this.#add(nowMs, visible);
    const oldestMs = nowMs - this.#settings.retentionMs;
    const first = this.#samples.findIndex(({ ms }) => ms >= oldestMs);
    const passed = first < 0 ? this.#samples.length : first;
    if (passed === 0) return 0;
    this.#samples = this.#samples.slice(passed - 1);
    return this.#samples[0]?.sequence ?? 0;
  }

  #add(ms: number, sequence: number): void {
    const last = this.#samples.at(-1);
    if (last === undefined) this.#samples.push({ ms, sequence });
    else if (
      sequence > last.sequence &&
      ms >= last.ms + this.#settings.retentionMs * SAMPLE_SHARE
    ) {
      this.#samples.push({ ms, sequence });
    }
  }
}
