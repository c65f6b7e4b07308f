/**
 * Reading at a sequence: what the database itself and its snapshots have in common. What is in memory is
 * answered without waiting; what is not is read off the event loop under a pinned view.
 */
import { BytePool } from "../bytes/byte-pool.ts";
import type { KeyBounds } from "../cursor/bounds.ts";
import { mergeCursors } from "../cursor/merge-cursor.ts";
import { RunCursor } from "../cursor/run-cursor.ts";
import { VisibleCursor } from "../cursor/visible-cursor.ts";
import type { EntryCursor } from "../entry-cursor.ts";
import { KeptShapes } from "../kept-shapes.ts";
import { MemtableCursor } from "../memtable/memtable-cursor.ts";
import { LEVELS } from "../options.ts";
import {
  type EntryRecord,
  KeyMapping,
  type KeyVersion,
  type Page,
  type PageOptions,
  type ScanOptions,
} from "../store.ts";
import type { FilterStats } from "../table/table-lookup.ts";
import { EntrySum } from "./entry-sum.ts";
import { HeldRun } from "./held-run.ts";
import { readHistory } from "./history.ts";
import { KeyVersions } from "./key-versions.ts";
import { Latency, READ_SAMPLE } from "./latency.ts";
import { fetchLater, fetchNow, LOOKUP, Lookup, type LookupState } from "./lookup.ts";
import { boundsFrom, encodePageCursor } from "./page-cursor.ts";
import { EngineScan } from "./scan.ts";
import { filterRanges, hasRanges } from "./scan-ranges.ts";
import type { Tree } from "./tree.ts";
import { ValueFold } from "./value-fold.ts";
import type { View } from "./view.ts";

/** Of a page that has no limits of its own. */
const PAGE_ENTRIES = 1000;
const PAGE_BYTES = 1024 * 1024;
/** One scan in so many is kept for its shape. */
const SHAPE_SAMPLE = 16;

const BLOCKED = Symbol("blocked");

export class Reads {
  readonly latency = new Latency();
  /** Point reads, `getMany` counted by key. */
  gets = 0;
  scans = 0;
  /** Reads that had to wait for the disk. */
  waited = 0;
  openScans = 0;
  readonly filter: FilterStats = { checks: 0, refused: 0, misses: 0 };
  readonly #tree: Tree;
  readonly #now: () => number;
  readonly #lookup: Lookup;
  /** For walks that need not wait. */
  readonly #versions: KeyVersions;
  readonly #pool = new BytePool();
  readonly #shapes = new KeptShapes();

  constructor(tree: Tree, now: () => number) {
    this.#tree = tree;
    this.#now = now;
    this.#lookup = new Lookup(tree.tables, this.filter, now);
    this.#versions = new KeyVersions(tree.tables, this.filter);
  }

  /** The value in memory, `undefined` where the key is surely absent, or `blocked`. */
  getCached<Blocked>(
    key: Uint8Array,
    sequence: number,
    blocked: Blocked,
  ): Uint8Array | undefined | Blocked {
    const sampled = (this.gets++ & (READ_SAMPLE - 1)) === 0;
    const startedMs = sampled ? performance.now() : 0;
    const state = this.#lookup.find(this.#tree.view, key, sequence);
    if (state === LOOKUP.BLOCKED) return blocked;
    if (state === LOOKUP.MERGED) return this.#foldCached(key, sequence, blocked);
    if (sampled) this.latency.recordSince(startedMs);
    return this.#take(this.#lookup, state);
  }

  /** Reads with blocking file calls where it must. */
  getSync(key: Uint8Array, sequence: number): Uint8Array | undefined {
    const got = this.getCached(key, sequence, BLOCKED);
    if (got !== BLOCKED) return got;
    this.waited++;
    const { view } = this.#tree;
    const lookup = this.#newLookup();
    const state = fetchNow(lookup.fetchSteps(view, key, sequence));
    if (state !== LOOKUP.MERGED) return this.#take(lookup, state);
    const fold = this.foldOf(view, key, sequence);
    try {
      while (!fold.advance()) fold.loadSync();
    } finally {
      fold.end();
    }
    return fold.value;
  }

  get(key: Uint8Array, sequence: number): Promise<Uint8Array | undefined> {
    const got = this.getCached(key, sequence, BLOCKED);
    return got === BLOCKED ? this.#getLater(key, sequence) : Promise.resolve(got);
  }

  /** The value with all that is known of the key. */
  async getEntry(key: Uint8Array, sequence: number): Promise<EntryRecord | undefined> {
    const got = this.getEntryCached(key, sequence, BLOCKED);
    if (got !== BLOCKED) return got;
    this.waited++;
    return this.#pinned((view) => this.#getEntryLater(view, new Uint8Array(key), sequence));
  }

  /** As `getEntry` where all of it is in memory, or `blocked`. */
  getEntryCached<Blocked>(
    key: Uint8Array,
    sequence: number,
    blocked: Blocked,
  ): EntryRecord | undefined | Blocked {
    this.gets++;
    this.#versions.start(this.#tree.view, key, sequence, true);
    const cached = new EntrySum(this.#versions, this.#pool, this.#now());
    const isWhole = cached.advance();
    this.#versions.end();
    return isWhole && !cached.isMerge ? recordOf(cached, cached.value) : blocked;
  }

  async #getEntryLater(
    view: View,
    key: Uint8Array,
    sequence: number,
  ): Promise<EntryRecord | undefined> {
    const versions = new KeyVersions(this.#tree.tables, this.filter);
    const sum = new EntrySum(versions, this.#pool, this.#now());
    try {
      versions.start(view, key, sequence, true);
      while (!sum.advance()) await versions.load();
    } finally {
      versions.end();
    }
    return recordOf(sum, sum.isMerge ? await this.#foldLater(view, key, sequence) : sum.value);
  }

  /** The versions of a key up to the sequence, newest first; `limit` was checked. */
  history(key: Uint8Array, sequence: number, limit: number): Promise<KeyVersion[]> {
    const { tables } = this.#tree;
    const { filter } = this;
    const own = new Uint8Array(key);
    return this.#pinned((view) =>
      readHistory({ tables, filter, view, key: own, sequence, limit, nowMs: this.#now() }),
    );
  }

  async getMany(
    keys: readonly Uint8Array[],
    sequence: number,
  ): Promise<(Uint8Array | undefined)[]> {
    const values: (Uint8Array | undefined)[] = new Array(keys.length);
    let later: Promise<void>[] | undefined;
    keys.forEach((key, i) => {
      const got = this.getCached(key, sequence, BLOCKED);
      if (got !== BLOCKED) values[i] = got;
      else {
        later ??= [];
        later.push(
          this.#getLater(key, sequence).then((value) => {
            values[i] = value;
          }),
        );
      }
    });
    if (later !== undefined) await Promise.all(later);
    return values;
  }

  /**
   * `options` were checked; what bounds they have is told by `bounds`, whose bytes must stay as they are. Keys come out,
   * and are sought, as `keys` has them. The scan pins the view of this moment until it ends.
   */
  scan(
    options: ScanOptions,
    bounds: KeyBounds,
    sequence: number,
    keys: KeyMapping = KeyMapping.STORED,
  ): EngineScan {
    return this.#scan(options, bounds, sequence, keys);
  }

  /** As `scan`. */
  async page(
    options: PageOptions,
    bounds: KeyBounds,
    sequence: number,
    keys: KeyMapping,
  ): Promise<Page> {
    const { cursor, limit = PAGE_ENTRIES, limitBytes = PAGE_BYTES } = options;
    const reverse = options.reverse === true;
    const from = cursor === undefined ? bounds : boundsFrom(cursor, bounds, reverse);
    await using scan = this.#scan({ ...options, limit, limitBytes }, from, sequence, keys);
    const { entries, resume } = await scan.page();
    const next = resume === undefined ? undefined : encodePageCursor(bounds, reverse, resume);
    return { entries, cursor: next };
  }

  /** `ABORTED` once the signal fires. */
  async count(bounds: KeyBounds, sequence: number, signal?: AbortSignal): Promise<number> {
    await using scan = this.#scan({ keysOnly: true }, bounds, sequence, KeyMapping.STORED);
    return await scan.count(signal);
  }

  #scan(options: ScanOptions, bounds: KeyBounds, sequence: number, keys: KeyMapping): EngineScan {
    const { views } = this.#tree;
    const view = views.pin();
    const runs = this.#runs(view, bounds.upper);
    this.scans++;
    this.openScans++;
    const reverse = options.reverse === true;
    const visible = (children: readonly EntryCursor[]) =>
      new VisibleCursor(mergeCursors(children), sequence, bounds, reverse, this.#now);
    const cursors = [
      ...view.memtables.map((memtable) => new MemtableCursor(memtable)),
      ...runs.map((run) => new RunCursor(run)),
    ];
    return new EngineScan({
      cursor: hasRanges(view)
        ? async () => visible(await filterRanges(this.#tree.tables, view, cursors, sequence))
        : visible(cursors),
      limit: options.limit ?? Number.POSITIVE_INFINITY,
      limitBytes: options.limitBytes ?? Number.POSITIVE_INFINITY,
      keysOnly: options.keysOnly === true,
      seekable: options.seekable === true,
      reverse,
      keys,
      pool: this.#pool,
      foldOf: (key) => this.foldOf(view, key, sequence),
      shapes: (this.scans & (SHAPE_SAMPLE - 1)) === 1 ? this.#shapes : undefined,
      release: () => {
        this.openScans--;
        for (const run of runs) run.release();
        views.unpin(view);
      },
    });
  }

  /** The key's value, to be folded from its versions; who loads keeps the view pinned, and ends the fold. */
  foldOf(view: View, key: Uint8Array, sequence: number): ValueFold {
    const versions = new KeyVersions(this.#tree.tables, this.filter);
    versions.start(view, key, sequence, false);
    return new ValueFold(versions, this.#now());
  }

  /** Of level 0 and of each deeper level that has tables, though none may be before `upper`. */
  #runs(view: View, upper: Uint8Array | undefined): HeldRun[] {
    const { tables } = this.#tree;
    const runs = view.version.level0.map((meta) => new HeldRun([meta], tables, upper));
    for (let level = 1; level < LEVELS; level++) {
      const { files } = view.version.level(level);
      if (files.length > 0) runs.push(new HeldRun(files, tables, upper));
    }
    return runs;
  }

  async #getLater(key: Uint8Array, sequence: number): Promise<Uint8Array | undefined> {
    this.waited++;
    const startedMs = performance.now();
    return this.#pinned(async (view) => {
      const lookup = this.#newLookup();
      const state = await fetchLater(lookup.fetchSteps(view, key, sequence));
      this.latency.recordSince(startedMs);
      if (state === LOOKUP.MERGED) return this.#foldLater(view, key, sequence);
      return this.#take(lookup, state);
    });
  }

  #foldCached<Blocked>(
    key: Uint8Array,
    sequence: number,
    blocked: Blocked,
  ): Uint8Array | undefined | Blocked {
    const fold = this.foldOf(this.#tree.view, key, sequence);
    const isWhole = fold.advance();
    fold.end();
    return isWhole ? fold.value : blocked;
  }

  async #foldLater(view: View, key: Uint8Array, sequence: number): Promise<Uint8Array | undefined> {
    const fold = this.foldOf(view, key, sequence);
    try {
      while (!fold.advance()) await fold.load();
    } finally {
      fold.end();
    }
    return fold.value;
  }

  async #pinned<Result>(read: (view: View) => Promise<Result>): Promise<Result> {
    const { views } = this.#tree;
    const view = views.pin();
    try {
      return await read(view);
    } finally {
      views.unpin(view);
    }
  }

  #newLookup(): Lookup {
    return new Lookup(this.#tree.tables, this.filter, this.#now);
  }

  #take(lookup: Lookup, state: LookupState): Uint8Array | undefined {
    if (state !== LOOKUP.FOUND) return undefined;
    return this.#pool.copy(lookup.value, lookup.valueStart, lookup.valueEnd);
  }
}

function recordOf(sum: EntrySum, value: Uint8Array | undefined): EntryRecord | undefined {
  if (value === undefined) return undefined;
  const { revision, sequence, createdAtMs, updatedAtMs, expiresAtMs } = sum;
  return {
    value,
    sequence,
    revision,
    createdAt: createdAtMs,
    updatedAt: updatedAtMs,
    expiresAt: expiresAtMs === Number.POSITIVE_INFINITY ? undefined : expiresAtMs,
  };
}
