/**
 * Gives space back when nothing was written for a while: what is in memtables and upper levels, garbage in part,
 * goes down to the last level, and the log gives up what it keeps ready. A small database would otherwise take a
 * multiple of its live data for as long as it rests, and reads would ask several levels.
 *
 * Each is done where it gives back more than a tenth, and until somebody writes again; so no more than ten bytes
 * or so are rewritten for each that was written. A large database is left alone: there the log is next to nothing, and
 * rewriting it is for the operator to ask for (`compact`).
 */
import { LAST_LEVEL } from "../compaction/targets.ts";
import type { Clock, Timer } from "../fs/clock.ts";
import type { Settings } from "../options.ts";
import type { CommitQueue } from "./commit-queue.ts";
import type { Maintenance } from "./maintenance.ts";
import type { Logger } from "./open-options.ts";
import type { Tree } from "./tree.ts";

/** So long nothing must have been written, give or take one more. */
const IDLE_MS = 2000;
/** Of the last level's bytes. */
const GAIN_MIN = 0.1;
const TABLE_BYTES_MAX = 1024 * 1024 * 1024;

export interface IdleTidyOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tree: Tree;
  readonly commits: CommitQueue;
  readonly maintenance: Maintenance;
  /** What the log keeps ready. */
  readonly logReserveBytes: () => number;
}

export class IdleTidy {
  readonly #options: IdleTidyOptions;
  #timer: Timer;
  #groupsSeen = 0;
  #closed = false;

  constructor(options: IdleTidyOptions) {
    this.#options = options;
    this.#timer = this.#setTimer();
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
  }

  #setTimer(): Timer {
    return this.#options.clock.setTimer(IDLE_MS, () => {
      this.#look()
        .catch((error: unknown) => {
          if (!this.#closed) this.#options.logger.warn({ err: error }, "could not tidy up");
        })
        .finally(() => {
          if (!this.#closed) this.#timer = this.#setTimer();
        });
    });
  }

  async #look(): Promise<void> {
    const { commits, maintenance } = this.#options;
    const isIdle = commits.groups === this.#groupsSeen && commits.failure === undefined;
    this.#groupsSeen = commits.groups;
    if (isIdle && maintenance.isResting) await this.#tidy();
  }

  /** A deleted range may stand for any number of bytes below it. */
  #hasRanges(): boolean {
    const { memtables, version } = this.#options.tree;
    if (memtables.active.ranges !== undefined) return true;
    for (let level = 0; level < LAST_LEVEL; level++) {
      if (version.totals(level).rangeDeletes > 0) return true;
    }
    return false;
  }

  async #tidy(): Promise<void> {
    const { tree, commits, maintenance, logger, settings, logReserveBytes } = this.#options;
    const bytes = (level: number) => tree.version.totals(level).bytes;
    const lastBytes = bytes(LAST_LEVEL);
    const gainMin = Math.max(GAIN_MIN * lastBytes, settings.memtableBytes);
    const isWanted = () => !this.#closed && commits.groups === this.#groupsSeen;

    let upperBytes = 0;
    for (let level = 0; level < LAST_LEVEL; level++) upperBytes += bytes(level);
    // What a memtable holds is in the log, too.
    const treeGain = upperBytes + 2 * tree.memtables.active.usedBytes;
    if ((treeGain > gainMin || this.#hasRanges()) && upperBytes + lastBytes <= TABLE_BYTES_MAX) {
      logger.info({ upperBytes, lastBytes }, "nothing is written: compacting what there is");
      if (!tree.memtables.active.isEmpty) await commits.rotate();
      await maintenance.flushed();
      await maintenance.compact({ gte: undefined, lte: undefined }, isWanted);
    }
    if (logReserveBytes() > gainMin && isWanted()) await commits.trimLog();
  }
}
