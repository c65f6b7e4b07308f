/**
 * Background work in worker threads. Each worker runs one compaction at a time and takes a flush in
 * between the compaction's steps, since writers wait for flushes and for nothing else (see `worker.ts`).
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Task, TaskResult } from "../compaction/tasks.ts";
import { type ErrorCode, VarveError } from "../errors.ts";
import type { Background } from "./background.ts";

/**
 * A worker's garbage are buffers, whose memory is outside the heap; collected often, it stays small. With
 * Node's own choice a load of 5 million entries took 100 MiB more, and no less time.
 */
const YOUNG_GENERATION_MB = 12;

export interface WorkerSettings {
  /** Bytes per second that the worker writes at most; 0 for no limit. */
  readonly bytesPerSecond: number;
}

export interface WorkerRequest {
  readonly id: number;
  readonly task: Task;
}

export type WorkerAnswer =
  | { readonly id: number; readonly result: TaskResult }
  | {
      readonly id: number;
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryable: boolean;
    };

interface Pending {
  readonly worker: Worker;
  readonly kind: Task["kind"];
  readonly resolve: (result: TaskResult) => void;
  readonly reject: (error: VarveError) => void;
}

export class WorkerBackground implements Background {
  readonly compactionsMax: number;
  readonly #workers: Worker[];
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #closed = false;

  constructor(bytesPerSecond: number, threads = Math.max(1, availableParallelism() - 1)) {
    this.compactionsMax = threads;
    const settings: WorkerSettings = { bytesPerSecond: bytesPerSecond / threads };
    this.#workers = Array.from({ length: threads }, () => this.#start(settings));
  }

  run(task: Task): Promise<TaskResult> {
    const worker = this.#leastBusy(task.kind);
    const request: WorkerRequest = { id: ++this.#lastId, task };
    return new Promise((resolve, reject) => {
      this.#pending.set(request.id, { worker, kind: task.kind, resolve, reject });
      worker.ref();
      worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#rejectAll(() => true, "CLOSED", "the database was closed during background work");
  }

  #start(settings: WorkerSettings): Worker {
    const program = new URL(`./worker${import.meta.filename.slice(-3)}`, import.meta.url);
    // Options that the process was started with may not suit a worker.
    const worker = new Worker(program, {
      workerData: settings,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    worker.on("message", (answer: WorkerAnswer) => this.#answered(answer));
    worker.on("error", (error) => this.#ended(worker, error.message));
    worker.on("exit", (code) => this.#ended(worker, `it exited with code ${code}`));
    // Idle workers do not keep the process alive. Last, since a listener refers to the port again.
    worker.unref();
    return worker;
  }

  #answered(answer: WorkerAnswer): void {
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) return;
    this.#pending.delete(answer.id);
    this.#rest(pending.worker);
    if ("result" in answer) pending.resolve(answer.result);
    else {
      const { code, message, retryable } = answer;
      pending.reject(new VarveError(code, message, { retryable }));
    }
  }

  /** A worker with nothing to do does not keep the process alive; one that is being ended does. */
  #rest(worker: Worker): void {
    const isIdle = [...this.#pending.values()].every((other) => other.worker !== worker);
    if (isIdle && !this.#closed) worker.unref();
  }

  /** A worker that died takes its tasks with it; the database stops background work and says so. */
  #ended(worker: Worker, why: string): void {
    if (this.#closed) return;
    const message = `a background worker ended: ${why}`;
    this.#rejectAll((pending) => pending.worker === worker, "INTERNAL", message);
  }

  #rejectAll(chosen: (pending: Pending) => boolean, code: ErrorCode, message: string): void {
    for (const [id, pending] of this.#pending) {
      if (!chosen(pending)) continue;
      this.#pending.delete(id);
      pending.reject(new VarveError(code, message));
    }
  }

  /** The worker with the fewest tasks of this kind. */
  #leastBusy(kind: Task["kind"]): Worker {
    const load = (worker: Worker) => {
      let tasks = 0;
      for (const pending of this.#pending.values()) {
        if (pending.worker === worker) tasks += pending.kind === kind ? 1000 : 1;
      }
      return tasks;
    };
    const [first, ...others] = this.#workers;
    if (first === undefined) throw new Error("no worker");
    return others.reduce((best, worker) => (load(worker) < load(best) ? worker : best), first);
  }
}
