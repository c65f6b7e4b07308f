/**
 * Reading at a sequence: what the database itself and its snapshots have in common. What is in memory is
 * answered without waiting; what is not is read off the event loop under a pinned view.
 */
import { BytePool } from "../bytes/byte-pool.ts";
import { toBytes } from "../bytes/data.ts";
import { type KeyBounds, keyBounds } from "../cursor/bounds.ts";
import { mergeCursors } from "../cursor/merge-cursor.ts";
import { RunCursor } from "../cursor/run-cursor.ts";
import { VisibleCursor } from "../cursor/visible-cursor.ts";
import type { EntryCursor } from "../entry-cursor.ts";
import { MemtableCursor } from "../memtable/memtable-cursor.ts";
import { LEVELS } from "../options.ts";
import type { Data, EntryRecord, ScanOptions } from "../store.ts";
import type { FilterStats } from "../table/table-lookup.ts";
import { EntrySum } from "./entry-sum.ts";
import { HeldRun } from "./held-run.ts";
import { KeyVersions } from "./key-versions.ts";
import { Latency, READ_SAMPLE } from "./latency.ts";
import { fetchLater, fetchNow, LOOKUP, Lookup, type LookupState } from "./lookup.ts";
import { EngineScan } from "./scan.ts";
import type { Tree } from "./tree.ts";
import type { View } from "./view.ts";

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
  readonly #lookup: Lookup;
  /** For walks that need not wait. */
  readonly #versions: KeyVersions;
  readonly #pool = new BytePool();

  constructor(tree: Tree) {
    this.#tree = tree;
    this.#lookup = new Lookup(tree.tables, this.filter);
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
    if (sampled) this.latency.recordSince(startedMs);
    return this.#take(this.#lookup, state);
  }

  /** Reads with blocking file calls where it must. */
  getSync(key: Uint8Array, sequence: number): Uint8Array | undefined {
    const got = this.getCached(key, sequence, BLOCKED);
    if (got !== BLOCKED) return got;
    this.waited++;
    const lookup = new Lookup(this.#tree.tables, this.filter);
    return this.#take(lookup, fetchNow(lookup.fetchSteps(this.#tree.view, key, sequence)));
  }

  get(key: Uint8Array, sequence: number): Promise<Uint8Array | undefined> {
    const got = this.getCached(key, sequence, BLOCKED);
    return got === BLOCKED ? this.#getLater(key, sequence) : Promise.resolve(got);
  }

  /** The value with all that is known of the key. */
  async getEntry(key: Uint8Array, sequence: number): Promise<EntryRecord | undefined> {
    this.gets++;
    const { tables, view, views } = this.#tree;
    this.#versions.start(view, key, sequence);
    const cached = new EntrySum(this.#versions, this.#pool);
    const isWhole = cached.advance();
    this.#versions.end();
    if (isWhole) return cached.record;

    this.waited++;
    const versions = new KeyVersions(tables, this.filter);
    const pinned = views.pin();
    try {
      versions.start(pinned, new Uint8Array(key), sequence);
      const sum = new EntrySum(versions, this.#pool);
      while (!sum.advance()) await versions.load();
      return sum.record;
    } finally {
      versions.end();
      views.unpin(pinned);
    }
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

  /** `options` were checked. The scan pins the view of this moment until it ends. */
  scan(options: ScanOptions, sequence: number): EngineScan {
    const { views } = this.#tree;
    const view = views.pin();
    const runs = this.#runs(view);
    this.scans++;
    this.openScans++;
    const reverse = options.reverse === true;
    const cursor = new VisibleCursor(this.#merge(view, runs), sequence, boundsOf(options), reverse);
    return new EngineScan(cursor, options.limit ?? Number.POSITIVE_INFINITY, this.#pool, () => {
      this.openScans--;
      for (const run of runs) run.release();
      views.unpin(view);
    });
  }

  #runs(view: View): HeldRun[] {
    const { tables } = this.#tree;
    const runs = view.version.level0.map((meta) => new HeldRun([meta], tables));
    for (let level = 1; level < LEVELS; level++) {
      const { files } = view.version.level(level);
      if (files.length > 0) runs.push(new HeldRun(files, tables));
    }
    return runs;
  }

  #merge(view: View, runs: readonly HeldRun[]): EntryCursor {
    return mergeCursors([
      ...view.memtables.map((memtable) => new MemtableCursor(memtable)),
      ...runs.map((run) => new RunCursor(run)),
    ]);
  }

  async #getLater(key: Uint8Array, sequence: number): Promise<Uint8Array | undefined> {
    this.waited++;
    const startedMs = performance.now();
    const { views } = this.#tree;
    const view = views.pin();
    try {
      const lookup = new Lookup(this.#tree.tables, this.filter);
      const state = await fetchLater(lookup.fetchSteps(view, key, sequence));
      this.latency.recordSince(startedMs);
      return this.#take(lookup, state);
    } finally {
      views.unpin(view);
    }
  }

  #take(lookup: Lookup, state: LookupState): Uint8Array | undefined {
    if (state !== LOOKUP.FOUND) return undefined;
    return this.#pool.copy(lookup.value, lookup.valueStart, lookup.valueEnd);
  }
}

/** The bounds as bytes of the scan's own: it may begin after the caller has used its arrays again. */
function boundsOf({ gte, gt, lt, lte, prefix }: ScanOptions): KeyBounds {
  const own = (bound: Data | undefined) =>
    bound === undefined ? undefined : new Uint8Array(toBytes(bound));
  return keyBounds({ gte: own(gte), gt: own(gt), lt: own(lt), lte: own(lte), prefix: own(prefix) });
}
