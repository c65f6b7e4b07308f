/**
 * What `/metrics` tells, but for the latencies: each family with its name, what it means, and how it is read off. Names
 * and units are as Prometheus has them: seconds and bytes, and `_total` for what only grows.
 * `ops/README.md` explains them to operators; a test holds the two together.
 */
import type { TreeLayout } from "../engine/layout.ts";
import type { DatabaseStats } from "../engine/stats.ts";
import { slotOf } from "../telemetry/operation-meter.ts";
import { DOORS, type Door, OPERATIONS } from "../telemetry/operations.ts";
import type { DoorStats } from "../telemetry/sample.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** All that is read off for one scrape, at one moment. */
export interface Scrape {
  readonly store: DatabaseStats;
  readonly layout: TreeLayout;
  readonly doors: Readonly<Record<Door, DoorStats>>;
  readonly telemetry: Telemetry;
  readonly version: string;
  readonly isReadOnly: boolean;
}

export type Labels = Readonly<Record<string, string>>;
type Reading = readonly (readonly [labels: Labels, value: number])[];

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly labels: readonly string[];
  readonly read: (scrape: Scrape) => Reading;
}

function counter(name: string, help: string, of: (scrape: Scrape) => number): MetricFamily {
  return { name, help, type: "counter", labels: [], read: (scrape) => [[{}, of(scrape)]] };
}

function gauge(name: string, help: string, of: (scrape: Scrape) => number): MetricFamily {
  return { name, help, type: "gauge", labels: [], read: (scrape) => [[{}, of(scrape)]] };
}

/** A family by one label. */
function by(
  label: string,
  type: MetricFamily["type"],
  name: string,
  help: string,
  of: (scrape: Scrape) => Iterable<readonly [string | number, number]>,
): MetricFamily {
  const read = (scrape: Scrape): Reading =>
    Array.from(of(scrape), ([key, value]) => [{ [label]: `${key}` }, value]);
  return { name, help, type, labels: [label], read };
}

function byOperation(
  name: string,
  help: string,
  of: (telemetry: Telemetry) => Float64Array,
): MetricFamily {
  const read = ({ telemetry }: Scrape): Reading =>
    DOORS.flatMap((door) =>
      OPERATIONS.map(
        (operation) => [{ door, operation }, of(telemetry)[slotOf(door, operation)] ?? 0] as const,
      ),
    );
  return { name, help, type: "counter", labels: ["door", "operation"], read };
}

const flag = (value: boolean) => (value ? 1 : 0);

const OPERATION_FAMILIES: readonly MetricFamily[] = [
  byOperation(
    "varve_operations_total",
    "Operations that were answered, by door and operation.",
    ({ meter }) => meter.counts,
  ),
  byOperation(
    "varve_operation_errors_total",
    "Of these, those that failed otherwise than by their own condition.",
    ({ meter }) => meter.errors,
  ),
];

const TREE_FAMILIES: readonly MetricFamily[] = [
  by("level", "gauge", "varve_level_tables", "Tables of the level.", ({ store }) =>
    store.levels.map(({ level, files }) => [level, files]),
  ),
  by("level", "gauge", "varve_level_bytes", "Bytes of the level's tables.", ({ store }) =>
    store.levels.map(({ level, bytes }) => [level, bytes]),
  ),
  by(
    "level",
    "gauge",
    "varve_level_target_bytes",
    "Bytes that the level should have at most; level 0 has no such target.",
    ({ layout }) =>
      layout.levels.flatMap(({ level, targetBytes }) =>
        targetBytes === null ? [] : [[level, targetBytes] as const],
      ),
  ),
  by(
    "level",
    "gauge",
    "varve_level_entries",
    "Entries of the level, tombstones included.",
    ({ store }) => store.levels.map(({ level, entries }) => [level, entries]),
  ),
  by("level", "gauge", "varve_level_tombstones", "Tombstones of the level.", ({ store }) =>
    store.levels.map(({ level, tombstones }) => [level, tombstones]),
  ),
  gauge(
    "varve_memtable_bytes",
    "Bytes that are taken in the memtable that takes writes.",
    ({ store }) => store.memtables.active.bytes,
  ),
  gauge(
    "varve_memtables_waiting",
    "Full memtables that wait for flush.",
    ({ store }) => store.memtables.waiting,
  ),
  gauge(
    "varve_compaction_debt_bytes",
    "Bytes that compaction has still to move.",
    ({ store }) => store.background.debtBytes,
  ),
  by(
    "kind",
    "gauge",
    "varve_background_tasks",
    "Background tasks that are running.",
    ({ layout }) =>
      (["flush", "compaction", "ingest", "move"] as const).map((kind) => [
        kind,
        layout.running.filter((task) => task.kind === kind).length,
      ]),
  ),
  counter(
    "varve_flushes_total",
    "Flushes that were done.",
    ({ store }) => store.background.flushes,
  ),
  counter(
    "varve_compactions_total",
    "Compactions that were done, moves not counted.",
    ({ store }) => store.background.compactions,
  ),
  counter(
    "varve_moves_total",
    "Tables that went down a level as they are.",
    ({ store }) => store.background.moves,
  ),
  counter("varve_ingests_total", "Ingests that were done.", ({ store }) => store.ingests.ingests),
  gauge(
    "varve_background_failed",
    "1 where flush and compaction have stopped, or met damage.",
    ({ store }) => flag(store.background.failure !== null),
  ),
];

const WRITE_FAMILIES: readonly MetricFamily[] = [
  counter(
    "varve_commit_operations_total",
    "Puts, deletes and the like that were committed.",
    ({ store }) => store.writes.operations,
  ),
  counter(
    "varve_commit_batches_total",
    "Calls that committed something.",
    ({ store }) => store.writes.batches,
  ),
  counter(
    "varve_commit_groups_total",
    "Commit groups, each one log record.",
    ({ store }) => store.writes.groups,
  ),
  counter("varve_log_syncs_total", "Syncs of the log.", ({ store }) => store.writes.syncs),
  gauge(
    "varve_log_failed",
    "1 where the log failed: no writes until the next start.",
    ({ store }) => flag(store.log.failure !== null),
  ),
  counter(
    "varve_user_bytes_total",
    "Bytes of keys and values that callers gave.",
    ({ store }) => store.bytesWritten.user,
  ),
  by(
    "part",
    "counter",
    "varve_written_bytes_total",
    "Bytes written to the disk, by what wrote them.",
    ({ store: { bytesWritten } }) =>
      (["log", "flush", "compaction", "ingest"] as const).map((part) => [part, bytesWritten[part]]),
  ),
  gauge(
    "varve_write_amplification_ratio",
    "Bytes written for each byte given, since the start.",
    ({ store }) => store.bytesWritten.amplification,
  ),
  gauge(
    "varve_space_amplification_ratio",
    "Bytes of tables over those that are alive, an estimate.",
    ({ store }) => store.space.amplification,
  ),
  by(
    "reason",
    "counter",
    "varve_writes_delayed_total",
    "Writes that waited, by the reason that weighed most.",
    ({ store }) => Object.entries(store.delays.delayed),
  ),
  counter(
    "varve_write_delay_seconds_total",
    "How long writes waited, all together.",
    ({ store }) => store.delays.delayedMs / 1000,
  ),
  gauge(
    "varve_writes_waiting",
    "Writes that wait at present.",
    ({ store }) => store.delays.waiting,
  ),
  by(
    "reason",
    "counter",
    "varve_writes_refused_total",
    "Writes that were refused: OVERLOADED or NO_SPACE.",
    ({ store }) => [
      ["overloaded", store.delays.refused],
      ["no_space", store.space.refused],
    ],
  ),
  gauge(
    "varve_write_limit_bytes_per_second",
    "What writes are held to at present; 0 for no limit.",
    ({ store }) => store.delays.bytesPerSecond ?? 0,
  ),
  gauge("varve_free_space_low", "1 where puts are refused as space is low.", ({ store }) =>
    flag(store.space.isLow),
  ),
  {
    name: "varve_free_space_bytes",
    help: "Free on the volume when it was asked last.",
    type: "gauge",
    labels: [],
    read: ({ store: { space } }) => (space.freeBytes === null ? [] : [[{}, space.freeBytes]]),
  },
];

const READ_FAMILIES: readonly MetricFamily[] = [
  counter(
    "varve_block_cache_hits_total",
    "Block reads that found the block in memory.",
    ({ store }) => store.cache.hits,
  ),
  counter(
    "varve_block_cache_misses_total",
    "Block reads that had to ask the disk.",
    ({ store }) => store.cache.misses,
  ),
  gauge("varve_open_tables", "Tables that are kept open.", ({ store }) => store.cache.openTables),
  counter(
    "varve_filter_checks_total",
    "Tables whose filter was asked for a key.",
    ({ store }) => store.filter.checks,
  ),
  counter(
    "varve_filter_refusals_total",
    "Of these, tables that were spared.",
    ({ store }) => store.filter.refused,
  ),
  counter(
    "varve_filter_false_positives_total",
    "Of these, tables that were read for nothing.",
    ({ store }) => store.filter.misses,
  ),
  counter(
    "varve_reads_waited_total",
    "Reads that waited for the disk.",
    ({ store }) => store.reads.waitedForDisk,
  ),
  counter(
    "varve_damaged_reads_total",
    "Reads from the disk that were not what was written.",
    ({ store }) => store.reads.damaged,
  ),
  gauge("varve_scans", "Scans that are open, in the engine.", ({ store }) => store.openScans),
  gauge("varve_snapshots", "Snapshots that are open.", ({ store }) => store.snapshots),
  gauge("varve_watches", "Watches that are open.", ({ store }) => store.feed.watchers),
  gauge(
    "varve_feed_retained_bytes",
    "Bytes of log that are kept for watches alone.",
    ({ store }) => store.feed.retainedBytes,
  ),
];

const PROCESS_FAMILIES: readonly MetricFamily[] = [
  by(
    "part",
    "gauge",
    "varve_memory_bytes",
    "Memory that the engine uses, by part; that of an ingest is beside the budget.",
    ({ store: { memory } }) =>
      (["memtables", "tables", "blocks", "ingest"] as const).map((part) => [part, memory[part]]),
  ),
  gauge(
    "varve_memory_budget_bytes",
    "What memtables, tables and blocks may take together.",
    ({ store }) => store.memory.budget,
  ),
  by("door", "gauge", "varve_connections", "Connections that are open.", ({ doors }) =>
    DOORS.map((door) => [door, doors[door].connections ?? 0]),
  ),
  by("door", "counter", "varve_received_bytes_total", "Bytes received.", ({ doors }) =>
    DOORS.map((door) => [door, doors[door].bytesIn ?? 0]),
  ),
  by("door", "counter", "varve_sent_bytes_total", "Bytes sent.", ({ doors }) =>
    DOORS.map((door) => [door, doors[door].bytesOut ?? 0]),
  ),
  by(
    "quantile",
    "gauge",
    "varve_loop_delay_seconds",
    "How late the event loop was, in the last second.",
    ({ telemetry: { loopDelay } }) => [
      ["0.5", loopDelay.p50Ms / 1000],
      ["0.99", loopDelay.p99Ms / 1000],
    ],
  ),
  gauge(
    "varve_loop_delay_max_seconds",
    "The latest that the event loop was in the last minute.",
    ({ telemetry }) => telemetry.loopDelayMaxMs / 1000,
  ),
  gauge(
    "varve_sequence",
    "The sequence of the last commit that is visible.",
    ({ store }) => store.sequence,
  ),
  gauge("varve_read_only", "1 where the server takes no writes.", ({ isReadOnly }) =>
    flag(isReadOnly),
  ),
  gauge(
    "varve_uptime_seconds",
    "Since the process began to serve.",
    ({ telemetry }) => telemetry.uptimeMs / 1000,
  ),
  {
    name: "varve_build_info",
    help: "1, with the versions of Varve and of Node in its labels.",
    type: "gauge",
    labels: ["version", "node"],
    read: ({ version }) => [[{ version, node: process.versions.node }, 1]],
  },
  gauge("process_resident_memory_bytes", "Memory of the process.", () => process.memoryUsage.rss()),
  counter("process_cpu_seconds_total", "Processor time that the process used.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }),
];

export const METRIC_FAMILIES: readonly MetricFamily[] = [
  ...OPERATION_FAMILIES,
  ...TREE_FAMILIES,
  ...WRITE_FAMILIES,
  ...READ_FAMILIES,
  ...PROCESS_FAMILIES,
];
