/** Compactions and flushes of model entries on the disk in memory, and what has to come of them. */
import { join } from "node:path";
import { runTask } from "../../src/compaction/run-task.ts";
import type {
  CompactTask,
  FlushTask,
  OutputSettings,
  TableRange,
  Task,
  TaskResult,
} from "../../src/compaction/tasks.ts";
import { CURSOR } from "../../src/entry-cursor.ts";
import { headerBytes } from "../../src/entry-header.ts";
import type { SyncFileSystem } from "../../src/fs/file-system.ts";
import { tableName } from "../../src/fs/names.ts";
import { baseKindOf, KIND, trailerHigh, trailerLow } from "../../src/key.ts";
import { Memtable } from "../../src/memtable/memtable.ts";
import { TableCursor } from "../../src/table/table-cursor.ts";
import type { TableMeta } from "../../src/table/table-meta.ts";
import { TableWriter } from "../../src/table/table-writer.ts";
import type { MemoryFileSystem } from "./memory-file-system.ts";
import { entryAt, type ModelEntry, sortEntries } from "./model-entries.ts";
import { Random } from "./random.ts";
import {
  openTable,
  sourceOf,
  TABLE_DIRECTORY,
  TABLE_OPTIONS,
  writeTable,
} from "./table-fixture.ts";
import { overlaps } from "./table-metas.ts";

/** Numbers of outputs are above this. */
export const INPUT_NUMBERS = 10_000;

export function outputSettings(
  options: Partial<OutputSettings> = {},
  lastNumber = INPUT_NUMBERS,
): OutputSettings {
  const numbers = new SharedArrayBuffer(4);
  new Int32Array(numbers)[0] = lastNumber;
  return {
    directory: TABLE_DIRECTORY,
    blockBytes: 128,
    tableBytes: 1024,
    filterErrorRate: 0.01,
    codec: "none",
    createdAtMs: 5,
    numbers,
    ...options,
  };
}

const keyOf = ({ key }: ModelEntry) => Buffer.from(key).toString("latin1");

/** Entries dealt to runs of tables, as levels hold them: no key's versions are in two tables of a run. */
export function writeRuns(
  fs: MemoryFileSystem,
  entries: readonly ModelEntry[],
  runs: number,
  random: Random,
): TableMeta[][] {
  let number = 0;
  const dealt = Array.from({ length: runs }, () => [] as ModelEntry[]);
  for (const entry of entries) dealt[random.below(runs)]?.push(entry);
  const written = dealt.map((some) => {
    const tables: TableMeta[] = [];
    let begun: ModelEntry[] = [];
    for (const entry of sortEntries(some)) {
      const last = begun.at(-1);
      if (last !== undefined && keyOf(last) !== keyOf(entry) && random.chance(20)) {
        tables.push(writeTable(fs, begun, { number: ++number }));
        begun = [];
      }
      begun.push(entry);
    }
    if (begun.length > 0) tables.push(writeTable(fs, begun, { number: ++number }));
    return tables;
  });
  fs.sync.syncDirectory(TABLE_DIRECTORY);
  return written.filter((tables) => tables.length > 0);
}

export function compactTask(
  runs: readonly (readonly TableMeta[])[],
  rest: Partial<CompactTask> = {},
): CompactTask {
  return {
    kind: "compact",
    runs,
    deeper: [],
    outputLevel: 1,
    output: outputSettings(),
    snapshots: [],
    horizon: Number.POSITIVE_INFINITY,
    nowMs: 0,
    newerFromMs: 0,
    cancel: new SharedArrayBuffer(4),
    ...rest,
  };
}

export function flushTask(
  memtables: readonly (readonly ModelEntry[])[],
  rest: Partial<FlushTask> = {},
): FlushTask {
  const handles = memtables.map((entries) => {
    const memtable = Memtable.create(64 * 1024);
    for (const { key, sequence, kind, timeMs, value } of entries) {
      const low = trailerLow(sequence, kind);
      const high = trailerHigh(sequence);
      memtable.insert(key, 0, key.length, low, high, timeMs, value, 0, value.length);
    }
    return memtable.handle;
  });
  const output = outputSettings();
  return {
    kind: "flush",
    memtables: handles,
    output,
    snapshots: [],
    horizon: Number.POSITIVE_INFINITY,
    nowMs: 0,
    cancel: new SharedArrayBuffer(4),
    ...rest,
  };
}

/** Runs a task to its end; `steps` are what its steps said that they wrote. */
export function runWhole(task: Task, fs: SyncFileSystem): { result: TaskResult; steps: number[] } {
  const steps: number[] = [];
  const running = runTask(task, fs);
  for (;;) {
    const { done, value } = running.next();
    if (done) return { result: value, steps };
    // Merges wait for nothing.
    if (typeof value === "number") steps.push(value);
  }
}

/** The table's entries as they were written first: without what compaction has folded into them. */
export function entriesOf(fs: MemoryFileSystem, meta: TableMeta): ModelEntry[] {
  const table = openTable(fs, meta);
  const cursor = new TableCursor(table, sourceOf(fs, table));
  const entries: ModelEntry[] = [];
  for (cursor.first(); cursor.state === CURSOR.VALID; cursor.next()) {
    const entry = entryAt(cursor)!;
    const value = entry.value.slice(headerBytes(entry.kind));
    entries.push({ ...entry, kind: baseKindOf(entry.kind), value });
  }
  return entries;
}

/** What a task keeps of these: of each reader's view of a key the version that it lands on. */
export function retained(
  entries: readonly ModelEntry[],
  snapshots: readonly number[],
  mayBeDeeper: (key: Uint8Array) => boolean,
): ModelEntry[] {
  const readers = [...snapshots, Number.MAX_SAFE_INTEGER];
  return [...Map.groupBy(sortEntries(entries), keyOf).values()].flatMap((versions) => {
    const needed = new Set(readers.map((at) => versions.find(({ sequence }) => sequence <= at)));
    const oldest = versions.find(({ sequence }) => sequence <= readers[0]!);
    if (oldest?.kind === KIND.DELETE && !mayBeDeeper(oldest.key)) needed.delete(oldest);
    return versions.filter((one) => needed.has(one));
  });
}

export function coveredBy(levels: readonly (readonly TableRange[])[]) {
  return (key: Uint8Array) =>
    levels.flat().some((range) => overlaps(range, { smallest: key, largest: key }));
}

/** A table of values that no codec makes smaller. */
export function writeNoise(
  fs: SyncFileSystem,
  directory: string,
  number: number,
  entries: number,
  valueBytes: number,
): TableMeta {
  const file = fs.open(join(directory, tableName(number)), "create");
  const writer = new TableWriter(file, { ...TABLE_OPTIONS, number, blockBytes: 4096 });
  const value = new Random(1).bytes(valueBytes);
  for (let i = 0; i < entries; i++) {
    const key = Buffer.from(`key:${String(i).padStart(8, "0")}`);
    const sequence = i + 1;
    const low = trailerLow(sequence, KIND.PUT);
    writer.add(key, 0, key.length, low, trailerHigh(sequence), i, value, 0, valueBytes);
  }
  return writer.finish();
}
