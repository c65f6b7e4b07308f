/**
 * Slows writers as flush and compaction fall behind: gradually and in proportion, so that the rate of
 * writes settles where the background keeps up. Writes that must wait do so in the order they came. At a
 * hard limit they wait `writeDelayMaxMs` at most and then fail with `OVERLOADED`; nobody hangs.
 *
 * A write that may go on at once pays one comparison and is not deferred.
 *
 * Between a delay mark and its stop mark the rate falls exponentially, from `FASTEST` to `SLOWEST` bytes
 * per second. RocksDB's write controller has the same aim with a rate that adapts over time; a rate that
 * depends on the present backlog alone needs no tuning and cannot drift.
 */

import { VarveError } from "../errors.ts";
import type { Clock, Timer } from "../fs/clock.ts";

const FASTEST_BYTES_PER_SECOND = 128 * 1024 * 1024;
const SLOWEST_BYTES_PER_SECOND = 1024 * 1024;
/** Bytes of writes that may wait; a further one fails at once. */
const WAITING_BYTES_MAX = 128 * 1024 * 1024;

export type DelayReason = "memtables" | "level0" | "debt";

/** How far along each backlog is: 0 at its delay mark or below, 1 at its stop mark. */
export type Pressure = Readonly<Record<DelayReason, number>>;

export interface AdmissionStats {
  /** Writes that waited, by the reason that weighed most. */
  readonly delayed: Readonly<Record<DelayReason, number>>;
  readonly delayedMs: number;
  readonly refused: number;
  /** Bytes per second that writes are held to at present; `null` for no limit. */
  readonly bytesPerSecond: number | null;
  readonly waiting: number;
}

interface Waiter {
  readonly bytes: number;
  readonly entries: number;
  readonly sinceMs: number;
  readonly run: () => void;
  readonly reject: (error: VarveError) => void;
}

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly writeDelayMaxMs: number;
  /** Whether the memtables can take this much now. */
  readonly hasRoom: (entries: number, bytes: number) => boolean;
}

export class Admission {
  readonly #clock: Clock;
  readonly #writeDelayMaxMs: number;
  readonly #hasRoom: AdmissionOptions["hasRoom"];
  #pressure: Pressure = { memtables: 0, level0: 0, debt: 0 };
  #bytesPerSecond: number | undefined;
  #stopped = false;
  #held = false;
  /** Monotonic time from which the rate allows the next write. */
  #openAtMs = 0;
  readonly #waiters: Waiter[] = [];
  #waitingBytes = 0;
  #timer: Timer | undefined;
  #failure: VarveError | undefined;
  readonly #delayed: Record<DelayReason, number> = { memtables: 0, level0: 0, debt: 0 };
  #delayedMs = 0;
  #refused = 0;

  constructor(options: AdmissionOptions) {
    this.#clock = options.clock;
    this.#writeDelayMaxMs = options.writeDelayMaxMs;
    this.#hasRoom = options.hasRoom;
  }

  /** True where a write may be applied right now, before anything else happens. */
  mayPass(entries: number, bytes: number): boolean {
    return (
      this.#bytesPerSecond === undefined &&
      this.#waiters.length === 0 &&
      this.#hasRoom(entries, bytes)
    );
  }

  /** Calls `apply` as soon as the write may go on, in the same synchronous step as the check. */
  wait<Result>(entries: number, bytes: number, apply: () => Promise<Result>): Promise<Result> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#waitingBytes + bytes > WAITING_BYTES_MAX && this.#waiters.length > 0) {
      this.#refused++;
      return Promise.reject(
        overloaded("too many writes are waiting already", this.#retryAfterMs()),
      );
    }
    this.#delayed[this.#reason()]++;
    return new Promise<Result>((resolve, reject) => {
      const run = () => {
        try {
          apply().then(resolve, reject);
        } catch (error) {
          reject(error);
        }
      };
      this.#waiters.push({ bytes, entries, sinceMs: this.#clock.monotonicMs(), run, reject });
      this.#waitingBytes += bytes;
      this.#drain();
    });
  }

  /** Takes the new backlog and lets through what it allows. Call after each flush, compaction and rotation. */
  update(pressure: Pressure): void {
    this.#pressure = pressure;
    const most = Math.max(pressure.memtables, pressure.level0, pressure.debt);
    this.#stopped = most >= 1 || this.#held;
    const isFree = most <= 0 && !this.#held;
    this.#bytesPerSecond = isFree ? undefined : rateAt(Math.min(most, 1));
    this.#drain();
  }

  /** Lets no write through until `release`; for a moment. */
  hold(): void {
    this.#held = true;
    this.update(this.#pressure);
  }

  release(): void {
    this.#held = false;
    this.update(this.#pressure);
  }

  /** Rejects all that wait, now and later: the database is closed or its log has failed. */
  fail(error: VarveError): void {
    this.#failure = error;
    this.#timer?.cancel();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    this.#waitingBytes = 0;
  }

  stats(): AdmissionStats {
    return {
      delayed: { ...this.#delayed },
      delayedMs: Math.round(this.#delayedMs),
      refused: this.#refused,
      bytesPerSecond: this.#bytesPerSecond ?? null,
      waiting: this.#waiters.length,
    };
  }

  #drain(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const now = this.#clock.monotonicMs();
    for (let head = this.#waiters[0]; head !== undefined; head = this.#waiters[0]) {
      if (this.#stopped || now < this.#openAtMs) break;
      if (!this.#hasRoom(head.entries, head.bytes)) break;
      this.#leave(head, now);
      if (this.#bytesPerSecond !== undefined) {
        const costMs = (head.bytes / this.#bytesPerSecond) * 1000;
        this.#openAtMs = Math.max(this.#openAtMs, now) + costMs;
      }
      // May come back here through `update`, so the waiter has left the queue before it runs.
      head.run();
    }
    this.#refuseLate(now);
    this.#schedule(now);
  }

  #leave(waiter: Waiter, now: number): void {
    this.#waiters.shift();
    this.#waitingBytes -= waiter.bytes;
    this.#delayedMs += now - waiter.sinceMs;
  }

  #refuseLate(now: number): void {
    while (this.#waiters.length > 0) {
      const waiter = this.#waiters[0];
      if (waiter === undefined || now - waiter.sinceMs < this.#writeDelayMaxMs) return;
      this.#leave(waiter, now);
      this.#refused++;
      const message = `flush and compaction are behind (${this.#reason()})`;
      waiter.reject(overloaded(message, this.#retryAfterMs()));
    }
  }

  #schedule(now: number): void {
    const head = this.#waiters[0];
    if (head === undefined) return;
    const deadline = head.sinceMs + this.#writeDelayMaxMs;
    const at = !this.#stopped && this.#openAtMs > now ? this.#openAtMs : deadline;
    const delayMs = Math.max(1, Math.ceil(Math.min(at, deadline) - now));
    this.#timer = this.#clock.setTimer(delayMs, () => this.#drain(), true);
  }

  #reason(): DelayReason {
    const { memtables, level0, debt } = this.#pressure;
    if (level0 >= memtables && level0 >= debt && level0 > 0) return "level0";
    return debt > memtables ? "debt" : "memtables";
  }

  #retryAfterMs(): number {
    return Math.max(100, Math.ceil((this.#waitingBytes / SLOWEST_BYTES_PER_SECOND) * 100));
  }
}

function rateAt(pressure: number): number {
  return (
    FASTEST_BYTES_PER_SECOND * (SLOWEST_BYTES_PER_SECOND / FASTEST_BYTES_PER_SECOND) ** pressure
  );
}

function overloaded(what: string, retryAfterMs: number): VarveError {
  return new VarveError("OVERLOADED", `${what}; try again after ${retryAfterMs} ms`, {
    retryAfterMs,
  });
}
