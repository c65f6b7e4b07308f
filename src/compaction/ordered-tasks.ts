/**
 * Writes tables of entries that come in order and each key once: those of an ingest, and its tables once more where
 * their sequence was overtaken. A generator, as `run-task.ts` is, with the same invariants, but that the outputs' names
 * are not on the disk yet: an ingest has many of these tasks, and sees to that once. An output is put on the disk while
 * the next one is built.
 */
import { CURSOR, type EntryCursor } from "../entry-cursor.ts";
import { VarveError } from "../errors.ts";
import type { SyncFileSystem } from "../fs/file-system.ts";
import { kindOf, trailerHigh, trailerLow } from "../key.ts";
import { EntryRunReader } from "./entry-run.ts";
import { InputRun } from "./input-run.ts";
import { Outputs } from "./outputs.ts";
import type { IngestTask, RestampTask, TaskResult, TaskStep } from "./tasks.ts";

/** Entries, and bytes of them, between two looks around: a few milliseconds' work. */
const STEP_ENTRIES = 2000;
const STEP_BYTES = 1024 * 1024;

export function* writeOrdered(
  task: IngestTask | RestampTask,
  fs: SyncFileSystem,
): Generator<TaskStep, TaskResult> {
  const outputs = new Outputs(fs, task.output, true);
  const source = task.kind === "ingest" ? new RunSource(task) : new TableSource(task, fs);
  let done = false;
  try {
    let written = 0;
    while (source.step(outputs)) {
      if (Atomics.load(new Int32Array(task.cancel), 0) !== 0) {
        throw new VarveError("ABORTED", "the ingest was ended");
      }
      yield outputs.bytesWritten - written;
      written = outputs.bytesWritten;
    }
    const { entriesRead } = source;
    outputs.end();
    yield outputs.synced();
    yield outputs.bytesWritten - written;
    done = true;
    const { tables, bytesWritten } = outputs;
    return {
      added: tables,
      bytesRead: 0,
      bytesWritten,
      entriesRead,
      entriesDropped: 0,
      isPruned: false,
      prunedKeyspaces: [],
    };
  } finally {
    source.close();
    if (!done) outputs.abandon();
  }
}

/** Where entries come from. */
interface Source {
  readonly entriesRead: number;
  /** Writes some entries; false when there are no more. */
  step(outputs: Outputs): boolean;
  close(): void;
}

class RunSource implements Source {
  entriesRead = 0;
  readonly #task: IngestTask;
  readonly #reader: EntryRunReader;
  /** Before this place in the run the table is not full. */
  #lookFrom = 0;

  constructor(task: IngestTask) {
    this.#task = task;
    this.#reader = new EntryRunReader(task.run, task.runBytes);
  }

  step(outputs: Outputs): boolean {
    const reader = this.#reader;
    const { sequence, entryKind, timeMs } = this.#task;
    const { tableBytes } = this.#task.output;
    const low = trailerLow(sequence, entryKind);
    const high = trailerHigh(sequence);
    const { bytes } = reader;
    const endBytes = reader.valueEnd + STEP_BYTES;
    for (let entries = 0; entries < STEP_ENTRIES && reader.valueEnd < endBytes; entries++) {
      if (!reader.next()) return false;
      const { keyStart, keyEnd, valueEnd } = reader;
      if (keyStart >= this.#lookFrom) {
        const left = tableBytes - outputs.tableBytes;
        if (left <= 0) outputs.cut();
        this.#lookFrom = valueEnd + Math.max(0, left >> 1);
      }
      outputs.addInPlace(bytes, keyStart, keyEnd, valueEnd, low, high, timeMs);
      this.entriesRead++;
    }
    return true;
  }

  close(): void {}
}

class TableSource implements Source {
  entriesRead = 0;
  readonly #sequence: number;
  readonly #run: InputRun;
  readonly #input: EntryCursor;

  constructor(task: RestampTask, fs: SyncFileSystem) {
    this.#sequence = task.sequence;
    this.#run = new InputRun(fs, task.output.directory, [task.table]);
    this.#input = this.#run.open(0);
  }

  step(outputs: Outputs): boolean {
    const input = this.#input;
    let bytes = 0;
    for (let entries = 0; entries < STEP_ENTRIES && bytes < STEP_BYTES; entries++) {
      if (this.entriesRead === 0) input.first();
      else input.next();
      while (input.state === CURSOR.BLOCKED) input.loadSync();
      if (input.state === CURSOR.END) return false;
      const { key, keyStart, keyEnd, value, valueStart, valueEnd } = input;
      const version = {
        trailerLow: trailerLow(this.#sequence, kindOf(input.trailerLow)),
        trailerHigh: trailerHigh(this.#sequence),
        timeMs: input.timeMs(),
        value,
        valueStart,
        valueEnd,
      };
      outputs.add(key.subarray(keyStart, keyEnd), keyEnd - keyStart, version);
      bytes += keyEnd - keyStart + valueEnd - valueStart;
      this.entriesRead++;
    }
    return true;
  }

  close(): void {
    this.#run.close();
  }
}
