/**
 * Writes tables of entries that come in order and each key once: those of an ingest, and its tables once more where
 * their sequence was overtaken. A generator, as `run-task.ts` is, with the same invariants.
 */
import { CURSOR } from "../entry-cursor.ts";
import { VarveError } from "../errors.ts";
import type { SyncFileSystem } from "../fs/file-system.ts";
import { kindOf, trailerHigh, trailerLow } from "../key.ts";
import { EntryRunReader } from "./entry-run.ts";
import { InputRun } from "./input-run.ts";
import { Outputs } from "./outputs.ts";
import type { IngestTask, RestampTask, TaskResult } from "./tasks.ts";

/** Entries between two looks around. */
const STEP_ENTRIES = 2000;

export function* writeOrdered(
  task: IngestTask | RestampTask,
  fs: SyncFileSystem,
): Generator<number, TaskResult> {
  const outputs = new Outputs(fs, task.output);
  let done = false;
  try {
    const entries =
      task.kind === "ingest" ? entriesOfRun(task, outputs) : entriesOfTable(task, fs, outputs);
    let written = 0;
    let entriesRead = 0;
    for (const _ of entries) {
      if (++entriesRead % STEP_ENTRIES !== 0) continue;
      if (Atomics.load(new Int32Array(task.cancel), 0) !== 0) {
        throw new VarveError("ABORTED", "the ingest was ended");
      }
      yield outputs.bytesWritten - written;
      written = outputs.bytesWritten;
    }
    const added = outputs.finish();
    yield outputs.bytesWritten - written;
    done = true;
    const { bytesWritten } = outputs;
    return { added, bytesRead: 0, bytesWritten, entriesRead, entriesDropped: 0, isPruned: false };
  } finally {
    if (!done) outputs.abandon();
  }
}

function* entriesOfRun(task: IngestTask, outputs: Outputs): Generator<void> {
  const reader = new EntryRunReader(task.run, task.runBytes);
  const low = trailerLow(task.sequence, task.entryKind);
  const high = trailerHigh(task.sequence);
  while (reader.next()) {
    if (outputs.tableBytes >= task.output.tableBytes) outputs.cut();
    const { bytes, keyStart, keyEnd, valueEnd } = reader;
    outputs.addFrom(bytes, keyStart, keyEnd, low, high, task.timeMs, keyEnd, valueEnd);
    yield;
  }
}

function* entriesOfTable(task: RestampTask, fs: SyncFileSystem, outputs: Outputs): Generator<void> {
  const run = new InputRun(fs, task.output.directory, [task.table]);
  try {
    const input = run.open(0);
    for (input.first(); ; input.next()) {
      while (input.state === CURSOR.BLOCKED) input.loadSync();
      if (input.state === CURSOR.END) return;
      const { key, keyStart, keyEnd, value, valueStart, valueEnd } = input;
      const version = {
        trailerLow: trailerLow(task.sequence, kindOf(input.trailerLow)),
        trailerHigh: trailerHigh(task.sequence),
        timeMs: input.timeMs(),
        value,
        valueStart,
        valueEnd,
      };
      outputs.add(key.subarray(keyStart, keyEnd), keyEnd - keyStart, version);
      yield;
    }
  } finally {
    run.close();
  }
}
