/**
 * Does a flush or a compaction: merges sorted inputs into new tables and drops what no reader can see any
 * more. A generator, so that a worker may look around between steps and a simulation may order them; each
 * step yields about how many bytes it wrote.
 *
 * Invariants: inputs are only read; every output is on the disk, with its name, before the task returns;
 * after a failure no output is left. A damaged input block fails the task: what is written anew with a good
 * checksum was read with one.
 */
import { compareBytes, compareRanges } from "../bytes/compare.ts";
import { mergeCursors } from "../cursor/merge-cursor.ts";
import { RunCursor } from "../cursor/run-cursor.ts";
import { CURSOR, type EntryCursor } from "../entry-cursor.ts";
import { VarveError } from "../errors.ts";
import type { SyncFileSystem } from "../fs/file-system.ts";
import { compareTrailers, sequenceOf } from "../key.ts";
import { SortedCursor } from "../memtable/sorted-cursor.ts";
import { RangeTombstones } from "../range-tombstones.ts";
import type { TableMeta } from "../table/table-meta.ts";
import { Horizons } from "./horizons.ts";
import { InputRun, readRanges } from "./input-run.ts";
import { writeOrdered } from "./ordered-tasks.ts";
import { Outputs } from "./outputs.ts";
import { GRANDPARENT_TABLES_MAX } from "./picker.ts";
import { PrunedKeyspaces } from "./pruned-keyspaces.ts";
import { RangeRetention } from "./range-retention.ts";
import { Stripes } from "./stripes.ts";
import type { CompactTask, MergeTask, TableRange, Task, TaskResult, TaskStep } from "./tasks.ts";
import { VersionFold } from "./version-fold.ts";

/** Entries, and bytes of them, between two looks around: a few milliseconds' work. */
const STEP_ENTRIES = 2000;
const STEP_BYTES = 1024 * 1024;

export function runTask(task: Task, fs: SyncFileSystem): Generator<TaskStep, TaskResult> {
  const merges = task.kind === "flush" || task.kind === "compact";
  return merges ? runMerge(task, fs) : writeOrdered(task, fs);
}

function* runMerge(task: MergeTask, fs: SyncFileSystem): Generator<number, TaskResult> {
  const outputs = new Outputs(fs, task.output);
  const stripes = new Stripes(task.snapshots, task.horizon, task.keyspaceHorizons);
  const pruned = new PrunedKeyspaces(new Horizons(task.horizon, task.keyspaceHorizons));
  const ranges = new RangeRetention(rangesOf(task, fs), stripes);
  const runs = task.kind === "compact" ? openRuns(task, fs, ranges, pruned) : [];
  let done = false;
  try {
    const merge = new Merge(task, inputOf(task, runs), outputs, { ranges, stripes, pruned });
    let written = 0;
    while (merge.step()) {
      assertNotCancelled(task);
      tellProgress(task, merge.entriesRead);
      yield outputs.bytesWritten - written;
      written = outputs.bytesWritten;
    }
    const added = outputs.finish();
    // The last step's bytes, so that the steps together tell of all.
    yield outputs.bytesWritten - written;
    done = true;
    return {
      added,
      bytesRead: runs.reduce((total, run) => total + run.bytesRead, 0),
      bytesWritten: outputs.bytesWritten,
      entriesRead: merge.entriesRead,
      entriesDropped: merge.entriesRead - merge.entriesKept,
      isPruned: pruned.isRestPruned,
      prunedKeyspaces: pruned.ids,
    };
  } finally {
    for (const run of runs) run.close();
    if (!done) outputs.abandon();
  }
}

/** What a deleted range hides whole is not read. */
function openRuns(
  task: CompactTask,
  fs: SyncFileSystem,
  ranges: RangeRetention,
  pruned: PrunedKeyspaces,
): InputRun[] {
  const isRead = (table: TableMeta) => {
    if (!ranges.hidesTable(table)) return true;
    pruned.addRange(table.smallest, table.largest);
    return false;
  };
  return task.runs.map((tables) => {
    const read = ranges.isEmpty ? tables : tables.filter(isRead);
    return new InputRun(fs, task.output.directory, read);
  });
}

/** The ranges that were deleted in any of the inputs. */
function rangesOf(task: MergeTask, fs: SyncFileSystem): RangeTombstones {
  const all = new RangeTombstones();
  if (task.kind === "flush") {
    for (const { ranges } of task.memtables) {
      const own = ranges && RangeTombstones.decode(ranges);
      if (own !== undefined) all.addAll(own);
    }
    return all;
  }
  for (const table of task.runs.flat()) {
    if (table.rangeDeletes > 0) all.addAll(readRanges(fs, task.output.directory, table));
  }
  return all;
}

function oldestMsOf(task: MergeTask): number {
  const inputs = task.kind === "flush" ? task.memtables : task.runs.flat();
  return inputs.reduce((oldest, { oldestMs }) => Math.min(oldest, oldestMs), Infinity);
}

function inputOf(task: MergeTask, runs: readonly InputRun[]): EntryCursor {
  if (task.kind === "compact") return mergeCursors(runs.map((run) => new RunCursor(run)));
  return mergeCursors(task.memtables.map((memtable) => new SortedCursor(memtable)));
}

/** Once a step, so that it costs nothing; it is for whoever looks on. */
function tellProgress({ progress }: MergeTask, entriesRead: number): void {
  if (progress !== undefined) Atomics.store(new Uint32Array(progress), 0, entriesRead);
}

function assertNotCancelled(task: MergeTask): void {
  if (Atomics.load(new Int32Array(task.cancel), 0) === 0) return;
  throw new VarveError("CLOSED", "the database was closed during background work");
}

/** What decides of each version whether it is kept, and what is told of those that are not. */
interface Keeping {
  readonly ranges: RangeRetention;
  readonly stripes: Stripes;
  readonly pruned: PrunedKeyspaces;
}

/** The merge itself. */
class Merge {
  entriesRead = 0;
  entriesKept = 0;
  readonly #input: EntryCursor;
  readonly #outputs: Outputs;
  readonly #fold: VersionFold;
  readonly #ranges: RangeRetention;
  readonly #stripes: Stripes;
  readonly #pruned: PrunedKeyspaces;
  /** Entries that were dropped before the present keyspace. */
  #droppedBefore = 0;
  readonly #deeper: DeeperLevels;
  readonly #tableBytesMax: number;
  /** The user key and trailer before. */
  #key: Uint8Array = new Uint8Array(256);
  #keyBytes = 0;
  #low = 0;
  #high = 0;
  #begun = false;
  readonly #hasDeeper = () => this.#deeper.mayHold(this.#key, this.#keyBytes);

  constructor(
    task: MergeTask,
    input: EntryCursor,
    outputs: Outputs,
    { ranges, stripes, pruned }: Keeping,
  ) {
    this.#input = input;
    this.#outputs = outputs;
    this.#ranges = ranges;
    this.#stripes = stripes;
    this.#pruned = pruned;
    // A flush is not asked: nothing goes in it for good.
    const newerFromMs = task.kind === "compact" ? task.newerFromMs : 0;
    const times = { nowMs: task.nowMs, newerFromMs };
    this.#fold = new VersionFold(stripes, times);
    // A flush knows of no deeper levels, and takes it that every key is in them.
    this.#deeper = new DeeperLevels(task.kind === "compact" ? task.deeper : undefined);
    if (!ranges.isEmpty) {
      const kept = ranges.kept((start, end) => this.#deeper.overlap(start, end));
      for (const { start, end } of ranges.dropped(kept)) pruned.addRange(start, end);
      outputs.setRanges(kept, oldestMsOf(task));
    }
    this.#tableBytesMax =
      task.kind === "compact" ? task.output.tableBytes : Number.POSITIVE_INFINITY;
  }

  /** Merges some entries; false when there are no more. */
  step(): boolean {
    const input = this.#input;
    let bytes = 0;
    for (let entries = 0; entries < STEP_ENTRIES && bytes < STEP_BYTES; entries++) {
      if (this.#begun) input.next();
      else input.first();
      this.#begun = true;
      while (input.state === CURSOR.BLOCKED) input.loadSync();
      if (input.state === CURSOR.END) {
        this.#endKey();
        this.#endKeyspace(this.entriesRead);
        return false;
      }
      this.#take();
      bytes += input.keyEnd - input.keyStart + input.valueEnd - input.valueStart;
    }
    return true;
  }

  #take(): void {
    const input = this.#input;
    this.entriesRead++;
    if (this.#isNewKey()) {
      this.#endKey();
      this.#setKey();
      if (this.#stripes.hasKeyspaces) this.#enterKey();
      const isFull = this.#outputs.tableBytes >= this.#tableBytesMax;
      if (isFull || this.#deeper.endsOutput(this.#key, this.#keyBytes, this.#tableBytesMax)) {
        this.#outputs.cut();
        this.#deeper.beginOutput();
      }
    }
    this.#low = input.trailerLow;
    this.#high = input.trailerHigh;
    const sequence = sequenceOf(input.trailerLow, input.trailerHigh);
    const isHidden =
      !this.#ranges.isEmpty && this.#ranges.hides(this.#key, this.#keyBytes, sequence);
    if (isHidden) this.#fold.skip(sequence);
    else if (this.#fold.add(input)) this.#keep();
  }

  #endKey(): void {
    if (this.#fold.end(this.#hasDeeper)) this.#keep();
  }

  #enterKey(): void {
    const before = this.#stripes.keyspace;
    if (!this.#stripes.enterKey(this.#key)) return;
    // One was read of the new keyspace.
    this.#endKeyspace(this.entriesRead - 1, before);
  }

  /** So many entries were read up to the last of the keyspace. */
  #endKeyspace(entriesRead: number, keyspace = this.#stripes.keyspace): void {
    const dropped = entriesRead - this.entriesKept;
    if (dropped > this.#droppedBefore) this.#pruned.add(keyspace);
    this.#droppedBefore = dropped;
  }

  #keep(): void {
    this.entriesKept++;
    this.#outputs.add(this.#key, this.#keyBytes, this.#fold);
  }

  /** Whether the user key is another than before. Throws where the inputs are not in order. */
  #isNewKey(): boolean {
    const { key, keyStart, keyEnd, trailerLow, trailerHigh } = this.#input;
    if (this.entriesRead === 1) return true;
    const order = compareRanges(key, keyStart, keyEnd, this.#key, 0, this.#keyBytes);
    const newer =
      order === 0 && compareTrailers(trailerLow, trailerHigh, this.#low, this.#high) <= 0;
    if (order < 0 || newer) {
      throw new VarveError("CORRUPTION", "the entries of a compaction's inputs are not in order");
    }
    return order > 0;
  }

  #setKey(): void {
    const { key, keyStart, keyEnd } = this.#input;
    const length = keyEnd - keyStart;
    if (length > this.#key.length) this.#key = new Uint8Array(length * 2);
    for (let i = 0; i < length; i++) this.#key[i] = key[keyStart + i]!;
    this.#keyBytes = length;
  }
}

/** The tables below a compaction's output, walked along with its keys, which only grow. */
class DeeperLevels {
  readonly #levels: readonly (readonly TableRange[])[] | undefined;
  /** By level, the first table that does not end before the present key. */
  readonly #at: number[];
  /** Of the nearest level: the first table not yet passed by the present output, and what it passed. */
  #nearestAt = 0;
  #passedBytes = 0;

  constructor(levels: readonly (readonly TableRange[])[] | undefined) {
    this.#levels = levels;
    this.#at = (levels ?? []).map(() => 0);
  }

  /** Whether a deeper level may have versions of the key. */
  mayHold(key: Uint8Array, keyBytes: number): boolean {
    if (this.#levels === undefined) return true;
    for (let level = 0; level < this.#levels.length; level++) {
      const tables = this.#levels[level]!;
      let at = this.#at[level]!;
      while (at < tables.length && compareTo(tables[at]!.largest, key, keyBytes) < 0) at++;
      this.#at[level] = at;
      if (at < tables.length && compareTo(tables[at]!.smallest, key, keyBytes) <= 0) return true;
    }
    return false;
  }

  /** Whether a deeper level may have keys in a range. */
  overlap(start: Uint8Array, end: Uint8Array | undefined): boolean {
    if (this.#levels === undefined) return true;
    return this.#levels.some((tables) =>
      tables.some(
        ({ smallest, largest }) =>
          compareBytes(largest, start) >= 0 &&
          (end === undefined || compareBytes(smallest, end) < 0),
      ),
    );
  }

  /** Whether an output that goes on to the key would overlap too much of the nearest level. */
  endsOutput(key: Uint8Array, keyBytes: number, tableBytesMax: number): boolean {
    const tables = this.#levels?.[0];
    if (tables === undefined) return false;
    while (
      this.#nearestAt < tables.length &&
      compareTo(tables[this.#nearestAt]!.largest, key, keyBytes) < 0
    ) {
      this.#passedBytes += tables[this.#nearestAt]!.fileBytes;
      this.#nearestAt++;
    }
    return this.#passedBytes > GRANDPARENT_TABLES_MAX * tableBytesMax;
  }

  beginOutput(): void {
    this.#passedBytes = 0;
  }
}

function compareTo(bound: Uint8Array, key: Uint8Array, keyBytes: number): number {
  return compareRanges(bound, 0, bound.length, key, 0, keyBytes);
}
