/**
 * Every setting of the engine, with its default and its limits. Sizes are in bytes and times in
 * milliseconds. Settings may differ from one open to the next: files say themselves how to be read.
 */
import { VarveError } from "./errors.ts";
import { CODECS, type CodecName, DURABILITIES, type Durability } from "./store.ts";

export { CODECS, type CodecName } from "./store.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** The largest key, value and batch that any setting allows; formats are laid out for them. */
export const KEY_BYTES_LIMIT = 64 * KIB;
export const VALUE_BYTES_LIMIT = 16 * MIB;
export const BATCH_BYTES_LIMIT = 256 * MIB;

export const LEVELS = 7;

export interface Settings {
  /** Make the database where the directory is missing or empty. */
  readonly createIfMissing: boolean;
  /** Open to read, changing nothing on the disk, and in spite of damage where that is possible. */
  readonly readOnly: boolean;
  /** When writes are answered, unless the write says otherwise. */
  readonly durability: Durability;
  /** With durability `interval`, unsynced writes reach the disk within this time. */
  readonly syncIntervalMs: number;

  /** Memory for memtables, block cache, table indexes and filters together. */
  readonly memoryBudget: number;
  /** A memtable that has grown to this is flushed. At most a sixteenth of the budget is used, if that is less. */
  readonly memtableBytes: number;
  /** Memtables that may wait for flush while another takes writes. */
  readonly immutableMemtablesMax: number;
  /** Table files kept open; never more than half of what the process may open. */
  readonly openTablesMax: number;

  /** Target size of a data block before compression. */
  readonly blockBytes: number;
  /** Target size of a table file. */
  readonly tableBytes: number;
  /** Share of absent keys that a table's filter lets through. */
  readonly filterErrorRate: number;
  /** Codec of each level, 0 first; the last one given holds for all deeper levels. */
  readonly codecs: readonly CodecName[];

  /** Level-0 tables that start a compaction. */
  readonly level0CompactAt: number;
  /** Level-0 tables from which writes are delayed, and at which they stop. */
  readonly level0DelayAt: number;
  readonly level0StopAt: number;
  /** Size of the first level below 0. */
  readonly levelBytes: number;
  /** Each level may be this many times larger than the one above. */
  readonly levelMultiplier: number;
  /** Bytes by which levels may exceed their targets before writes are delayed, and at which they stop. */
  readonly debtDelayAt: number;
  readonly debtStopAt: number;
  /** Bytes per second that compactions write at most; 0 for no limit. Flushes, which writes wait for, have none. */
  readonly backgroundBytesPerSecond: number;
  /** While less than this is free on the volume, puts are refused with `NO_SPACE`; deletes and compaction go on. */
  readonly freeSpaceReserve: number;
  /**
   * Old versions are kept for this long, and as long as they are among this many last sequences, whichever is more,
   * so that reads `at` a sequence of that time find them; 0 and 0: as long as they happen to be there. Keyspaces may have
   * settings of the same names, which count for them instead.
   */
  readonly retentionMs: number;
  readonly retentionSequences: number;
  /**
   * Log segments that nothing but `watch` needs are kept up to so many bytes together; 0 keeps none. A watch that
   * falls further behind, or begins further back, fails with `COMPACTED`. Where less than `freeSpaceReserve` is free,
   * the oldest of them go before their time.
   */
  readonly feedRetentionBytes: number;
  /** And up to this age; 0 for any. */
  readonly feedRetentionMs: number;
  /** Watches open at one time; a further one fails with `OVERLOADED`. */
  readonly watchesMax: number;
  /** How long a write waits at a hard limit before it fails with `OVERLOADED`. */
  readonly writeDelayMaxMs: number;

  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
  readonly batchBytesMax: number;
  readonly batchOperationsMax: number;
  /** The manifest is written anew when it has grown to this. */
  readonly manifestBytes: number;
}

export const DEFAULT_SETTINGS: Settings = {
  createIfMissing: true,
  readOnly: false,
  durability: "always",
  syncIntervalMs: 100,
  memoryBudget: 256 * MIB,
  memtableBytes: 16 * MIB,
  immutableMemtablesMax: 3,
  openTablesMax: 1000,
  blockBytes: 4 * KIB,
  tableBytes: 8 * MIB,
  filterErrorRate: 0.01,
  codecs: ["none", "none", "lz4", "lz4", "zstd"],
  level0CompactAt: 4,
  level0DelayAt: 12,
  level0StopAt: 24,
  levelBytes: 64 * MIB,
  levelMultiplier: 10,
  debtDelayAt: 512 * MIB,
  debtStopAt: 4096 * MIB,
  backgroundBytesPerSecond: 0,
  freeSpaceReserve: 256 * MIB,
  retentionMs: 0,
  retentionSequences: 0,
  feedRetentionBytes: 0,
  feedRetentionMs: 0,
  watchesMax: 10_000,
  writeDelayMaxMs: 5000,
  keyBytesMax: KEY_BYTES_LIMIT,
  valueBytesMax: VALUE_BYTES_LIMIT,
  batchBytesMax: 64 * MIB,
  batchOperationsMax: 1_000_000,
  manifestBytes: 4 * MIB,
};

/** Lowest and highest value of each numeric setting, both allowed. */
const RANGES: { readonly [name in keyof Settings]?: readonly [number, number] } = {
  syncIntervalMs: [1, 3_600_000],
  memoryBudget: [64 * KIB, 2 ** 42],
  memtableBytes: [4 * KIB, 1024 * MIB],
  immutableMemtablesMax: [1, 64],
  openTablesMax: [4, 1_000_000],
  blockBytes: [64, 4 * MIB],
  tableBytes: [KIB, 1024 * MIB],
  filterErrorRate: [0.0001, 0.5],
  level0CompactAt: [1, 1000],
  level0DelayAt: [1, 10_000],
  level0StopAt: [2, 10_000],
  levelBytes: [KIB, 2 ** 42],
  levelMultiplier: [2, 100],
  debtDelayAt: [KIB, 2 ** 52],
  debtStopAt: [KIB, 2 ** 52],
  backgroundBytesPerSecond: [0, 2 ** 42],
  freeSpaceReserve: [0, 2 ** 52],
  retentionMs: [0, 2 ** 42],
  retentionSequences: [0, Number.MAX_SAFE_INTEGER],
  feedRetentionBytes: [0, 2 ** 52],
  feedRetentionMs: [0, 2 ** 43],
  watchesMax: [1, 1_000_000],
  writeDelayMaxMs: [0, 3_600_000],
  keyBytesMax: [1, KEY_BYTES_LIMIT],
  valueBytesMax: [0, VALUE_BYTES_LIMIT],
  batchBytesMax: [KIB, BATCH_BYTES_LIMIT],
  batchOperationsMax: [1, 16_000_000],
  manifestBytes: [KIB, 1024 * MIB],
};

function invalid(message: string): never {
  throw new VarveError("INVALID_ARGUMENT", message);
}

/** The defaults with `options` over them; throws `INVALID_ARGUMENT` for an unknown name or a value out of range. */
export function resolveSettings(options: Partial<Settings>): Settings {
  for (const [name, value] of Object.entries(options)) {
    if (!(name in DEFAULT_SETTINGS)) invalid(`${name} is not an option of Database.open`);
    const range = RANGES[name as keyof Settings];
    if (range === undefined || value === undefined) continue;
    const whole = name === "filterErrorRate" || Number.isInteger(value);
    if (typeof value !== "number" || !whole || value < range[0] || value > range[1]) {
      invalid(`${name} is ${String(value)}; it must be from ${range[0]} to ${range[1]}`);
    }
  }
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const settings: Settings = { ...DEFAULT_SETTINGS, ...given };
  if (!DURABILITIES.includes(settings.durability)) {
    invalid(
      `durability is ${String(settings.durability)}; it must be one of ${DURABILITIES.join(", ")}`,
    );
  }
  if (!Array.isArray(settings.codecs) || settings.codecs.length === 0) {
    invalid("codecs must name at least one codec");
  }
  for (const codec of settings.codecs) {
    if (!CODECS.includes(codec)) {
      invalid(`codecs names ${String(codec)}; it must be one of ${CODECS.join(", ")}`);
    }
  }
  if (settings.level0StopAt <= settings.level0DelayAt) {
    invalid("level0StopAt must be above level0DelayAt");
  }
  if (settings.debtStopAt <= settings.debtDelayAt) invalid("debtStopAt must be above debtDelayAt");
  return settings;
}

/** The codec that tables of `level` are written with. */
export function codecOf(settings: Settings, level: number): CodecName {
  return settings.codecs[Math.min(level, settings.codecs.length - 1)] ?? "none";
}
