/**
 * The versions in use, oldest first; the last is the current one. Readers pin the version that they read.
 * A table that an edit dropped may be removed when no version from before that edit is left: so each
 * version keeps what its successor dropped, and versions go from the oldest on, while nobody pins them.
 */
import assert from "node:assert";
import type { TableMeta } from "../table/table-meta.ts";
import type { VersionEdit } from "./edit.ts";
import type { Version } from "./version.ts";

interface Held {
  readonly version: Version;
  pins: number;
  /** Tables that the next version has not any more, at any level. */
  dropped: readonly TableMeta[];
}

export class VersionList {
  readonly #versions: Held[];
  readonly #byVersion = new Map<Version, Held>();
  readonly #onObsolete: (tables: readonly TableMeta[]) => void;

  constructor(first: Version, onObsolete: (tables: readonly TableMeta[]) => void) {
    this.#onObsolete = onObsolete;
    this.#versions = [];
    this.#push(first);
  }

  get current(): Version {
    return this.#last.version;
  }

  /** Versions that are still in use, with the current one. */
  get count(): number {
    return this.#versions.length;
  }

  pin(): Version {
    this.#last.pins++;
    return this.#last.version;
  }

  unpin(version: Version): void {
    const held = this.#byVersion.get(version);
    assert(held !== undefined && held.pins > 0, "a version is unpinned as often as it was pinned");
    held.pins--;
    this.#release();
  }

  /** Makes `next`, which is the current version after `edit`, the current one. */
  install(next: Version, edit: VersionEdit): void {
    const kept = new Set(edit.added.map(({ table }) => table.number));
    const gone = edit.removed.filter(({ number }) => !kept.has(number));
    const { version } = this.#last;
    this.#last.dropped = gone.flatMap(({ level, number }) =>
      version.files(level).filter((table) => table.number === number),
    );
    this.#push(next);
    this.#release();
  }

  get #last(): Held {
    const last = this.#versions.at(-1);
    assert(last !== undefined, "there is always a current version");
    return last;
  }

  #push(version: Version): void {
    const held: Held = { version, pins: 0, dropped: [] };
    this.#versions.push(held);
    this.#byVersion.set(version, held);
  }

  #release(): void {
    for (let oldest = this.#versions[0]; oldest !== undefined; oldest = this.#versions[0]) {
      if (oldest.pins > 0 || this.#versions.length === 1) return;
      this.#versions.shift();
      this.#byVersion.delete(oldest.version);
      if (oldest.dropped.length > 0) this.#onObsolete(oldest.dropped);
    }
  }
}
