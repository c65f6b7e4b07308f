/**
 * Where flushes and compactions run. Two implementations: worker threads, and inline in the calling
 * thread, step by step, which simulation drives by seed.
 */
import type { Task, TaskResult } from "../compaction/tasks.ts";

export interface Background {
  /** Compactions that may run at once. A flush may always run beside them. */
  readonly compactionsMax: number;
  /** Resolves with the task's outcome; rejects with the `VarveError` that ended it. */
  run(task: Task): Promise<TaskResult>;
  /** Ends the threads; tasks still running are rejected with `CLOSED`. */
  close(): Promise<void>;
}
