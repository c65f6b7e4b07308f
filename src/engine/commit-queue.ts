/**
 * Group commit. Writes that arrive while a group is being written form the next one; each is encoded into
 * the group's log buffer and inserted into the memtable at once, not yet visible. A group is one log
 * record and at most one sync; when it is done the visible sequence moves forward and every caller of the
 * group is answered.
 *
 * Invariants: sequence numbers follow submission order, groups are written one after the other in that
 * order, and nothing becomes visible before its record is written (and synced, where asked for). A full
 * memtable ends the group, so a memtable's entries are in its own log segments and no later ones.
 *
 * Source of the idea: LevelDB's writer queue; overlapping one group's encoding with the write of the one
 * before follows MySQL's and Pebble's commit pipelines.
 */

import type { VarveError } from "../errors.ts";
import type { Clock, Timer } from "../fs/clock.ts";
import { COMMIT_TIME_MAX_MS, KIND } from "../key.ts";
import { CommitGroupWriter } from "../log/commit-group.ts";
import { encodeIngest } from "../log/ingest-operation.ts";
import type { Log } from "../log/log.ts";
import type { Commit, Durability } from "../store.ts";
import { logFailed } from "./failures.ts";
import { Latency } from "./latency.ts";

/**
 * When nothing was written for as long as this, the log is marked as synced, so that damage to its last
 * record is told from a write that a crash cut short.
 */
const IDLE_MS = 1000;

/**
 * While syncs take less than this, a large group does not wait for all that the event loop has at hand: half of
 * what came lately is written while the other half comes in, and callers work on one half's answers while the
 * other is written. A slower disk is better served by fewer syncs, and a small group is not worth two.
 */
const FAST_SYNC_MS = 0.5;
const EARLY_OPERATIONS_MIN = 64;

/** Where commits go besides the log. */
export interface CommitTarget {
  /** Whether the memtable that takes writes has room for so much more. */
  hasRoom(entries: number, bytes: number): boolean;
  /**
   * Puts an empty memtable in its place, large enough for `bytes`. The returned callback is called when
   * the full one's log segments are durable and later writes go to segment `nextLog`.
   */
  rotate(entries: number, bytes: number): (nextLog: number) => void;
  insert(sequence: number, kind: number, timeMs: number, key: Uint8Array, value: Uint8Array): void;
}

/** What the queue asks of the log. */
export type CommitLog = Pick<
  Log,
  "append" | "sync" | "rotate" | "markSynced" | "trim" | "unsyncedBytes"
>;

interface Group {
  readonly writer: CommitGroupWriter;
  readonly resolves: ((commit: Commit) => void)[];
  readonly rejects: ((error: VarveError) => void)[];
  readonly versions: number[];
  sync: boolean;
  startedMs: number;
  /** Rotates the log before this group is written. */
  rotated: ((nextLog: number) => void) | undefined;
  /** Done when the group is in the log, and before it is visible. */
  install: (() => Promise<void>) | undefined;
}

export class CommitQueue {
  /** The newest sequence that reads may see. */
  visibleSequence: number;
  /** Called when that has moved, and when it never will again. */
  onVisible: (() => void) | undefined;
  readonly latency = new Latency();
  operations = 0;
  batches = 0;
  groups = 0;
  userBytes = 0;
  readonly #log: CommitLog;
  readonly #target: CommitTarget;
  readonly #clock: Clock;
  readonly #syncIntervalMs: number;
  #nextSequence: number;
  #forming: Group | undefined;
  readonly #sealed: Group[] = [];
  readonly #spare: Group[] = [];
  #writing: Promise<void> | undefined;
  /** From so many operations on a group is written at once. */
  #earlyOperations = Number.POSITIVE_INFINITY;
  /** Of the synced group before. */
  #lastOperations = 0;
  #startDue = false;
  #intervalTimer: Timer | undefined;
  #syncDue = false;
  #idleTimer: Timer | undefined;
  /** `groups` when the idle timer was set. */
  #groupsSeen = 0;
  #markDue = false;
  #trimDue = false;
  #trimFailure: unknown;
  #failure: VarveError | undefined;
  readonly #onFailure: (error: VarveError) => void;

  constructor(options: {
    log: CommitLog;
    target: CommitTarget;
    clock: Clock;
    lastSequence: number;
    syncIntervalMs: number;
    onFailure: (error: VarveError) => void;
    /** Set where no write is to be taken from the start. */
    failure?: VarveError | undefined;
  }) {
    this.#log = options.log;
    this.#target = options.target;
    this.#clock = options.clock;
    this.#syncIntervalMs = options.syncIntervalMs;
    this.visibleSequence = options.lastSequence;
    this.#nextSequence = options.lastSequence + 1;
    this.#onFailure = options.onFailure;
    this.#failure = options.failure;
  }

  get failure(): VarveError | undefined {
    return this.#failure;
  }

  /** Opens a batch of so many operations, whose keys and values are `bytes` together; `add` and `end` follow in the same tick. */
  begin(operations: number, bytes: number): void {
    if (!this.#target.hasRoom(operations, bytes)) this.#rotateMemtable(operations, bytes);
    this.#forming ??= this.#startGroup();
    this.#forming.writer.reserve(operations, bytes);
    this.operations += operations;
    this.batches++;
    this.userBytes += bytes;
  }

  /** The bytes are taken before this returns; the caller may use its arrays again. */
  add(kind: number, key: Uint8Array, value: Uint8Array): void {
    const sequence = this.#nextSequence++;
    const { writer } = this.#group();
    writer.add(kind, key, value);
    this.#target.insert(sequence, kind, writer.committedAtMs, key, value);
  }

  /** Closes the batch; resolves when it is as durable as asked for and visible. */
  end(durability: Durability): Promise<Commit> {
    const group = this.#group();
    group.writer.endBatch();
    if (durability === "always") group.sync = true;
    else if (durability === "interval") this.#syncLater();
    group.versions.push(this.#nextSequence - 1);
    const commit = new Promise<Commit>((resolve, reject) => {
      group.resolves.push(resolve);
      group.rejects.push(reject);
    });
    if (group.sync && group.writer.operations >= this.#earlyOperations) this.#start();
    else this.#wake();
    return commit;
  }

  /**
   * Commits an ingest, whose tables have a sequence above all that was submitted: as a group of its own, which is
   * always synced, and with it all before it. `install` is called when it is; what it does is visible to readers at
   * that sequence when it resolves. Where it rejects, so does this, and the sequence stands for nothing.
   */
  ingest(
    sequence: number,
    key: Uint8Array,
    end: Uint8Array,
    install: () => Promise<void>,
  ): Promise<Commit> {
    if (this.#forming !== undefined) this.#sealed.push(this.#forming);
    const value = encodeIngest(this.submittedSequence, end);
    this.#nextSequence = sequence;
    const group = this.#startGroup();
    this.#nextSequence++;
    this.#forming = undefined;
    this.#sealed.push(group);
    group.writer.reserve(1, key.length + value.length);
    group.writer.add(KIND.INGEST, key, value);
    group.writer.endBatch();
    group.sync = true;
    group.install = install;
    group.versions.push(sequence);
    return new Promise<Commit>((resolve, reject) => {
      group.resolves.push(resolve);
      group.rejects.push(reject);
      this.#wake();
    });
  }

  /** The newest sequence that was submitted, visible yet or not. */
  get submittedSequence(): number {
    return this.#nextSequence - 1;
  }

  /** Resolves when all that was submitted before is visible; throws where it will not be. */
  async barrier(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.visibleSequence >= this.submittedSequence) return;
    this.#forming ??= this.#startGroup();
    const { versions, resolves, rejects } = this.#forming;
    versions.push(this.submittedSequence);
    await new Promise<Commit>((resolve, reject) => {
      resolves.push(resolve);
      rejects.push(reject);
      this.#wake();
    });
  }

  /** Ends the memtable even though it is not full. Resolves when its log segments are durable; throws where they cannot be. */
  async rotate(): Promise<void> {
    this.#rotateMemtable(0, 0);
    this.#forming ??= this.#startGroup();
    this.#wake();
    await this.drained();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Lets the log give up what it keeps ready for writes. Resolves when that is done. */
  async trimLog(): Promise<void> {
    this.#trimDue = true;
    await this.drained();
    const failure = this.#trimFailure;
    this.#trimFailure = undefined;
    if (failure !== undefined) throw failure;
  }

  /** Resolves when nothing submitted before is unwritten. */
  async drained(): Promise<void> {
    while (this.#writing !== undefined || this.#hasWork()) {
      this.#start();
      await this.#writing;
    }
  }

  /** Stops the timers; call after `drained`. */
  close(): void {
    this.#intervalTimer?.cancel();
    this.#idleTimer?.cancel();
  }

  #group(): Group {
    if (this.#forming === undefined) throw new Error("no batch was begun");
    return this.#forming;
  }

  #startGroup(): Group {
    const group = this.#spare.pop() ?? {
      writer: new CommitGroupWriter(),
      resolves: [],
      rejects: [],
      versions: [],
      sync: false,
      startedMs: 0,
      rotated: undefined,
      install: undefined,
    };
    group.writer.begin(this.#nextSequence, clampTime(this.#clock.now()));
    group.sync = false;
    group.startedMs = performance.now();
    group.rotated = undefined;
    group.install = undefined;
    return group;
  }

  #rotateMemtable(entries: number, bytes: number): void {
    if (this.#forming !== undefined) this.#sealed.push(this.#forming);
    const rotated = this.#target.rotate(entries, bytes);
    this.#forming = this.#startGroup();
    this.#forming.rotated = rotated;
  }

  #syncLater(): void {
    if (this.#intervalTimer !== undefined) return;
    this.#intervalTimer = this.#clock.setTimer(this.#syncIntervalMs, () => {
      this.#intervalTimer = undefined;
      this.#syncDue = true;
      this.#wake();
    });
  }

  /** Writing starts when the event loop has done what it has at hand, so that all of that shares a group. */
  #wake(): void {
    if (this.#startDue || this.#writing !== undefined) return;
    this.#startDue = true;
    setImmediate(this.#startLater);
  }

  readonly #startLater = (): void => {
    this.#startDue = false;
    this.#start();
  };

  #start(): void {
    if (this.#writing === undefined && this.#hasWork()) this.#writing = this.#write();
  }

  #hasWork(): boolean {
    if (this.#failure !== undefined) return false;
    const hasGroup = this.#forming !== undefined || this.#sealed.length > 0;
    return hasGroup || this.#syncDue || this.#markDue || this.#trimDue;
  }

  async #write(): Promise<void> {
    while (this.#hasWork()) {
      const group = this.#sealed.shift() ?? this.#forming;
      if (group === this.#forming) this.#forming = undefined;
      try {
        if (group !== undefined) await this.#writeGroup(group);
        else if (this.#syncDue) await this.#syncLog();
        else if (this.#markDue) await this.#markLog();
        else await this.#trimLog();
      } catch (error) {
        this.#fail(logFailed(error), group);
      }
    }
    this.#writing = undefined;
  }

  async #syncLog(): Promise<void> {
    this.#syncDue = false;
    await this.#log.sync();
    this.#markWhenIdle();
  }

  async #markLog(): Promise<void> {
    this.#markDue = false;
    await this.#log.markSynced();
  }

  async #trimLog(): Promise<void> {
    this.#trimDue = false;
    try {
      await this.#log.trim();
    } catch (error) {
      // The log itself is as it was.
      this.#trimFailure = error;
    }
  }

  /** Looks once in a while whether groups still come, and marks the log when they do not. */
  #markWhenIdle(): void {
    if (this.#idleTimer !== undefined) return;
    this.#groupsSeen = this.groups;
    this.#idleTimer = this.#clock.setTimer(IDLE_MS, () => {
      this.#idleTimer = undefined;
      if (this.#groupsSeen !== this.groups) this.#markWhenIdle();
      // What was never to be synced is not marked either.
      else if (this.#log.unsyncedBytes === 0) {
        this.#markDue = true;
        this.#wake();
      }
    });
  }

  async #writeGroup(group: Group): Promise<void> {
    if (group.rotated !== undefined) group.rotated(await this.#log.rotate());
    if (group.writer.operations > 0) {
      const sync = group.sync || this.#syncDue;
      if (sync) this.#syncDue = false;
      const payloadBytes = group.writer.finish();
      const startedMs = this.#clock.monotonicMs();
      await this.#log.append(group.writer.buffer, payloadBytes, sync);
      if (group.install !== undefined) await installOf(group, group.install);
      this.visibleSequence = group.writer.lastSequence;
      this.onVisible?.();
      this.groups++;
      if (sync) {
        this.#markWhenIdle();
        this.#planEarly(group.writer.operations, this.#clock.monotonicMs() - startedMs);
      }
      this.latency.recordSince(group.startedMs);
    }
    for (let i = 0; i < group.resolves.length; i++) {
      group.resolves[i]?.({ version: group.versions[i] ?? 0 });
    }
    recycle(group);
    this.#spare.push(group);
  }

  /** After a synced group of so many operations. */
  #planEarly(operations: number, tookMs: number): void {
    const half = Math.ceil((operations + this.#lastOperations) / 2);
    const isFast = tookMs < FAST_SYNC_MS && half >= EARLY_OPERATIONS_MIN;
    this.#earlyOperations = isFast ? half : Number.POSITIVE_INFINITY;
    this.#lastOperations = operations;
  }

  /** A failed log write is final: what it was to hold may or may not be on the disk. */
  #fail(error: VarveError, inFlight: Group | undefined): void {
    this.#failure = error;
    this.close();
    const maybe = logFailed(error, { maybeApplied: true });
    for (const reject of inFlight?.rejects ?? []) reject(maybe);
    const unwritten = this.#forming === undefined ? this.#sealed : [...this.#sealed, this.#forming];
    for (const group of unwritten) for (const reject of group.rejects) reject(error);
    this.#sealed.length = 0;
    this.#forming = undefined;
    this.#onFailure(error);
    this.onVisible?.();
  }
}

/** What cannot be installed fails its own caller, and nobody else. */
async function installOf(
  { resolves, rejects }: Group,
  install: () => Promise<void>,
): Promise<void> {
  try {
    await install();
  } catch (error) {
    for (const reject of rejects) reject(error as VarveError);
    resolves.length = 0;
  }
}

/** A clock may be far off; what it says must fit where times are kept. */
export function clampTime(timeMs: number): number {
  return Math.min(Math.max(Math.floor(timeMs), 0), COMMIT_TIME_MAX_MS);
}

function recycle(group: Group): void {
  group.resolves.length = 0;
  group.rejects.length = 0;
  group.versions.length = 0;
}
