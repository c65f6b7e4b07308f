/**
 * The change feed: tells each watcher, in order, what is committed. What it tells is read from the log's files
 * (`log/log-follower.ts`); the commit queue does no more than say that there is something new, and says it to nobody
 * where nobody watches.
 *
 * Source of the idea: etcd's watch (revisions, progress, compaction) over RocksDB's `GetUpdatesSince`.
 */
import { join } from "node:path";
import type { KeyBounds } from "../cursor/bounds.ts";
import { VarveError } from "../errors.ts";
import type { Clock } from "../fs/clock.ts";
import type { FileSystem } from "../fs/file-system.ts";
import { logName } from "../fs/names.ts";
import type { Log } from "../log/log.ts";
import { compacted, type FollowedLog, LogFollower } from "../log/log-follower.ts";
import { type KeyMapping, keyspaceOf, NO_KEYSPACE, type WatchOptions } from "../store.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { EngineWatch } from "./engine-watch.ts";
import { SegmentFiles } from "./segment-files.ts";
import type { Limits } from "./validate.ts";
import { noSuchKeyspace } from "./validate-keyspace.ts";
import { checkWatch } from "./validate-watch.ts";

/** Where there are too many watches. */
const WATCH_RETRY_MS = 1000;

export interface FeedStats {
  readonly watchers: number;
  /** Of log segments that are kept for watchers alone. */
  readonly retainedBytes: number;
  /** The smallest `since` that can be asked for. */
  readonly oldestSequence: number;
}

export interface FeedParts {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly directory: string;
  readonly limits: Limits;
  readonly commits: CommitQueue;
  /** `undefined` where nothing is ever committed. */
  readonly log: (FollowedLog & Pick<Log, "segmentLength" | "retainedBytes" | "spare">) | undefined;
  readonly watchesMax: number;
}

export class Feed {
  readonly #parts: FeedParts;
  readonly #files: SegmentFiles;
  readonly #watches = new Set<EngineWatch>();

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#files = new SegmentFiles(parts.fs, (segment) => this.#pathOf(segment));
  }

  /**
   * The bounds are those of stored keys; events have them as `keys` does. Throws `INVALID_ARGUMENT`, `OVERLOADED` where
   * there are too many watches, and `READ_ONLY` where nothing is ever committed. What is wrong with `since` alone is for
   * the watch to tell.
   */
  watch(options: WatchOptions, keys: KeyMapping): EngineWatch {
    const { log, commits, clock, limits } = this.#parts;
    const { heartbeatMs, signal, since, bounds } = checkWatch(options, limits);
    if (log === undefined) {
      throw commits.failure ?? new VarveError("READ_ONLY", "the database takes no writes");
    }
    this.#assertRoom();
    const { visibleSequence } = commits;
    const from = since ?? visibleSequence;
    // Where nothing is on its way, what comes next begins where the log ends.
    const isAtEnd = from === visibleSequence && visibleSequence === commits.submittedSequence;
    const reader = this.#files.reader();
    const follower = new LogFollower({
      log,
      pathOf: (segment) => this.#pathOf(segment),
      read: (segment, target, position) => reader.read(segment, target, position),
      range: bounds,
      nowMs: () => clock.now(),
      since: from,
      start: isAtEnd ? { segment: log.segmentNumber, offset: log.segmentLength } : undefined,
    });
    const watch = new EngineWatch({
      follower,
      clock,
      heartbeatMs,
      signal,
      visible: () => commits.visibleSequence,
      keys,
      failure: () => commits.failure ?? droppedOf(bounds, limits),
      release: () => {
        this.#watches.delete(watch);
        if (this.#watches.size === 0) commits.onVisible = undefined;
        return reader.close();
      },
    });
    this.#watches.add(watch);
    commits.onVisible = this.wake;
    const oldest = this.#oldest(log);
    if (from > visibleSequence) void watch.fail(notYet(from, visibleSequence));
    else if (from < oldest) void watch.fail(compacted(from, oldest));
    return watch;
  }

  stats(): FeedStats {
    const { log, commits } = this.#parts;
    return {
      watchers: this.#watches.size,
      retainedBytes: log?.retainedBytes ?? 0,
      oldestSequence: log === undefined ? commits.visibleSequence : this.#oldest(log),
    };
  }

  /**
   * The disk is full: gives up of what is kept for watches alone, the oldest first, until that makes up `bytes`. Watches
   * that are behind it end with `COMPACTED`, as they hold files that are gone. Resolves to the bytes that came back.
   */
  async spare(bytes: number): Promise<number> {
    const { log } = this.#parts;
    if (log === undefined) return 0;
    const removed = log.spare(bytes);
    const oldest = this.#oldest(log);
    const behind = [...this.#watches].filter(({ sequence }) => sequence < oldest);
    const ended = behind.map((watch) => watch.fail(compacted(watch.sequence, oldest)));
    const [gained] = await Promise.all([removed, ...ended]);
    return gained;
  }

  /** Ends all watches with `CLOSED`. */
  async close(): Promise<void> {
    const error = new VarveError("CLOSED", "the database was closed");
    await Promise.all(Array.from(this.#watches, (watch) => watch.fail(error)));
  }

  /** There may be something new to tell. */
  readonly wake = (): void => {
    for (const watch of this.#watches) watch.wake();
  };

  #assertRoom(): void {
    if (this.#watches.size < this.#parts.watchesMax) return;
    const message = `the database has ${this.#watches.size} watches open, and takes no more`;
    throw new VarveError("OVERLOADED", message, { retryAfterMs: WATCH_RETRY_MS });
  }

  #oldest(log: FollowedLog): number {
    return log.oldestSequence === undefined
      ? this.#parts.commits.visibleSequence
      : log.oldestSequence - 1;
  }

  #pathOf(segment: number): string {
    return join(this.#parts.directory, logName(segment));
  }
}

/** Why nothing will come of a keyspace any more, once its drop was told. */
function droppedOf({ lower }: KeyBounds, { keyspaces }: Limits): VarveError | undefined {
  const id = lower && keyspaceOf(lower);
  if (id === undefined || id === NO_KEYSPACE || keyspaces.isThere(id)) return undefined;
  return noSuchKeyspace(id);
}

function notYet(since: number, newest: number): VarveError {
  const message = `since is ${since}; the newest sequence is ${newest}`;
  return new VarveError("INVALID_ARGUMENT", message);
}
