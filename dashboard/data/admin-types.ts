/** What the server's admin addresses answer, as far as the page shows it. */

/** One of `get`, `put`, `scan`, …; the page shows whatever the server names. */
export type OperationName = string;

export interface OperationSample {
  /** Per second. */
  readonly rate: number;
  readonly errors: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** One second of the server's life. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly operations: Readonly<Record<OperationName, OperationSample>>;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly memory: MemoryParts & { readonly budget: number; readonly resident: number };
  readonly write_amplification: number;
  readonly space_amplification: number;
  /** 0 to 1; `null` where nothing was asked for in this second. */
  readonly cache_hit_rate: number | null;
  readonly filter_hit_rate: number | null;
  readonly delays: {
    readonly memtables: number;
    readonly level0: number;
    readonly debt: number;
    readonly delayed_ms: number;
    readonly refused: number;
  };
  readonly debt_bytes: number;
  readonly bytes_per_second: number | null;
  readonly user_bytes: number;
  readonly log_bytes: number;
  readonly flush_bytes: number;
  readonly compaction_bytes: number;
  readonly syncs: number;
  readonly loop_delay_p99_ms: number;
  readonly connections: { readonly tcp: number; readonly http: number };
}

export interface MemoryParts {
  readonly memtables: number;
  readonly tables: number;
  readonly blocks: number;
  readonly ingest: number;
}

export interface SamplesAnswer {
  readonly interval_ms: number;
  readonly samples: readonly Sample[];
}

/** Of the database's own numbers those that the page reads. */
export interface StoreStats {
  readonly levels: readonly { level: number; files: number; bytes: number; entries: number }[];
  readonly memory: MemoryParts & { readonly budget: number };
  readonly writes: { readonly operations: number; readonly batches: number };
  readonly bytesWritten: { readonly user: number; readonly amplification: number };
  readonly background: { readonly debtBytes: number; readonly failure: string | null };
  readonly delays: {
    readonly delayed: { memtables: number; level0: number; debt: number };
    readonly delayedMs: number;
    readonly refused: number;
    readonly bytesPerSecond: number | null;
    readonly waiting: number;
  };
  readonly space: { readonly isLow: boolean; readonly refused: number };
  readonly snapshots: number;
  readonly openScans: number;
  readonly sequence: number;
}

export interface StatsAnswer {
  readonly time: number;
  readonly version: string;
  readonly uptime_ms: number;
  readonly access: { readonly role: "read" | "write"; readonly read_only: boolean };
  readonly store: StoreStats;
  readonly process: { resident_bytes: number; heap_used_bytes: number; cpu_share: number };
  readonly loop_delay: { p50_ms: number; p99_ms: number; max_ms: number };
}

/** A table of the tree, or several neighbours as one. */
export interface Brick {
  readonly number: number;
  readonly bytes: number;
  readonly entries: number;
  readonly tombstones: number;
  readonly smallest: string;
  readonly largest: string;
  /** Where its keys lie among all keys, 0 to 1. */
  readonly x0: number;
  readonly x1: number;
  /** How many tables it stands for. */
  readonly count: number;
}

export type TaskKind = "flush" | "compaction" | "ingest" | "move";

export interface LevelPicture {
  readonly level: number;
  readonly bytes: number;
  readonly target_bytes: number | null;
  readonly tables: readonly Brick[];
  readonly tables_total: number;
}

export interface RunningTask {
  readonly id: number;
  readonly kind: TaskKind;
  /** `null`: from memory. */
  readonly source_level: number | null;
  readonly target_level: number;
  /** Numbers of the tables that it reads. */
  readonly tables: readonly number[];
  readonly bytes_total: number;
  readonly bytes_done: number;
  readonly started_at: number;
}

export interface FinishedTask {
  readonly id: number;
  readonly kind: TaskKind;
  readonly source_level: number | null;
  readonly target_level: number;
  readonly bytes: number;
  readonly ended_at: number;
  readonly duration_ms: number;
}

export interface TreePicture {
  readonly version: number;
  readonly levels: readonly LevelPicture[];
  readonly memtables: {
    readonly active: {
      readonly entries: number;
      readonly bytes: number;
      readonly capacity: number;
    };
    readonly waiting: number;
  };
  readonly running: readonly RunningTask[];
  readonly recent: readonly FinishedTask[];
}

export interface SlowOperation {
  readonly time: number;
  readonly door: string;
  readonly operation: OperationName;
  readonly key: string | null;
  readonly duration_ms: number;
  readonly error: boolean;
}

export interface SlowAnswer {
  readonly threshold_ms: number;
  readonly operations: readonly SlowOperation[];
}

export interface ConnectionInfo {
  readonly id: number;
  readonly peer: string;
  readonly client: string | null;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly in_flight: number;
  readonly scans: number;
  readonly watches: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
}

export interface ConnectionsAnswer {
  readonly tcp: readonly ConnectionInfo[];
  readonly tcp_total: number;
  readonly http_total: number;
}
