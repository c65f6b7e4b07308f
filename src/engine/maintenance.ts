/**
 * Keeps the tree in shape: flushes memtables that are full, compacts what is due, and installs what came of
 * it. What to do is the picker's decision; this file sees to the order of publication, always: tables
 * synced, directory synced (both by the task), manifest edit synced, visible.
 *
 * One flush runs at a time, so that level 0 grows in the order of age. A failure ends background work and is
 * kept: reads go on, and so do writes until the memtables are full. Two are different: what passes, as a full
 * disk, is tried again; and tables that compaction finds damaged are left where they are, and left out.
 */
import { nextExpiryMs } from "../compaction/expired.ts";
import { waitsForPast } from "../compaction/hidden.ts";
import { type CompactionPlan, pickCompaction, pickRange } from "../compaction/picker.ts";
import { placeIngested } from "../compaction/place-ingested.ts";
import { compactionDebt } from "../compaction/targets.ts";
import type { IngestTask, RestampTask } from "../compaction/tasks.ts";
import { VarveError } from "../errors.ts";
import type { Timer } from "../fs/clock.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { VersionEdit } from "../version/edit.ts";
import type { Pruned } from "../version/past.ts";
import { coveredTables, prunedWith } from "./covered-tables.ts";
import type { MaintenanceOptions, MaintenanceStats } from "./maintenance-options.ts";
import type { SealedMemtable } from "./memtable-set.ts";
import {
  compactionFields,
  compactionOf,
  flushOf,
  forgetBy,
  isDamage,
  prunedBy,
  removedBy,
  since,
} from "./plan-outcome.ts";
import { TaskList, type TrackedTask } from "./task-list.ts";
import { TaskPlans } from "./task-plans.ts";
import type { InclusiveRange } from "./validate.ts";

/** Timers take no longer delays; one that ends early does no harm. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** After a full disk or too many open files had stopped a task, when room is not seen to be back before. */
const RETRY_MS = 1000;

/** An edit, with what it takes of the past. */
interface PlannedEdit extends Pick<VersionEdit, "added" | "removed"> {
  readonly pruned?: Pruned;
}

export class Maintenance {
  flushBytes = 0;
  compactionBytes = 0;
  failure: VarveError | undefined;
  readonly tasks: TaskList;
  /** What a compaction met in a table; its inputs stay busy, so that none is picked again. */
  #damage: VarveError | undefined;
  readonly #options: MaintenanceOptions;
  readonly #busy = new Set<number>();
  readonly #cancel = new SharedArrayBuffer(4);
  readonly #taskPlans: TaskPlans;
  /** Being carried out. */
  readonly #plans = new Set<CompactionPlan>();
  /** When the ingest that is running began, which is when its entries are said to have been committed. */
  ingestSinceMs = Number.POSITIVE_INFINITY;
  /** An ingest has its place and is not there yet: nothing must be moved into it. */
  #isPlacing = false;
  #ingestedTo: number;
  #flushing = false;
  #compacting = 0;
  #logFloor: number;
  #lastSequence: number;
  /** The last edit in line for the manifest. */
  #installing: Promise<void> = Promise.resolve();
  readonly #waiters: (() => void)[] = [];
  #closed = false;
  /** Something that passes stopped a task, which is then done again. */
  #retryTimer: Timer | undefined;
  #garbageTimer: Timer | undefined;
  #flushes = 0;
  #compactions = 0;
  #moves = 0;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.tasks = new TaskList(options.clock);
    this.#taskPlans = new TaskPlans(options, this.#cancel);
    this.#logFloor = options.logFloor;
    this.#lastSequence = options.lastSequence;
    this.#ingestedTo = options.ingestedTo ?? 0;
  }

  /** Bytes that compaction has still to move. */
  get debtBytes(): number {
    return compactionDebt(this.#options.tree.version, this.#options.settings);
  }

  /** Starts what is due. Call whenever a memtable was sealed or a version installed. */
  wake(): void {
    if (this.#closed || this.failure !== undefined || this.#retryTimer !== undefined) return;
    this.#startFlush();
    this.#startCompactions();
  }

  /** Goes on at once with what a full disk had stopped. */
  resume(): void {
    this.#retryTimer?.cancel();
    this.#retryTimer = undefined;
    this.wake();
  }

  /** The last edit may or may not be in the manifest. */
  get hasUnsureEdit(): boolean {
    return this.#options.manifest.failed;
  }

  /** Resolves when no sealed memtable waits for flush any more. */
  async flushed(): Promise<void> {
    await this.#until(() => this.#options.tree.memtables.sealed().length === 0);
  }

  /** Nothing is being done, nor waits to be. */
  get isResting(): boolean {
    const isBusy = this.#flushing || this.#compacting > 0 || this.#retryTimer !== undefined;
    const hasFailed = this.failure !== undefined || this.#damage !== undefined;
    return !isBusy && !hasFailed && this.#options.tree.memtables.sealed().length === 0;
  }

  /** Brings the keys of a range down to the last level, for as long as `isWanted`. */
  async compact(range: InclusiveRange, isWanted: () => boolean = () => true): Promise<void> {
    const { tree, settings } = this.#options;
    while (isWanted()) {
      this.assertRunning();
      const plan = this.#isPlacing
        ? "wait"
        : pickRange(tree.version, settings, this.#busy, range.gte, range.lte);
      if (plan === undefined) return;
      if (plan !== "wait") await this.#runPlan(plan);
      else if (this.#damage !== undefined && this.#compacting === 0) throw this.#damage;
      else await this.#changed();
    }
  }

  /** Lets the edits in line finish and ends the rest; outputs that no edit names are removed at the next open. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retryTimer?.cancel();
    this.#garbageTimer?.cancel();
    Atomics.store(new Int32Array(this.#cancel), 0, 1);
    await this.#options.background.close();
    await this.#installing.catch(() => undefined);
    this.#notify();
  }

  stats(): MaintenanceStats {
    return {
      flushes: this.#flushes,
      compactions: this.#compactions,
      moves: this.#moves,
      running: this.#compacting + (this.#flushing ? 1 : 0),
      debtBytes: this.debtBytes,
      failure: (this.failure ?? this.#damage)?.message ?? null,
    };
  }

  #startFlush(): void {
    if (this.#flushing || this.#options.tree.memtables.sealed().length === 0) return;
    this.#flushing = true;
    this.#flush()
      .catch((error) => this.#fail("flush", error))
      .finally(() => {
        this.#flushing = false;
        this.#notify();
        this.wake();
      });
  }

  async #flush(): Promise<void> {
    const { tree, background, logger } = this.#options;
    const sealed = [...tree.memtables.sealed()];
    const written = sealed.filter(({ memtable }) => !memtable.isEmpty);
    let added: VersionEdit["added"] = [];
    let pruned: Pruned | undefined;
    using running = written.length > 0 ? this.tasks.begin(flushOf(written)) : undefined;
    if (running !== undefined) {
      const startedMs = performance.now();
      const memtables = written.map(({ memtable }) => memtable);
      const task = this.#taskPlans.flush(memtables, running.progress);
      const result = await background.run(task);
      for (const { memtable } of written) {
        forgetBy(this.#options.snapshots, memtable.largestSequence, task);
      }
      added = result.added.map((table) => ({ level: 0, table }));
      pruned = prunedBy(
        task,
        result,
        written.map(({ memtable }) => memtable),
      );
      this.flushBytes += result.bytesWritten;
      this.#flushes++;
      logger.info(
        { bytes: result.bytesWritten, entries: result.entriesRead, ms: since(startedMs) },
        "flushed memtables",
      );
    }
    await this.#install({ added, removed: [], ...(pruned && { pruned }) }, running, sealed);
  }

  #startCompactions(): void {
    const { tree, settings, background, snapshots, clock, past } = this.#options;
    while (this.#compacting < background.compactionsMax && !this.#isPlacing) {
      const oldestSnapshot = snapshots.sequences()[0] ?? Number.POSITIVE_INFINITY;
      const nowMs = clock.now();
      const state = { busy: this.#busy, oldestSnapshot, horizons: past.horizons(), nowMs };
      const plan = pickCompaction(tree.version, settings, state);
      if (plan === undefined) {
        this.#wakeForGarbage(nowMs);
        return;
      }
      this.#runPlan(plan).catch((error) => this.#fail("compaction", error));
    }
  }

  /** When there will be garbage, by time alone: much of a table has expired, or the past that it was kept for is over. */
  #wakeForGarbage(nowMs: number): void {
    this.#garbageTimer?.cancel();
    const { tree, clock, past } = this.#options;
    const { version } = tree;
    const expiryMs = (nextExpiryMs(version, nowMs) ?? Number.POSITIVE_INFINITY) - nowMs;
    const stepMs = waitsForPast(version) ? past.stepMs() : undefined;
    const delayMs = Math.min(expiryMs, stepMs ?? Number.POSITIVE_INFINITY);
    if (delayMs === Number.POSITIVE_INFINITY) return;
    this.#garbageTimer = clock.setTimer(Math.min(delayMs, TIMER_MS_MAX), () => this.wake());
  }

  async #runPlan(plan: CompactionPlan): Promise<void> {
    const tables = plan.inputs.flatMap((input) => input.tables);
    for (const { number } of tables) this.#busy.add(number);
    this.#plans.add(plan);
    this.#compacting++;
    let damaged = false;
    try {
      if (plan.isMove) await this.#move(plan);
      else await this.#merge(plan);
    } catch (error) {
      damaged = isDamage(error);
      if (damaged) this.#damage ??= error as VarveError;
      throw error;
    } finally {
      if (!damaged) for (const { number } of tables) this.#busy.delete(number);
      this.#plans.delete(plan);
      this.#compacting--;
      this.#notify();
      // In a step of its own: a plan that fails at once must not be picked again before that is known.
      queueMicrotask(() => this.wake());
    }
  }

  async #move(plan: CompactionPlan): Promise<void> {
    using running = this.tasks.begin(compactionOf(plan));
    const added = plan.inputs.flatMap(({ tables }) =>
      tables.map((table) => ({ level: plan.outputLevel, table })),
    );
    await this.#install({ added, removed: removedBy(plan) }, running);
    this.#moves++;
  }

  async #merge(plan: CompactionPlan): Promise<void> {
    const { background, logger } = this.#options;
    const startedMs = performance.now();
    using running = this.tasks.begin(compactionOf(plan));
    const task = this.#taskPlans.compact(plan, this.ingestSinceMs, running.progress);
    const result = await background.run(task);
    for (const { largestSequence } of plan.inputs.flatMap(({ tables }) => tables)) {
      forgetBy(this.#options.snapshots, largestSequence, task);
    }
    const pruned = prunedBy(task, result, task.runs.flat());
    const added = result.added.map((table) => ({ level: plan.outputLevel, table }));
    await this.#install({ added, removed: removedBy(plan), pruned }, running);
    this.compactionBytes += result.bytesWritten;
    this.#compactions++;
    logger.info(compactionFields(plan, result, startedMs), "compacted tables");
  }

  /** Runs a task that writes tables of an ingest. `ingestedBytes` are those of the tables before, about. */
  async writeIngested(
    task: Omit<IngestTask, "output"> | Omit<RestampTask, "output">,
    ingestedBytes: number,
  ): Promise<readonly TableMeta[]> {
    this.assertRunning();
    const output = this.#taskPlans.ingestOutput(ingestedBytes);
    return (await this.#options.background.run({ ...task, output })).added;
  }

  /** Installs the tables of an ingest, in key order, whose sequence is the newest. No memtable has any of their keys. */
  installIngest(
    tables: readonly TableMeta[],
    sequence: number,
    running: TrackedTask,
  ): Promise<void> {
    return this.#inLine(async () => {
      this.#ingestedTo = sequence;
      this.#isPlacing = true;
      try {
        const added = placeIngested(this.#options.tree.version, [...this.#plans], tables);
        await this.#installNow({ added, removed: [] }, running, []);
      } finally {
        this.#isPlacing = false;
      }
      this.#notify();
      this.wake();
    });
  }

  /** Makes an edit durable, then visible, with which the task that it comes of is done. */
  #install(
    edit: PlannedEdit,
    running: TrackedTask | undefined,
    flushed: readonly SealedMemtable[] = [],
  ): Promise<void> {
    return this.#inLine(() => this.#installNow(edit, running, flushed));
  }

  /** Edits are taken one after the other. */
  #inLine(install: () => Promise<void>): Promise<void> {
    const before = this.#installing.catch(() => undefined);
    this.#installing = before.then(install);
    return this.#installing;
  }

  async #installNow(
    planned: PlannedEdit,
    running: TrackedTask | undefined,
    flushed: readonly SealedMemtable[],
  ): Promise<void> {
    this.assertRunning();
    const { tree, manifest, numbers, onLogFloor, onChange, past, snapshots } = this.#options;
    const horizons = past.horizons();
    const { version } = tree;
    const kept = { snapshots: snapshots.sequences(), horizons, busy: this.#busy };
    const covered = coveredTables(version, flushed, kept);
    const last = flushed.at(-1);
    const sequences = flushed.map(({ memtable }) => memtable.largestSequence);
    const pruned = [planned.pruned, prunedWith(covered, horizons, Math.max(0, ...sequences))];
    const after = pruned.reduce(
      (whole, some) => (some === undefined ? whole : whole.after(some, past.isThere)),
      version.past,
    );
    const gone = covered.map(({ level, table: { number } }) => ({ level, number }));
    const ingestedTo = this.#ingestedTo;
    const edit = {
      added: planned.added,
      removed: [...planned.removed, ...gone],
      ...after.changesSince(version.past),
      ...(ingestedTo > 0 && { ingestedTo }),
    };
    const logFloor = last?.nextLog ?? this.#logFloor;
    const lastSequence = Math.max(this.#lastSequence, ...sequences);
    const nextNumber = numbers.next;
    const next = version.apply(edit);
    // Nobody may begin to compact what goes with this edit.
    for (const { number } of gone) this.#busy.add(number);
    try {
      const state = { version: next, logFloor, lastSequence, ingestedTo };
      await manifest.append({ ...edit, logFloor, lastSequence, nextNumber }, state);
    } finally {
      for (const { number } of gone) this.#busy.delete(number);
    }
    this.#logFloor = logFloor;
    this.#lastSequence = lastSequence;
    tree.install(next, edit, flushed);
    running?.installed(planned.added);
    if (last !== undefined) onLogFloor(logFloor);
    onChange();
  }

  #fail(what: string, error: unknown): void {
    if (this.#closed) return;
    if (error instanceof VarveError && error.retryable && !this.#options.manifest.failed) {
      const { clock, logger, tree } = this.#options;
      logger.warn({ err: error }, `${what} failed; it is tried again`);
      if (error.code !== "NO_SPACE") tree.tables.shrink();
      this.#retryTimer ??= clock.setTimer(RETRY_MS, () => this.resume(), this.#waiters.length > 0);
      return;
    }
    if (what === "compaction" && isDamage(error)) {
      const message = "compaction met damage; the tables concerned are left as they are";
      this.#options.logger.error({ err: error }, message);
      this.#notify();
      return;
    }
    const cause = error instanceof Error ? error : new Error(String(error));
    const code = error instanceof VarveError ? error.code : "INTERNAL";
    this.failure ??= new VarveError(code, `${what} failed: ${cause.message}`, { cause });
    this.#options.logger.error({ err: cause }, `${what} failed; background work has stopped`);
    this.#notify();
  }

  /** Throws where nothing can be installed any more. */
  assertRunning(): void {
    if (this.#closed) throw new VarveError("CLOSED", "the database is closed");
    if (this.failure !== undefined) throw this.failure;
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      this.assertRunning();
      await this.#changed();
    }
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #notify(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
