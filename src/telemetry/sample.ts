/** What is told of one second, as JSON. Rates are per second, latencies in microseconds, all else as named. */
import type { DatabaseStats } from "../engine/stats.ts";
import type { LoopDelaySummary } from "./loop-delay.ts";
import type { OperationName } from "./operations.ts";

export interface OperationSample {
  readonly rate: number;
  /** Per second. */
  readonly errors: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface Sample {
  /** Milliseconds since 1970, at the end of the second. */
  readonly time: number;
  /** Those that happened in this second. */
  readonly operations: Readonly<Partial<Record<OperationName, OperationSample>>>;
  /** Through all doors. */
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly memory: {
    readonly budget: number;
    readonly memtables: number;
    readonly tables: number;
    readonly blocks: number;
    readonly ingest: number;
    /** Of the process. */
    readonly resident: number;
  };
  /** Bytes written to the disk for each byte given, over the last minute of samples; 0 where none was given. */
  readonly write_amplification: number;
  /** `src/engine/space-amplification.ts` has the formula. */
  readonly space_amplification: number;
  /** Of this second; `null` where none was asked. */
  readonly cache_hit_rate: number | null;
  /** Of the tables that had not the key, those that a filter spared. */
  readonly filter_hit_rate: number | null;
  /** In this second. */
  readonly delays: {
    readonly memtables: number;
    readonly level0: number;
    readonly debt: number;
    readonly delayed_ms: number;
    readonly refused: number;
  };
  readonly debt_bytes: number;
  /** That writes are held to; `null` for no limit. */
  readonly bytes_per_second: number | null;
  /** Written in this second. */
  readonly user_bytes: number;
  readonly log_bytes: number;
  readonly flush_bytes: number;
  readonly compaction_bytes: number;
  readonly syncs: number;
  readonly loop_delay_p99_ms: number;
  readonly connections: { readonly tcp: number; readonly http: number };
}

/** What a door tells of itself; counters run from its start. What it does not tell counts as nothing. */
export interface DoorStats {
  readonly connections?: number;
  readonly bytesIn?: number;
  readonly bytesOut?: number;
}

/** What there is to see at one moment. */
export interface Moment {
  /** Wall clock, milliseconds. */
  readonly time: number;
  readonly monotonicMs: number;
  readonly store: DatabaseStats;
  readonly tcp: DoorStats;
  readonly http: DoorStats;
  readonly residentBytes: number;
  /** Of the second that ends here. */
  readonly loopDelay: LoopDelaySummary;
}

/** What happened between two moments. `minuteAgo` is the moment of a minute before, or the first one. */
export function sampleOf(
  before: Moment,
  now: Moment,
  minuteAgo: Moment,
  operations: Sample["operations"],
): Sample {
  const seconds = Math.max(0.001, (now.monotonicMs - before.monotonicMs) / 1000);
  const { store } = now;
  const rate = (of: (moment: Moment) => number) =>
    Math.max(0, Math.round((of(now) - of(before)) / seconds));
  const grown = (of: (stats: DatabaseStats) => number) => Math.max(0, of(store) - of(before.store));
  const { delays, memory } = store;
  return {
    time: now.time,
    operations,
    bytes_in: rate(({ tcp, http }) => (tcp.bytesIn ?? 0) + (http.bytesIn ?? 0)),
    bytes_out: rate(({ tcp, http }) => (tcp.bytesOut ?? 0) + (http.bytesOut ?? 0)),
    memory: { ...memory, resident: now.residentBytes },
    write_amplification: writeAmplification(minuteAgo.store, store),
    space_amplification: store.space.amplification,
    cache_hit_rate: share(
      grown(({ cache }) => cache.hits),
      grown(({ cache }) => cache.misses),
    ),
    filter_hit_rate: share(
      grown(({ filter }) => filter.refused),
      grown(({ filter }) => filter.misses),
    ),
    delays: {
      memtables: grown(({ delays: { delayed } }) => delayed.memtables),
      level0: grown(({ delays: { delayed } }) => delayed.level0),
      debt: grown(({ delays: { delayed } }) => delayed.debt),
      delayed_ms: grown(({ delays: { delayedMs } }) => delayedMs),
      refused: grown(({ delays: { refused } }) => refused),
    },
    debt_bytes: store.background.debtBytes,
    bytes_per_second: delays.bytesPerSecond,
    user_bytes: grown(({ bytesWritten }) => bytesWritten.user),
    log_bytes: grown(({ bytesWritten }) => bytesWritten.log),
    flush_bytes: grown(({ bytesWritten }) => bytesWritten.flush),
    compaction_bytes: grown(({ bytesWritten }) => bytesWritten.compaction),
    syncs: grown(({ writes }) => writes.syncs),
    loop_delay_p99_ms: now.loopDelay.p99Ms,
    connections: { tcp: now.tcp.connections ?? 0, http: now.http.connections ?? 0 },
  };
}

/** `null` where both are 0. */
function share(part: number, rest: number): number | null {
  return part + rest === 0 ? null : part / (part + rest);
}

function writeAmplification(before: DatabaseStats, now: DatabaseStats): number {
  const user = now.bytesWritten.user - before.bytesWritten.user;
  if (user <= 0) return 0;
  const allOf = ({ bytesWritten: { log, flush, compaction, ingest } }: DatabaseStats) =>
    log + flush + compaction + ingest;
  return (allOf(now) - allOf(before)) / user;
}
