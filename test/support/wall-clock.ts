/** A clock whose date a test sets; its timers are real. */
import { type Clock, systemClock, type Timer } from "../../src/fs/clock.ts";

export class WallClock implements Clock {
  #nowMs = Date.UTC(2026, 0, 1);

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void, isAwaited?: boolean): Timer {
    return systemClock.setTimer(delayMs, callback, isAwaited);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}
