/**
 * The memtables: the one that takes writes and those that wait for flush. Arenas are pooled, and an arena
 * returns to the pool when the last view that names its memtable is gone.
 */
import { ArenaPool } from "../memtable/arena-pool.ts";
import { Memtable } from "../memtable/memtable.ts";

/** A full memtable whose log segments are durable. */
export interface SealedMemtable {
  readonly memtable: Memtable;
  /** The first log segment that is still needed once this memtable is in a table. */
  readonly nextLog: number;
}

export class MemtableSet {
  /** Newest first; the first takes writes. */
  memtables: readonly Memtable[];
  readonly #pool: ArenaPool;
  readonly #immutableMax: number;
  /** Oldest first; a prefix of the full memtables, as sealing follows rotation. */
  readonly #sealed: SealedMemtable[] = [];

  constructor(arenaBytes: number, immutableMax: number) {
    this.#pool = new ArenaPool(arenaBytes, 2);
    this.#immutableMax = immutableMax;
    this.memtables = [this.#create(0, 0, false)];
  }

  get active(): Memtable {
    const [active] = this.memtables;
    if (active === undefined) throw new Error("there is always a memtable that takes writes");
    return active;
  }

  /** Full memtables that are not in tables yet. */
  get waiting(): number {
    return this.memtables.length - 1;
  }

  /** Bytes of the memtables in use and kept for use. */
  get memoryBytes(): number {
    let bytes = this.#pool.memoryBytes;
    for (const memtable of this.memtables) bytes += memtable.memoryBytes;
    return bytes;
  }

  hasRoom(entries: number, bytes: number): boolean {
    return this.active.hasRoom(entries, bytes);
  }

  /** Whether a write may go on: it fits, or a rotation is allowed. */
  mayTake(entries: number, bytes: number): boolean {
    return this.hasRoom(entries, bytes) || this.waiting < this.#immutableMax;
  }

  /** Puts an empty memtable, large enough for the write that comes, in the active one's place. */
  rotate(entries: number, bytes: number): Memtable {
    const full = this.active;
    this.memtables = [this.#create(entries, bytes, full.wasOrdered), ...this.memtables];
    return full;
  }

  seal(memtable: Memtable, nextLog: number): void {
    this.#sealed.push({ memtable, nextLog });
  }

  /** The sealed memtables, oldest first. */
  sealed(): readonly SealedMemtable[] {
    return this.#sealed;
  }

  /** Takes out memtables that are in tables now; views that still name them keep them. */
  removeFlushed(flushed: readonly SealedMemtable[]): void {
    const gone = new Set(flushed.map(({ memtable }) => memtable));
    this.memtables = this.memtables.filter((memtable) => !gone.has(memtable));
    this.#sealed.splice(0, flushed.length);
  }

  /** No view names the memtable any more. */
  free(memtable: Memtable): void {
    this.#pool.give(memtable);
  }

  /** One that follows a memtable which was read in order will be, too. */
  #create(entries: number, bytes: number, keepsOrder: boolean): Memtable {
    return this.#pool.take(Memtable.bytesFor(entries, bytes), keepsOrder);
  }
}
