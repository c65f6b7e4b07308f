/**
 * Latency histograms. Recording an HDR value costs about as much as a cached read, so reads are sampled:
 * one in `READ_SAMPLE` is timed, which leaves the percentiles as they are and the fast path fast.
 */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

export const READ_SAMPLE = 64;

export interface LatencySummary {
  /** Values recorded (for reads: one in `READ_SAMPLE`). */
  readonly count: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
}

export class Latency {
  readonly #histogram: RecordableHistogram = createHistogram();

  /** `startMs` from `performance.now()`. */
  recordSince(startMs: number): void {
    const nanoseconds = Math.round((performance.now() - startMs) * 1e6);
    this.#histogram.record(Math.max(nanoseconds, 1));
  }

  summary(): LatencySummary {
    const histogram = this.#histogram;
    const empty = histogram.count === 0;
    const us = (percentile: number) => (empty ? 0 : histogram.percentile(percentile) / 1000);
    return {
      count: histogram.count,
      p50Us: us(50),
      p99Us: us(99),
      p999Us: us(99.9),
      maxUs: empty ? 0 : histogram.max / 1000,
    };
  }
}
