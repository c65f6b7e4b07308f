/** What `stats()` tells: plain numbers, fit for JSON. Counters run from the open. */
import { LEVELS } from "../options.ts";
import type { FilterStats } from "../table/table-lookup.ts";
import type { AdmissionStats } from "./admission.ts";
import type { Engine } from "./engine.ts";
import type { FeedStats } from "./feed.ts";
import type { IngestStats } from "./ingests.ts";
import type { LatencySummary } from "./latency.ts";
import type { RecoveryStats } from "./recovery.ts";
import { spaceAmplification } from "./space-amplification.ts";
import type { VerifyProgress } from "./verify.ts";

export interface LevelStats {
  readonly level: number;
  readonly files: number;
  readonly bytes: number;
  readonly entries: number;
  readonly tombstones: number;
  readonly expiring: number;
  readonly rangeDeletes: number;
  /** Older versions, there for snapshots and for what is retained of the past, or until compaction drops them. */
  readonly hidden: number;
}

export interface DatabaseStats {
  readonly levels: readonly LevelStats[];
  readonly memtables: {
    readonly active: { readonly entries: number; readonly bytes: number };
    /** Full ones that wait for flush. */
    readonly waiting: number;
    readonly arenaBytes: number;
  };
  readonly memory: {
    readonly budget: number;
    readonly memtables: number;
    readonly tables: number;
    readonly blocks: number;
    /** Pairs of an ingest that are in no table yet; beside the budget. */
    readonly ingest: number;
  };
  readonly cache: {
    readonly hits: number;
    readonly misses: number;
    readonly blocks: number;
    readonly openTables: number;
  };
  readonly filter: Readonly<FilterStats>;
  readonly writes: {
    readonly operations: number;
    readonly batches: number;
    /** Commit groups, each one log record. */
    readonly groups: number;
    readonly syncs: number;
  };
  readonly bytesWritten: {
    /** Keys and values, as given by callers. */
    readonly user: number;
    readonly log: number;
    readonly flush: number;
    readonly compaction: number;
    readonly ingest: number;
    /** All that was written to the disk for each byte given. */
    readonly amplification: number;
  };
  readonly reads: {
    readonly gets: number;
    readonly scans: number;
    readonly waitedForDisk: number;
    /** Reads from the disk that were not what was written: `CORRUPTION` for who asked. */
    readonly damaged: number;
  };
  readonly background: {
    readonly flushes: number;
    readonly compactions: number;
    readonly moves: number;
    readonly running: number;
    readonly debtBytes: number;
    /** What stopped background work, if anything did. */
    readonly failure: string | null;
  };
  readonly ingests: IngestStats;
  readonly delays: AdmissionStats;
  readonly latency: { readonly commit: LatencySummary; readonly read: LatencySummary };
  readonly log: {
    /** Why it takes no writes until the next open, if that is so. */
    readonly failure: string | null;
  };
  readonly space: {
    readonly isLow: boolean;
    readonly refused: number;
    /** Free on the volume when it was asked last, which is when there were writes; `null` where it never was. */
    readonly freeBytes: number | null;
    /** An estimate: `space-amplification.ts`. 0 where there are no tables. */
    readonly amplification: number;
  };
  readonly snapshots: number;
  readonly openScans: number;
  readonly feed: FeedStats;
  readonly sequence: number;
  /** The oldest sequence `at` which the store can be read, but for keyspaces with a retention of their own. */
  readonly oldestSequence: number;
  readonly recovery: RecoveryStats;
  /** How far a `verify` is that is under way. */
  readonly verify: VerifyProgress | null;
}

export function statsOf(engine: Engine, verifying: VerifyProgress | undefined): DatabaseStats {
  const { tree, commits, log, maintenance, reads, snapshots, settings, ingests } = engine;
  const ingested = ingests.stats();
  const { memtables, tables, version } = tree;
  const { blocks } = tables;
  const written = {
    user: commits.userBytes + ingested.bytes,
    log: log.bytesWritten,
    flush: maintenance.flushBytes,
    compaction: maintenance.compactionBytes,
    ingest: ingests.bytesWritten,
  };
  const levels = Array.from({ length: LEVELS }, (_, level) => ({
    level,
    ...version.totals(level),
  }));
  const { isLow, refused, freeBytes } = engine.space;
  const allBytes = written.log + written.flush + written.compaction + written.ingest;
  return {
    levels,
    memtables: {
      active: { entries: memtables.active.entries, bytes: memtables.active.usedBytes },
      waiting: memtables.waiting,
      arenaBytes: memtables.memoryBytes,
    },
    memory: {
      budget: settings.memoryBudget,
      memtables: memtables.memoryBytes,
      tables: tables.memoryBytes,
      blocks: blocks.usedBytes,
      ingest: ingests.memoryBytes,
    },
    cache: {
      hits: blocks.hits,
      misses: blocks.misses,
      blocks: blocks.count,
      openTables: tables.openTables,
    },
    filter: { ...reads.filter },
    writes: {
      operations: commits.operations,
      batches: commits.batches,
      groups: commits.groups,
      syncs: log.syncs,
    },
    bytesWritten: {
      ...written,
      amplification: written.user === 0 ? 0 : allBytes / written.user,
    },
    reads: {
      gets: reads.gets,
      scans: reads.scans,
      waitedForDisk: reads.waited,
      damaged: blocks.damaged,
    },
    background: maintenance.stats(),
    ingests: ingested,
    delays: engine.admission.stats(),
    latency: { commit: commits.latency.summary(), read: reads.latency.summary() },
    log: { failure: logFailure(engine) },
    space: { isLow, refused, freeBytes, amplification: spaceAmplification(levels) },
    snapshots: snapshots.count,
    openScans: reads.openScans,
    feed: engine.feed.stats(),
    sequence: commits.visibleSequence,
    oldestSequence: tree.version.past.prunedTo,
    recovery: engine.recovery,
    verify: verifying ?? null,
  };
}

/** A database that was opened to read refuses writes as well, but nothing has failed. */
function logFailure({ commits: { failure } }: Engine): string | null {
  return failure === undefined || failure.code === "READ_ONLY" ? null : failure.message;
}
