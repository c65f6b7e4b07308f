/**
 * What a read sees: the memtables, newest first, and a version of the tables. A view is immutable; a new
 * one is published when a memtable is rotated or an edit installed. A read that must wait for the disk,
 * and every scan, pins the view it began with; what only old views name is given back when the last pin
 * goes.
 */
import type { Memtable } from "../memtable/memtable.ts";
import type { Version } from "../version/version.ts";

export interface View {
  /** The first takes writes; the others wait for flush. */
  readonly memtables: readonly Memtable[];
  readonly version: Version;
  /** Ranges were deleted in a table, or in a memtable other than the first. */
  readonly hasRanges: boolean;
}

export class ViewList {
  #current: View;
  readonly #pins = new Map<View, number>();
  /** Views that name a memtable or version, counted, so that each is given back exactly once. */
  readonly #memtableViews = new Map<Memtable, number>();
  readonly #onMemtableFree: (memtable: Memtable) => void;
  readonly #onVersionFree: (version: Version) => void;

  /** The callbacks take back a memtable that no view names any more, and a pin on a version. */
  constructor(
    first: View,
    onMemtableFree: (memtable: Memtable) => void,
    onVersionFree: (version: Version) => void,
  ) {
    this.#onMemtableFree = onMemtableFree;
    this.#onVersionFree = onVersionFree;
    this.#current = first;
    this.#hold(first);
  }

  get current(): View {
    return this.#current;
  }

  /** Publishes `view`, whose version the caller has pinned for it. */
  publish(view: View): void {
    const before = this.#current;
    this.#hold(view);
    this.#current = view;
    this.unpin(before);
  }

  pin(): View {
    this.#pins.set(this.#current, (this.#pins.get(this.#current) ?? 0) + 1);
    return this.#current;
  }

  unpin(view: View): void {
    const pins = (this.#pins.get(view) ?? 0) - 1;
    if (pins > 0) {
      this.#pins.set(view, pins);
      return;
    }
    this.#pins.delete(view);
    for (const memtable of view.memtables) {
      const views = (this.#memtableViews.get(memtable) ?? 0) - 1;
      if (views > 0) this.#memtableViews.set(memtable, views);
      else {
        this.#memtableViews.delete(memtable);
        this.#onMemtableFree(memtable);
      }
    }
    this.#onVersionFree(view.version);
  }

  #hold(view: View): void {
    this.#pins.set(view, 1);
    for (const memtable of view.memtables) {
      this.#memtableViews.set(memtable, (this.#memtableViews.get(memtable) ?? 0) + 1);
    }
  }
}
