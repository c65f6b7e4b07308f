/**
 * The worker thread's program: runs tasks to their end, one after the other, with synchronous file calls.
 * Between the steps of a compaction it looks for a flush that has come in meanwhile and runs that first.
 */
import { constants, getPriority, setPriority } from "node:os";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { runTask } from "../compaction/run-task.ts";
import type { TaskResult, TaskStep } from "../compaction/tasks.ts";
import { VarveError } from "../errors.ts";
import { DiskFileSystem } from "../fs/disk-file-system.ts";
import type { WorkerAnswer, WorkerRequest, WorkerSettings } from "./worker-background.ts";

const PAUSE_MAX_MS = 20;
/** Who answers calls goes first where processors are short; a tenth of one is still left for this. */
const NICER_BY = 10;

if (parentPort === null) throw new Error("this program runs as a worker thread only");
const port = parentPort;
const { bytesPerSecond } = workerData as WorkerSettings;
const fs = new DiskFileSystem().sync;
const waiting: WorkerRequest[] = [];
const sleeper = new Int32Array(new SharedArrayBuffer(4));
/** Time that the rate limit asks for and that was not slept yet. */
const pace = { owedMs: 0 };
const turn = { isDue: false };

// On Linux this is the thread's own priority; elsewhere it would be the whole process's.
if (process.platform === "linux") {
  setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + NICER_BY));
}

port.on("message", (request: WorkerRequest) => {
  waiting.push(request);
  runLater();
});

/** Between two tasks the event loop turns, so that one that waits for its files is told when they are on the disk. */
function runLater(): void {
  if (turn.isDue) return;
  turn.isDue = true;
  setImmediate(() => {
    turn.isDue = false;
    takeFlushes();
    const next = waiting.shift();
    if (next !== undefined) run(next);
    if (waiting.length > 0) runLater();
  });
}

function run(request: WorkerRequest): void {
  goOn(request, runTask(request.task, fs));
}

/** Runs the task to its end, or to where it has to wait; what came in meanwhile is run before it goes on. */
function goOn(request: WorkerRequest, steps: Generator<TaskStep, TaskResult>): void {
  const { id, task } = request;
  let answer: WorkerAnswer;
  try {
    let step = steps.next();
    while (!step.done) {
      const { value } = step;
      if (typeof value !== "number") {
        const fail = (error: unknown) => {
          steps.return({} as TaskResult);
          port.postMessage(failed(id, error));
        };
        value.then(() => {
          goOn(request, steps);
          if (waiting.length > 0) runLater();
        }, fail);
        return;
      }
      if (task.kind === "compact") betweenSteps(value);
      else if (task.kind !== "flush") takeFlushes();
      step = steps.next();
    }
    answer = { id, result: step.value };
  } catch (error) {
    answer = failed(id, error);
  }
  port.postMessage(answer);
}

function failed(id: number, error: unknown): WorkerAnswer {
  const known = error instanceof VarveError;
  const code = known ? error.code : "INTERNAL";
  const message = error instanceof Error ? (!known && error.stack) || error.message : String(error);
  return { id, code, message, retryable: known && error.retryable };
}

/** Lets flushes overtake, and sleeps as long as the rate limit asks for `written` bytes. */
function betweenSteps(written: number): void {
  takeFlushes();
  if (bytesPerSecond <= 0) return;
  pace.owedMs += (written / bytesPerSecond) * 1000;
  while (pace.owedMs >= 1) {
    const pauseMs = Math.min(pace.owedMs, PAUSE_MAX_MS);
    Atomics.wait(sleeper, 0, 0, pauseMs);
    pace.owedMs -= pauseMs;
    takeFlushes();
  }
}

function takeFlushes(): void {
  for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port)) {
    waiting.push(got.message as WorkerRequest);
  }
  for (let i = 0; i < waiting.length; ) {
    if (waiting[i]?.task.kind === "flush") run(waiting.splice(i, 1)[0] as WorkerRequest);
    else i++;
  }
}
