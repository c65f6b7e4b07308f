/** How late the event loop comes to what is due, second by second. */
import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often it is looked. What is measured is the time between two looks, so this much of it is no delay. */
const RESOLUTION_MS = 20;

/** Milliseconds. */
export interface LoopDelaySummary {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export const NO_LOOP_DELAY: LoopDelaySummary = { p50Ms: 0, p99Ms: 0, maxMs: 0 };

export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  start(): void {
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram.disable();
  }

  /** Of the time since the call before. */
  take(): LoopDelaySummary {
    const histogram = this.#histogram;
    if (histogram.count === 0) return NO_LOOP_DELAY;
    const delayMs = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const summary = {
      p50Ms: delayMs(histogram.percentile(50)),
      p99Ms: delayMs(histogram.percentile(99)),
      maxMs: delayMs(histogram.max),
    };
    histogram.reset();
    return summary;
  }
}
