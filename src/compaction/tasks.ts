/** What background work is told and what it answers. Plain data, so that it can be sent to a thread. */
import type { MemtableHandle } from "../memtable/memtable.ts";
import type { CodecName } from "../options.ts";
import type { KeyspaceCodecList } from "../table/keyspace-codecs.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { KeyspaceHorizonList } from "./horizons.ts";

/** How tables are written, and where. */
export interface OutputSettings {
  readonly directory: string;
  readonly blockBytes: number;
  readonly tableBytes: number;
  readonly filterErrorRate: number;
  readonly codec: CodecName;
  readonly keyspaceCodecs?: KeyspaceCodecList;
  /** Ids of keyspaces with a retention of their own, for which tables tell apart what is hidden. */
  readonly retainingKeyspaces?: readonly number[];
  readonly createdAtMs: number;
  /** An `Int32Array`'s memory: the last file number used. Files draw theirs with `Atomics.add`. */
  readonly numbers: SharedArrayBuffer;
}

interface TaskBase {
  readonly output: OutputSettings;
  /** Sequences of the open snapshots, ascending. */
  readonly snapshots: readonly number[];
  /** Above it all versions are kept; `Infinity` where only the newest are. */
  readonly horizon: number;
  /** Of keyspaces with a retention of their own; the horizon above is of all others. */
  readonly keyspaceHorizons?: KeyspaceHorizonList;
  /** By the wall clock: what expires at or before it has expired. */
  readonly nowMs: number;
  /** An `Int32Array`'s memory: not 0 asks the task to end early. */
  readonly cancel: SharedArrayBuffer;
  /** A `Uint32Array`'s memory: the task puts there how many entries it has read. */
  readonly progress?: SharedArrayBuffer;
}

/** Writes memtables, which nobody inserts into any more, as one table of level 0. */
export interface FlushTask extends TaskBase {
  readonly kind: "flush";
  /** Newest first. */
  readonly memtables: readonly MemtableHandle[];
}

/** A table's range and size, for those that are only looked at. */
export type TableRange = Pick<TableMeta, "smallest" | "largest" | "fileBytes">;

/** Merges tables into new ones of `outputLevel`. */
export interface CompactTask extends TaskBase {
  readonly kind: "compact";
  /** Sorted runs: each table of level 0 is one, and so are the tables of another level, in key order. */
  readonly runs: readonly (readonly TableMeta[])[];
  /** By level, the nearest first: the tables below the output level that overlap the inputs, in key order. */
  readonly deeper: readonly (readonly TableRange[])[];
  readonly outputLevel: number;
  /** Nothing of these keys above the inputs, nor in a memtable, was written before. */
  readonly newerFromMs: number;
}

/** Flushes and compactions, which merge. */
export type MergeTask = FlushTask | CompactTask;

interface OrderedTaskBase {
  readonly output: OutputSettings;
  /** Of all entries that are written. */
  readonly sequence: number;
  /** An `Int32Array`'s memory: not 0 asks the task to end early. */
  readonly cancel: SharedArrayBuffer;
}

/** Writes entries that come in order as tables. */
export interface IngestTask extends OrderedTaskBase {
  readonly kind: "ingest";
  /** An entry run (`entry-run.ts`). */
  readonly run: SharedArrayBuffer;
  readonly runBytes: number;
  /** One of `KIND`, with flags. */
  readonly entryKind: number;
  readonly timeMs: number;
}

/** Writes a table of which nobody knows yet once more, with another sequence. */
export interface RestampTask extends OrderedTaskBase {
  readonly kind: "restamp";
  readonly table: TableMeta;
}

export type Task = MergeTask | IngestTask | RestampTask;

/** About how many bytes a step wrote, or what the next one has to wait for. */
export type TaskStep = number | Promise<void>;

export interface TaskResult {
  /** In key order. */
  readonly added: readonly TableMeta[];
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly entriesRead: number;
  readonly entriesDropped: number;
  /** Some of the past is gone: entries, or deleted ranges. Of keyspaces with a retention of their own `prunedKeyspaces` tells. */
  readonly isPruned: boolean;
  /** Ids of those of which some of the past is gone. */
  readonly prunedKeyspaces: readonly number[];
}
