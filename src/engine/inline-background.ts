/**
 * Background work in the calling thread, a step at a time. Simulation passes a scheduler that orders the
 * steps by seed, so that a run with its flushes and compactions can be repeated exactly.
 */
import { runTask } from "../compaction/run-task.ts";
import type { Task, TaskResult, TaskStep } from "../compaction/tasks.ts";
import { VarveError } from "../errors.ts";
import type { SyncFileSystem } from "../fs/file-system.ts";
import type { Background } from "./background.ts";

/** Calls `step` later, once, in an order of its own choosing. */
export type StepScheduler = (step: () => void) => void;

export class InlineBackground implements Background {
  readonly compactionsMax: number;
  readonly #fs: SyncFileSystem;
  readonly #schedule: StepScheduler;
  readonly #running = new Set<() => void>();

  constructor(fs: SyncFileSystem, schedule: StepScheduler = setImmediate, compactionsMax = 1) {
    this.#fs = fs;
    this.#schedule = schedule;
    this.compactionsMax = compactionsMax;
  }

  run(task: Task): Promise<TaskResult> {
    const steps = runTask(task, this.#fs);
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#running.delete(end);
        steps.return({} as TaskResult);
        reject(new VarveError("CLOSED", "the database was closed during background work"));
      };
      const step = () => {
        if (!this.#running.has(end)) return;
        try {
          const { done, value } = steps.next();
          if (!done) return goOn(value);
          this.#running.delete(end);
          resolve(value);
        } catch (error) {
          fail(error);
        }
      };
      const fail = (error: unknown) => {
        this.#running.delete(end);
        reject(error);
      };
      const goOn = (value: TaskStep) => {
        if (typeof value === "number") return this.#schedule(step);
        value.then(
          () => this.#schedule(step),
          (error: unknown) => {
            if (!this.#running.has(end)) return;
            steps.return({} as TaskResult);
            fail(error);
          },
        );
      };
      this.#running.add(end);
      this.#schedule(step);
    });
  }

  async close(): Promise<void> {
    for (const end of [...this.#running]) end();
  }
}
