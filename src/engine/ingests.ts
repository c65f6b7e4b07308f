/**
 * Ingests: tables made of pairs that come in order, put in place all at once.
 *
 * 1. A sequence far above all that is committed is chosen, and tables are written with it.
 * 2. Memtables that have keys of these tables are flushed, as what is in memtables counts as newer than what is in tables.
 * 3. In one synchronous step, in which no memtable has such keys and nothing submitted has come up to the sequence, the
 *    ingest is submitted as a commit group of its own; what is submitted from then on comes after it.
 * 4. When the group is in the log, and synced, with all before it, one edit puts the tables into the manifest, and then they
 *    are visible: `installIngest`.
 *
 * So no entry is ever read with a sequence other than the one that stands in its table, and no reader pays for it. What
 * it costs are sequence numbers, of which there are enough for five hundred million ingests. If so much was written
 * meanwhile that the sequence is reached, the tables are written once more.
 */
import { LAST_LEVEL } from "../compaction/targets.ts";
import { keyAfter } from "../cursor/bounds.ts";
import { VarveError } from "../errors.ts";
import type { Clock } from "../fs/clock.ts";
import { SEQUENCE_MAX } from "../key.ts";
import { hasKeysIn } from "../memtable/memtable-keys.ts";
import type { Settings } from "../options.ts";
import {
  type Commit,
  drainPairs,
  type IngestOptions,
  type KeyMapping,
  type Pairs,
  Stop,
} from "../store.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { Admission } from "./admission.ts";
import { type CommitQueue, clampTime } from "./commit-queue.ts";
import { IngestTables } from "./ingest-tables.ts";
import type { Maintenance } from "./maintenance.ts";
import type { Retention } from "./retention.ts";
import type { SpaceGuard } from "./space-guard.ts";
import type { TableFiles } from "./table-files.ts";
import type { TaskDescription } from "./task-list.ts";
import type { Tree } from "./tree.ts";
import { checkExpiry, type Limits } from "./validate.ts";

/** As many writes may overtake an ingest before its tables must be written once more, and then twice as many, and so on. */
const SEQUENCES_AHEAD = 2 ** 24;
/** A memtable with more entries than this is flushed without a look at them. */
const LOOK_ENTRIES_MAX = 32 * 1024;
/** Flushes of what others write all the time to the same keys, before they are made to wait for the last one. */
const PATIENT_FLUSHES = 2;
const RETRY_MS = 1000;

/** What an ingest is told as while it runs; its bytes are counted as they come. */
const INGEST: TaskDescription = {
  kind: "ingest",
  sourceLevel: null,
  targetLevel: LAST_LEVEL,
  tables: [],
  bytes: 0,
  entries: 0,
};

export interface IngestParts {
  readonly settings: Settings;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly tree: Tree;
  readonly commits: CommitQueue;
  readonly maintenance: Maintenance;
  readonly admission: Admission;
  readonly space: SpaceGuard;
  readonly files: Pick<TableFiles, "remove" | "syncNames">;
  readonly retention: Retention;
  /** For tests. */
  readonly sequencesAhead?: number;
}

export interface IngestStats {
  /** That are in the store. */
  readonly ingests: number;
  readonly entries: number;
  /** Keys and values, as given by callers. */
  readonly bytes: number;
  /** One is running. */
  readonly isRunning: boolean;
}

export class Ingests {
  readonly #parts: IngestParts;
  #tables: IngestTables | undefined;
  #ingests = 0;
  #entries = 0;
  #bytes = 0;
  /** Of the tables of those that are in the store. */
  bytesWritten = 0;
  #stop: Stop | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(parts: IngestParts) {
    this.#parts = parts;
  }

  /** Memory for pairs that are in no table yet. */
  get memoryBytes(): number {
    return this.#tables?.memoryBytes ?? 0;
  }

  stats(): IngestStats {
    return {
      ingests: this.#ingests,
      entries: this.#entries,
      bytes: this.#bytes,
      isRunning: this.#stop !== undefined,
    };
  }

  /** All pairs are of one keyspace; `keys` are their caller's. */
  async run(pairs: Pairs, options: IngestOptions = {}, keys: KeyMapping): Promise<Commit> {
    const { clock, space, commits } = this.#parts;
    const timeMs = clampTime(clock.now());
    const expiresAtMs = checkExpiry(options, timeMs);
    const { signal } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new VarveError("INVALID_ARGUMENT", "signal is not an AbortSignal");
    }
    if (this.#stop !== undefined) {
      const message = "another ingest is running; there is one at a time";
      throw new VarveError("OVERLOADED", message, { retryAfterMs: RETRY_MS });
    }
    space.assertSpace();
    const stop = new Stop();
    const abort = () => stop.stop(new VarveError("ABORTED", "the ingest was ended by its signal"));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    const { settings, limits, maintenance, files } = this.#parts;
    using running = maintenance.tasks.begin(INGEST);
    const tables = new IngestTables({
      running,
      settings,
      limits,
      keys,
      maintenance,
      files,
      assertSpace: () => space.assertSpace(),
      sequence: this.#sequenceAhead(1),
      timeMs,
      expiresAtMs,
    });
    this.#stop = stop;
    this.#tables = tables;
    maintenance.ingestSinceMs = timeMs;
    const ingesting = this.#ingest(pairs, tables, stop);
    this.#running = ingesting.catch(() => undefined);
    try {
      return (await ingesting) ?? { version: commits.visibleSequence };
    } finally {
      signal?.removeEventListener("abort", abort);
      maintenance.ingestSinceMs = Number.POSITIVE_INFINITY;
      this.#stop = undefined;
      this.#tables = undefined;
    }
  }

  /** Ends the one that is running; resolves when its files are being removed. */
  async close(): Promise<void> {
    this.#stop?.stop(new VarveError("CLOSED", "the database was closed during an ingest"));
    await this.#running;
  }

  /** `undefined` where there was nothing to ingest. */
  async #ingest(pairs: Pairs, tables: IngestTables, stop: Stop): Promise<Commit | undefined> {
    const state = { isInstalled: false };
    try {
      stop.check();
      await drainPairs(pairs, tables, stop);
      const written = await stop.orStopped(tables.finish());
      return written.length === 0 ? undefined : await this.#commit(written, tables, stop, state);
    } catch (error) {
      if (!state.isInstalled) await tables.remove();
      throw error;
    }
  }

  async #commit(
    written: readonly TableMeta[],
    tables: IngestTables,
    stop: Stop,
    state: { isInstalled: boolean },
  ): Promise<Commit> {
    const { tree, commits, maintenance, admission, retention } = this.#parts;
    let current = written;
    let ahead = 1;
    try {
      for (let flushes = 0; ; flushes++) {
        while (tables.sequence <= commits.submittedSequence) {
          ahead *= 2;
          current = await tables.restamp(this.#sequenceAhead(ahead));
        }
        stop.check();
        maintenance.assertRunning();
        if (commits.failure !== undefined) throw commits.failure;
        if (!this.#isInMemtables(current)) break;
        if (flushes >= PATIENT_FLUSHES) admission.hold();
        await stop.orStopped(commits.rotate());
        await stop.orStopped(maintenance.flushed());
      }
      tables.assertKeyspace();
      // From here on without a wait: nothing is submitted between the look and this.
      const { sequence } = tables;
      const before = commits.submittedSequence;
      retention.skip(before, sequence - before - 1);
      const { smallest } = current[0] as TableMeta;
      const { largest } = current.at(-1) as TableMeta;
      const committed = commits.ingest(sequence, smallest, keyAfter(largest), async () => {
        try {
          await maintenance.installIngest(current, sequence, tables.running);
          state.isInstalled = true;
          this.#count(current);
        } catch (error) {
          state.isInstalled = maintenance.hasUnsureEdit;
          throw maybeApplied(error, state.isInstalled);
        }
      });
      const settled = () => {
        tree.pendingIngest = undefined;
      };
      const { expires } = tables;
      tree.pendingIngest = { expires, settled: committed.then(settled, settled) };
      // What is let through comes after it.
      admission.release();
      return await committed;
    } finally {
      admission.release();
    }
  }

  #count(tables: readonly TableMeta[]): void {
    this.#ingests++;
    for (const { entries, rawBytes, fileBytes } of tables) {
      this.#entries += entries;
      this.#bytes += rawBytes;
      this.bytesWritten += fileBytes;
    }
  }

  #isInMemtables(tables: readonly TableMeta[]): boolean {
    return this.#parts.tree.memtables.memtables.some(
      (memtable) => memtable.entries > LOOK_ENTRIES_MAX || hasKeysIn(memtable, tables),
    );
  }

  #sequenceAhead(times: number): number {
    const { commits, sequencesAhead = SEQUENCES_AHEAD } = this.#parts;
    const sequence = commits.submittedSequence + sequencesAhead * times;
    if (sequence >= SEQUENCE_MAX) {
      throw new VarveError("INTERNAL", `there are no sequences left for an ingest`);
    }
    return sequence;
  }
}

function maybeApplied(error: unknown, maybe: boolean): unknown {
  if (!maybe || !(error instanceof VarveError)) return error;
  return new VarveError(error.code, error.message, { maybeApplied: true, cause: error });
}
