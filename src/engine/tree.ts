/**
 * The LSM tree as it stands: memtables above, a version of the tables below, and the views through which
 * both are read. It does not know that a log exists; who writes the log tells it when a memtable is
 * complete, and who runs the background work tells it what has become of one.
 */

import { KIND, trailerHigh, trailerLow } from "../key.ts";
import type { Memtable } from "../memtable/memtable.ts";
import { LEVELS } from "../options.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { VersionEdit } from "../version/edit.ts";
import type { Version } from "../version/version.ts";
import { VersionList } from "../version/version-list.ts";
import type { MemtableSet, SealedMemtable } from "./memtable-set.ts";
import type { TableCache } from "./table-cache.ts";
import { type View, ViewList } from "./view.ts";

function hasRanges(full: readonly Memtable[], version: Version): boolean {
  if (full.some(({ ranges }) => ranges !== undefined)) return true;
  for (let level = 0; level < LEVELS; level++) {
    if (version.totals(level).rangeDeletes > 0) return true;
  }
  return false;
}

/** An ingest that is committed, and whose tables are on their way into a version. */
export interface PendingIngest {
  /** Its entries expire. */
  readonly expires: boolean;
  /** Resolves when it is installed, or never will be. */
  readonly settled: Promise<void>;
}

export class Tree {
  /** What is not in a view yet, though writes that are submitted come after it. */
  pendingIngest: PendingIngest | undefined;
  /** Versions that were installed since the open. */
  edits = 0;
  readonly memtables: MemtableSet;
  readonly tables: TableCache;
  readonly views: ViewList;
  readonly #versions: VersionList;

  /** `onObsolete` is told of tables whose files may be removed: no version in use names them. */
  constructor(options: {
    memtables: MemtableSet;
    tables: TableCache;
    version: Version;
    onObsolete: (tables: readonly TableMeta[]) => void;
  }) {
    this.memtables = options.memtables;
    this.tables = options.tables;
    this.#versions = new VersionList(options.version, options.onObsolete);
    this.views = new ViewList(
      this.#view(),
      (memtable) => this.memtables.free(memtable),
      (version) => this.#versions.unpin(version),
    );
  }

  get view(): View {
    return this.views.current;
  }

  get version(): Version {
    return this.#versions.current;
  }

  /** Whether any entry expires, in a memtable or a table, or in one that is on its way. */
  get mayExpire(): boolean {
    if (this.pendingIngest?.expires) return true;
    if (this.memtables.memtables.some(({ expiring }) => expiring > 0)) return true;
    for (let level = 0; level < LEVELS; level++) {
      if (this.version.totals(level).expiring > 0) return true;
    }
    return false;
  }

  insert(sequence: number, kind: number, timeMs: number, key: Uint8Array, value: Uint8Array): void {
    if (kind === KIND.RANGE_DELETE) {
      this.memtables.active.deleteRange(key, value, sequence, timeMs);
      return;
    }
    const low = trailerLow(sequence, kind);
    const high = trailerHigh(sequence);
    this.memtables.active.insert(key, 0, key.length, low, high, timeMs, value, 0, value.length);
  }

  /** Makes room for a write of so many entries; the full memtable goes on being read. */
  rotate(entries: number, bytes: number): ReturnType<MemtableSet["rotate"]> {
    const full = this.memtables.rotate(entries, bytes);
    this.views.publish(this.#view());
    return full;
  }

  /** Makes `next`, the version after `edit`, visible, without the memtables that it holds now. */
  install(next: Version, edit: VersionEdit, flushed: readonly SealedMemtable[]): void {
    this.memtables.removeFlushed(flushed);
    this.#versions.install(next, edit);
    this.edits++;
    this.views.publish(this.#view());
  }

  #view(): View {
    const { memtables } = this.memtables;
    const version = this.#versions.pin();
    return { memtables, version, hasRanges: hasRanges(memtables.slice(1), version) };
  }
}
