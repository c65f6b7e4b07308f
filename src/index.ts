/** The package `varve`: the engine, embedded. */
export { Database } from "./engine/database.ts";
export type { Logger, OpenOptions } from "./engine/open-options.ts";
export type { RepairReport } from "./engine/repair.ts";
export type { DatabaseStats, LevelStats } from "./engine/stats.ts";
export type { Problem, TablesReport, VerifyProgress, VerifyReport } from "./engine/verify.ts";
export { type ErrorCode, VarveError } from "./errors.ts";
export { DEFAULT_SETTINGS, type Settings } from "./options.ts";
export type {
  Commit,
  CommitEvent,
  CountOptions,
  Data,
  Durability,
  Entry,
  EntryRecord,
  FeedOperation,
  HistoryOptions,
  IngestEvent,
  IngestOptions,
  KeyedStore,
  Keyspace,
  KeyspaceChanges,
  KeyspaceInfo,
  KeyspaceOptions,
  KeyspaceSettings,
  KeyVersion,
  Operation,
  Page,
  PageOptions,
  Pair,
  Pairs,
  Reader,
  ReadOptions,
  Scan,
  ScanOptions,
  SeekableScan,
  Snapshot,
  Store,
  Transaction,
  TransactionOptions,
  Watch,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "./store.ts";
export { NOT_CACHED } from "./store.ts";
