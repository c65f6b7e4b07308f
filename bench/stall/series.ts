/** Latencies by the second, and the longest time in which nothing was answered. */
import { percentile } from "../support/percentile.ts";

export interface Second {
  readonly second: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** The longest time without an answer that ended in this second. */
  readonly longestGapMs: number;
}

export class Series {
  readonly #startMs: number;
  readonly #latenciesMs: number[][] = [];
  readonly #gapsMs: number[] = [];
  #lastMs: number;

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#lastMs = startMs;
  }

  add(dueMs: number, answeredMs: number): void {
    const second = Math.floor((answeredMs - this.#startMs) / 1000);
    const latencies = this.#latenciesMs[second];
    if (latencies === undefined) this.#latenciesMs[second] = [answeredMs - dueMs];
    else latencies.push(answeredMs - dueMs);
    this.#gapsMs[second] = Math.max(this.#gapsMs[second] ?? 0, answeredMs - this.#lastMs);
    this.#lastMs = answeredMs;
  }

  seconds(): Second[] {
    return this.#latenciesMs.flatMap((latencies, second) => {
      const sorted = Float64Array.from(latencies).sort();
      return {
        second,
        p50Ms: percentile(sorted, 50),
        p99Ms: percentile(sorted, 99),
        p999Ms: percentile(sorted, 99.9),
        longestGapMs: this.#gapsMs[second] ?? 0,
      };
    });
  }

  /** Of all seconds together. */
  percentileMs(percent: number): number {
    return percentile(Float64Array.from(this.#latenciesMs.flat()).sort(), percent);
  }

  get longestGapMs(): number {
    return Math.max(0, ...this.#gapsMs.filter((gap) => gap !== undefined));
  }
}
