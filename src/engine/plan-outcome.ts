/** What comes of background work, as edits and the log of what is done say it. */
import type { CompactionPlan } from "../compaction/picker.ts";
import type { MergeTask, TaskResult } from "../compaction/tasks.ts";
import { VarveError } from "../errors.ts";
import type { VersionEdit } from "../version/edit.ts";

/** The largest sequence whose commit took something of the past away, or more; 0 where nothing is gone. */
export function prunedBy(
  { horizon }: MergeTask,
  { isPruned }: TaskResult,
  inputs: readonly { readonly largestSequence: number }[],
): number {
  if (!isPruned) return 0;
  return Math.min(horizon, Math.max(...inputs.map(({ largestSequence }) => largestSequence)));
}

export function isDamage(error: unknown): boolean {
  return error instanceof VarveError && error.code === "CORRUPTION";
}

export function removedBy(plan: CompactionPlan): VersionEdit["removed"] {
  return plan.inputs.flatMap(({ level, tables }) =>
    tables.map(({ number }) => ({ level, number })),
  );
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
