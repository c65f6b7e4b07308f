/**
 * Which of its writes the log makes by itself, with a blocking call. One that need not be on the disk is a copy
 * into the system's cache, a few microseconds, and handing it to a thread takes ten times as long, in which
 * callers who wait for it send nothing new.
 *
 * Two limits keep the event loop free. After so many bytes a write goes to a thread after all, so that whoever
 * awaits one write after another lets the loop turn. And when a write has taken long, because the system holds
 * back who writes faster than the disk, threads make them for a while; for twice as long when that happens again
 * soon, so that a loop is held for a small part of the time at most, however slow the disk.
 *
 * Source of the idea: Redis, which writes to its log from its event loop and gives the syncs to a thread.
 */
import type { Clock } from "../fs/clock.ts";

/** Between two writes that let the loop turn: about a millisecond's work for those who submit them. */
const TURN_BYTES = 128 * 1024;
/** What a write counts for besides its bytes. */
const WRITE_COST_BYTES = 256;
const SLOW_MS = 2;
const PAUSE_MIN_MS = 1000;
const PAUSE_MAX_MS = 64_000;
/** So many pauses' time without a slow write, and the next pause is short again. */
const SOON_PAUSES = 4;

export class InlineWrites {
  readonly #clock: Clock;
  #bytes = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #pauseMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a write of so many bytes may block. Is asked once for each write. */
  allows(bytes: number): boolean {
    this.#bytes += bytes + WRITE_COST_BYTES;
    if (this.#bytes <= TURN_BYTES && this.#clock.monotonicMs() >= this.#notBeforeMs) return true;
    this.#bytes = 0;
    return false;
  }

  /** Runs a write that was allowed. */
  run(write: () => void): void {
    const startedMs = this.#clock.monotonicMs();
    write();
    const endedMs = this.#clock.monotonicMs();
    if (endedMs - startedMs <= SLOW_MS) return;
    const isSoon = endedMs < this.#notBeforeMs + SOON_PAUSES * this.#pauseMs;
    this.#pauseMs = isSoon ? Math.min(2 * this.#pauseMs, PAUSE_MAX_MS) : PAUSE_MIN_MS;
    this.#notBeforeMs = endedMs + this.#pauseMs;
  }
}
