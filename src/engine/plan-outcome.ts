/** What background work is to know, and what comes of it, as edits and the log of what is done say it. */
import { Horizons } from "../compaction/horizons.ts";
import type { CompactionPlan } from "../compaction/picker.ts";
import type { MergeTask, TaskResult } from "../compaction/tasks.ts";
import { VarveError } from "../errors.ts";
import type { VersionEdit } from "../version/edit.ts";
import type { Pruned } from "../version/past.ts";
import type { SealedMemtable } from "./memtable-set.ts";
import type { SnapshotList } from "./snapshot-list.ts";
import type { TaskDescription } from "./task-list.ts";
import type { Tree } from "./tree.ts";

/** What a task took of the past, by the horizons that it was told, which may have changed since. */
export function prunedBy(
  { horizon, keyspaceHorizons = [] }: MergeTask,
  { isPruned, prunedKeyspaces }: TaskResult,
  inputs: readonly { readonly largestSequence: number }[],
): Pruned {
  const largest = Math.max(...inputs.map(({ largestSequence }) => largestSequence));
  const pruned = new Set(prunedKeyspaces);
  return {
    to: isPruned ? Math.min(horizon, largest) : 0,
    keyspaces: keyspaceHorizons.map(([id, own]) => [
      id,
      pruned.has(id) ? Math.min(own, largest) : 0,
    ]),
  };
}

/** What was changed up to `largestSequence` may have left no trace, as far as the task kept none. */
export function forgetBy(
  list: SnapshotList,
  largestSequence: number,
  { snapshots, horizon, keyspaceHorizons }: MergeTask,
): void {
  // Known for all keyspaces together: as little as for the one that keeps the least.
  const { most } = new Horizons(horizon, keyspaceHorizons);
  list.forget(largestSequence, Math.min(most, snapshots[0] ?? Number.POSITIVE_INFINITY));
}

/**
 * The earliest time of what may be newer than a plan's inputs: in memtables, in tables above or beside
 * them, and in what is being ingested.
 */
export function newerFromMs(
  tree: Pick<Tree, "memtables" | "version">,
  plan: CompactionPlan,
  smallest: Uint8Array,
  largest: Uint8Array,
  ingestSinceMs: number,
): number {
  const { memtables, version } = tree;
  const inputs = new Set(plan.inputs.flatMap(({ tables }) => tables));
  let oldestMs = ingestSinceMs;
  for (const memtable of memtables.memtables) oldestMs = Math.min(oldestMs, memtable.oldestMs);
  for (let level = 0; level <= plan.outputLevel; level++) {
    for (const table of version.overlapping(level, smallest, largest)) {
      if (!inputs.has(table)) oldestMs = Math.min(oldestMs, table.oldestMs);
    }
  }
  return oldestMs;
}

export function isDamage(error: unknown): boolean {
  return error instanceof VarveError && error.code === "CORRUPTION";
}

export function removedBy(plan: CompactionPlan): VersionEdit["removed"] {
  return plan.inputs.flatMap(({ level, tables }) =>
    tables.map(({ number }) => ({ level, number })),
  );
}

/** What a flush is told as while it runs. */
export function flushOf(memtables: readonly SealedMemtable[]): TaskDescription {
  return {
    kind: "flush",
    sourceLevel: null,
    targetLevel: 0,
    tables: [],
    bytes: memtables.reduce((total, { memtable }) => total + memtable.usedBytes, 0),
    entries: memtables.reduce((total, { memtable }) => total + memtable.entries, 0),
  };
}

/** What a compaction or a move is told as while it runs. */
export function compactionOf(plan: CompactionPlan): TaskDescription {
  const tables = plan.inputs.flatMap((input) => input.tables);
  return {
    kind: plan.isMove ? "move" : "compaction",
    sourceLevel: plan.inputs[0]?.level ?? null,
    targetLevel: plan.outputLevel,
    tables: tables.map(({ number }) => number),
    bytes: tables.reduce((total, { fileBytes }) => total + fileBytes, 0),
    entries: tables.reduce((total, { entries }) => total + entries, 0),
  };
}

export function compactionFields(
  plan: CompactionPlan,
  result: TaskResult,
  startedMs: number,
): object {
  const [source] = plan.inputs;
  return {
    reason: plan.reason,
    from: source?.level,
    to: plan.outputLevel,
    tables: plan.inputs.reduce((total, { tables }) => total + tables.length, 0),
    bytesRead: result.bytesRead,
    bytesWritten: result.bytesWritten,
    entriesDropped: result.entriesDropped,
    ms: since(startedMs),
  };
}

export function since(startedMs: number): number {
  return Math.round(performance.now() - startedMs);
}
