/** Time as an interface: the real one here, one that a test turns by hand in `test/support`. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonicMs(): number;
  /**
   * Calls `callback` once, `delayMs` from now. Keeps the process alive where somebody waits for it, and not
   * where it is for upkeep.
   */
  setTimer(delayMs: number, callback: () => void, isAwaited?: boolean): Timer;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback, isAwaited = false) {
    const timer = setTimeout(callback, delayMs);
    if (!isAwaited) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
