/**
 * What an operator is told of the running process: what callers asked for and how long it took, second by second for
 * the last ten minutes, and which operations were slow. The doors record, a timer samples, and the admin and metrics
 * routes read. It holds on to nothing of the engine, and costs the same however much is stored.
 */
import type { DatabaseStats } from "../engine/stats.ts";
import { VarveError } from "../errors.ts";
import { type Clock, systemClock, type Timer } from "../fs/clock.ts";
import { percentilesOf } from "./latency-buckets.ts";
import { LoopDelay, type LoopDelaySummary, NO_LOOP_DELAY } from "./loop-delay.ts";
import { MeterWindow, OperationMeter, slotOf } from "./operation-meter.ts";
import type { Door, OperationName } from "./operations.ts";
import type { KeyspaceNames } from "./printable-key.ts";
import {
  type DoorStats,
  type Moment,
  type OperationSample,
  type Sample,
  sampleOf,
} from "./sample.ts";
import { SLOW_MS, type SlowOperation, SlowOperations } from "./slow-operations.ts";

export type { Door, OperationName } from "./operations.ts";

export const SAMPLE_INTERVAL_MS = 1000;
const SAMPLES_MAX = 600;
const MINUTE_SAMPLES = 60;

/** A client's connection, as JSON. */
export interface ConnectionPicture {
  readonly id: number;
  readonly peer: string;
  /** As it names itself. */
  readonly client: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Requests without their final answer, scans and watches included. */
  readonly in_flight: number;
  readonly scans: number;
  readonly watches: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
}

export interface TelemetrySources {
  readonly store: () => DatabaseStats;
  /** With `connections`, `bytesIn` and `bytesOut`, where a door tells them. */
  readonly tcp: () => object;
  readonly http: () => object;
  /** The TCP door's connections, those with the most traffic first. */
  readonly connections?: (max: number) => ConnectionPicture[];
  readonly clock?: Clock;
}

export class Telemetry {
  readonly meter = new OperationMeter();
  readonly #sources: TelemetrySources;
  readonly #clock: Clock;
  readonly #window = new MeterWindow(this.meter);
  readonly #slow = new SlowOperations();
  readonly #loopDelay = new LoopDelay();
  readonly #samples: Sample[] = [];
  /** Of the last minute, oldest first. */
  readonly #moments: Moment[] = [];
  readonly #startedMs: number;
  #lastCpu = process.cpuUsage();
  #cpuShare = 0;
  #seconds = 0;
  #timer: Timer | undefined;

  constructor(sources: TelemetrySources) {
    this.#sources = sources;
    this.#clock = sources.clock ?? systemClock;
    this.#startedMs = this.#clock.monotonicMs();
  }

  get uptimeMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  /** Of the last whole second; nothing before that. */
  get loopDelay(): LoopDelaySummary {
    return this.#moments.at(-1)?.loopDelay ?? NO_LOOP_DELAY;
  }

  /** The longest in the last minute. */
  get loopDelayMaxMs(): number {
    return Math.max(0, ...this.#moments.map(({ loopDelay }) => loopDelay.maxMs));
  }

  /** Processor time per time, in the last whole second: 1 is one processor. */
  get cpuShare(): number {
    return this.#cpuShare;
  }

  /** Samples that were taken: goes up once a second. */
  get seconds(): number {
    return this.#seconds;
  }

  get slowMs(): number {
    return SLOW_MS;
  }

  /**
   * An operation was answered. `isError` where it failed otherwise than by its caller's own condition or wish to end it.
   * `key` is the stored key that it is about, or begins with; it is looked at only where the operation was slow.
   * `weight` is for those who time a part of the operations only, and `skip` the others: of how many this one tells.
   */
  record(
    door: Door,
    operation: OperationName,
    durationMs: number,
    isError: boolean,
    key?: Uint8Array,
    weight = 1,
  ): void {
    this.meter.record(slotOf(door, operation), durationMs, isError, weight);
    if (durationMs >= SLOW_MS) {
      this.#slow.offer(this.#clock.now(), door, operation, durationMs, isError, key);
    }
  }

  /** Operations were answered and are counted, but were not timed. */
  skip(door: Door, operation: OperationName, count: number): void {
    this.meter.skip(slotOf(door, operation), count);
  }

  /** Samples once a second from now on. Its timer does not keep the process alive. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#loopDelay.start();
    this.#remember(this.#look());
    this.#sampleLater();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#loopDelay.stop();
  }

  /** Those of the last ten minutes that are newer than `afterTime`, oldest first. */
  samples(afterTime = 0): Sample[] {
    const first = this.#samples.findIndex(({ time }) => time > afterTime);
    return first === -1 ? [] : this.#samples.slice(first);
  }

  /** Newest first. */
  slowOperations(names: KeyspaceNames): SlowOperation[] {
    return this.#slow.list(names);
  }

  connections(max: number): ConnectionPicture[] {
    return this.#sources.connections?.(max) ?? [];
  }

  /** What a door tells of itself now. */
  door(door: Door): DoorStats {
    return this.#sources[door]();
  }

  #sampleLater(): void {
    this.#timer = this.#clock.setTimer(SAMPLE_INTERVAL_MS, () => {
      try {
        this.#sample();
        this.#sampleLater();
      } catch (error) {
        // Of a database that is being closed there is nothing more to tell.
        if (!(error instanceof VarveError) || error.code !== "CLOSED") throw error;
      }
    });
  }

  #sample(): void {
    const before = this.#moments.at(-1);
    const [minuteAgo] = this.#moments;
    const now = this.#look();
    if (before === undefined || minuteAgo === undefined) return;
    const seconds = (now.monotonicMs - before.monotonicMs) / 1000;
    this.#seconds++;
    this.#samples.push(sampleOf(before, now, minuteAgo, this.#operations(seconds)));
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    this.#remember(now);
  }

  #remember(moment: Moment): void {
    this.#moments.push(moment);
    if (this.#moments.length > MINUTE_SAMPLES) this.#moments.shift();
  }

  #operations(seconds: number): Sample["operations"] {
    const operations: Partial<Record<OperationName, OperationSample>> = {};
    this.#window.advance((operation, count, errors, buckets) => {
      const percentiles = percentilesOf(buckets) ?? { p50: 0, p99: 0, p999: 0 };
      operations[operation] = { rate: count / seconds, errors: errors / seconds, ...percentiles };
    });
    return operations;
  }

  #look(): Moment {
    const { store } = this.#sources;
    const monotonicMs = this.#clock.monotonicMs();
    const elapsedMs = monotonicMs - (this.#moments.at(-1)?.monotonicMs ?? monotonicMs);
    const used = process.cpuUsage(this.#lastCpu);
    if (elapsedMs > 0) this.#cpuShare = (used.user + used.system) / 1000 / elapsedMs;
    this.#lastCpu = process.cpuUsage();
    return {
      time: this.#clock.now(),
      monotonicMs,
      store: store(),
      tcp: this.door("tcp"),
      http: this.door("http"),
      residentBytes: process.memoryUsage.rss(),
      loopDelay: this.#loopDelay.take(),
    };
  }
}
