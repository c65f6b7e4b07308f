/**
 * What the background does at present and what it did last, for whoever looks on. A task is begun where the work
 * begins; it leaves in the same synchronous step in which what it made becomes visible, or where it fails. So whoever
 * looks at the tree and at this list in one step never sees a task whose inputs are gone.
 */
import type { Clock } from "../fs/clock.ts";
import type { VersionEdit } from "../version/edit.ts";

/** How many of those that are done are remembered. */
const RECENT_MAX = 20;

export type TaskKind = "flush" | "compaction" | "ingest" | "move";

export interface TaskDescription {
  readonly kind: TaskKind;
  /** `null` where what comes in is not of the tree yet. */
  readonly sourceLevel: number | null;
  /** Of an ingest: the deepest level it may get to. */
  readonly targetLevel: number;
  /** Numbers of the tables that go with it. */
  readonly tables: readonly number[];
  /** What comes in: bytes, and entries where these are counted on the way. */
  readonly bytes: number;
  readonly entries: number;
}

export interface RunningTask {
  readonly id: number;
  readonly kind: TaskKind;
  readonly sourceLevel: number | null;
  readonly targetLevel: number;
  readonly tables: readonly number[];
  /** Of what comes in. An ingest's grows for as long as pairs come. */
  readonly bytesTotal: number;
  /** Of these, what is worked off, about. */
  readonly bytesDone: number;
  /** Wall clock, milliseconds. */
  readonly startedAt: number;
}

export interface FinishedTask {
  readonly id: number;
  readonly kind: TaskKind;
  readonly sourceLevel: number | null;
  readonly targetLevel: number;
  /** Of the tables that it made, or moved. */
  readonly bytes: number;
  /** Wall clock, milliseconds. */
  readonly endedAt: number;
  readonly durationMs: number;
}

export class TaskList {
  readonly #clock: Clock;
  readonly #running = new Set<TrackedTask>();
  /** Oldest first. */
  readonly #recent: FinishedTask[] = [];
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `using` what it gives sees to it that a task which fails leaves, too. */
  begin(description: TaskDescription): TrackedTask {
    const leave = (task: TrackedTask, finished: FinishedTask | undefined) => {
      this.#running.delete(task);
      if (finished !== undefined) this.#recent.push(finished);
      if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    };
    const task = new TrackedTask(++this.#lastId, description, this.#clock, leave);
    this.#running.add(task);
    return task;
  }

  /** In the order in which they began. */
  running(): RunningTask[] {
    return [...this.#running].map((task) => task.picture());
  }

  /** The last ones that are done, oldest first. */
  recent(): FinishedTask[] {
    return [...this.#recent];
  }
}

export class TrackedTask implements Disposable {
  /** A `Uint32Array`'s memory: how many entries were read so far, which a worker may tell (`compaction/tasks.ts`). */
  readonly progress = new SharedArrayBuffer(4);
  /** What came in, and what was worked off, where entries are not counted. */
  bytesTotal: number;
  bytesDone = 0;
  readonly #id: number;
  readonly #description: TaskDescription;
  readonly #clock: Clock;
  readonly #leave: (task: TrackedTask, finished: FinishedTask | undefined) => void;
  readonly #startedAt: number;
  readonly #startedMs: number;

  constructor(
    id: number,
    description: TaskDescription,
    clock: Clock,
    leave: (task: TrackedTask, finished: FinishedTask | undefined) => void,
  ) {
    this.#id = id;
    this.#description = description;
    this.bytesTotal = description.bytes;
    this.#clock = clock;
    this.#leave = leave;
    this.#startedAt = clock.now();
    this.#startedMs = clock.monotonicMs();
  }

  /** What it made is visible now. */
  installed(added: VersionEdit["added"]): void {
    const { kind, sourceLevel, targetLevel } = this.#description;
    this.#leave(this, {
      id: this.#id,
      kind,
      sourceLevel,
      // An ingest's are found when it is installed.
      targetLevel: added.length === 0 ? targetLevel : Math.max(...added.map(({ level }) => level)),
      bytes: added.reduce((total, { table }) => total + table.fileBytes, 0),
      endedAt: this.#clock.now(),
      durationMs: this.#clock.monotonicMs() - this.#startedMs,
    });
  }

  picture(): RunningTask {
    const { kind, sourceLevel, targetLevel, tables, entries } = this.#description;
    const { bytesTotal } = this;
    const entriesRead = Atomics.load(new Uint32Array(this.progress), 0);
    const share = entries === 0 ? 0 : Math.min(1, entriesRead / entries);
    const bytesDone = entries === 0 ? this.bytesDone : Math.round(bytesTotal * share);
    const startedAt = this.#startedAt;
    return {
      id: this.#id,
      kind,
      sourceLevel,
      targetLevel,
      tables,
      bytesTotal,
      bytesDone,
      startedAt,
    };
  }

  [Symbol.dispose](): void {
    this.#leave(this, undefined);
  }
}
