/**
 * How far back old versions are kept, by sequence and by time: for the store, and for keyspaces that have a retention of
 * their own. The horizon is the sequence up to which nobody may ask for the past: what was overwritten or deleted at or
 * below it may go.
 *
 * Invariant: a sequence above the horizon was committed within `retentionMs`, or is among the last
 * `retentionSequences`, or nothing is known of its time.
 */
import { Horizons } from "../compaction/horizons.ts";
import type { Clock } from "../fs/clock.ts";
import { LEVELS, type Settings } from "../options.ts";
import type { Version } from "../version/version.ts";
import { CommitTimes } from "./commit-times.ts";

/** Of the time that is retained, the part between two looks at the horizon. */
const STEP_SHARE = 1 / 64;

/** How often to look whether the horizon has moved, at most, and where only sequences tell. */
const STEP_MS_MIN = 1000;

export type RetentionSettings = Pick<Settings, "retentionMs" | "retentionSequences">;

export interface KeyspaceRetention extends RetentionSettings {
  readonly id: number;
}

/** When to look again whether a horizon has moved; `undefined` where nothing is retained. */
export function horizonStepMs(all: readonly RetentionSettings[]): number | undefined {
  const steps = all
    .filter(isRetained)
    .map(({ retentionMs }) => Math.max(STEP_MS_MIN, retentionMs * STEP_SHARE));
  return steps.length === 0 ? undefined : Math.min(...steps);
}

function isRetained({ retentionMs, retentionSequences }: RetentionSettings): boolean {
  return retentionMs > 0 || retentionSequences > 0;
}

export class Retention {
  readonly #settings: RetentionSettings;
  readonly #clock: Clock;
  readonly #times = new CommitTimes();
  /** Sequences that nothing was committed with, since an ingest was given a later one. Ascending. */
  readonly #skipped: { readonly after: number; readonly count: number }[] = [];
  /** Sequences up to this one may have gaps that are not known, as ingests before this open have left. */
  #gapsTo: number;

  /** What is in a table was committed before the table was made, unless it was ingested: then it was made before. */
  constructor(settings: RetentionSettings, clock: Clock, version: Version, ingestedTo = 0) {
    this.#gapsTo = ingestedTo;
    this.#settings = settings;
    this.#clock = clock;
    const tables = Array.from({ length: LEVELS }, (_, level) => version.files(level)).flat();
    const byAge = tables.toSorted((a, b) => a.createdAtMs - b.createdAtMs);
    for (const { createdAtMs, smallestSequence, largestSequence } of byAge) {
      if (smallestSequence < largestSequence) this.#times.add(createdAtMs, largestSequence);
    }
  }

  /** `visible` is the newest sequence that readers see, and `keyspaces`, ascending, are those that do not go by the store. */
  horizons(visible: number, keyspaces: readonly KeyspaceRetention[]): Horizons {
    const all = [this.#settings, ...keyspaces];
    if (!all.some(isRetained)) {
      this.#forgetSkipped(this.#skipped.length);
      if (keyspaces.length === 0) return Horizons.NONE;
    }
    const nowMs = this.#clock.now();
    const longestMs = all.reduce((longest, { retentionMs }) => Math.max(longest, retentionMs), 0);
    if (longestMs > 0) this.#times.add(nowMs, visible);
    const horizonOf = (settings: RetentionSettings) => this.#horizonOf(settings, visible, nowMs);
    const rest = horizonOf(this.#settings);
    const own = keyspaces.map((keyspace) => [keyspace.id, horizonOf(keyspace)] as const);
    if (longestMs > 0) this.#times.forgetBefore(nowMs - longestMs);
    const horizons = new Horizons(rest, own);
    this.#forgetPassed(horizons);
    return horizons;
  }

  #horizonOf(settings: RetentionSettings, visible: number, nowMs: number): number {
    if (!isRetained(settings)) return Number.POSITIVE_INFINITY;
    const { retentionMs, retentionSequences } = settings;
    const bySequence =
      retentionSequences === 0 ? visible : this.#countBack(visible, retentionSequences);
    const byTime = retentionMs === 0 ? visible : this.#times.sequenceBefore(nowMs - retentionMs);
    return Math.max(0, Math.min(bySequence, byTime));
  }

  /** After `after`, so many sequences are passed over. */
  skip(after: number, count: number): void {
    this.#skipped.push({ after, count });
  }

  /** So many sequences back. */
  #countBack(visible: number, sequences: number): number {
    let back = visible - sequences;
    for (let i = this.#skipped.length - 1; i >= 0; i--) {
      const { after, count } = this.#skipped[i]!;
      if (back > after + count) break;
      if (after < visible) back -= count;
    }
    return back < this.#gapsTo ? 0 : back;
  }

  /** Gaps below all horizons are not counted any more, unless somebody is to keep more from now on. */
  #forgetPassed({ rest, own }: Horizons): void {
    const least = own.reduce((all, [, horizon]) => Math.min(all, horizon), rest);
    const passed = this.#skipped.findIndex(({ after, count }) => after + count >= least);
    this.#forgetSkipped(passed < 0 ? this.#skipped.length : passed);
  }

  #forgetSkipped(some: number): void {
    for (const { after, count } of this.#skipped.splice(0, some)) this.#gapsTo = after + count;
  }
}
