/**
 * A table that is open for reading: its file, its parsed tail, and the blocks of it that are cached. Two
 * readers that miss the same block share one read.
 *
 * A reader holds the table while it waits for the disk or keeps a cursor on it; the file is closed when
 * the table cache has dropped the table and the last hold is gone.
 */
import type { File } from "../fs/file-system.ts";
import { decodeBlock } from "../table/block-format.ts";
import type { BlockSource } from "../table/block-source.ts";
import type { Table } from "../table/table.ts";
import type { BlockCache, BlockOwner } from "./block-cache.ts";

export class OpenTable implements BlockSource, BlockOwner {
  readonly table: Table;
  readonly blocks: (Uint8Array | undefined)[] = [];
  readonly hot: Uint8Array;
  readonly slots: Int32Array;
  /** Used since the table cache's hand last passed. */
  used = true;
  readonly #file: File;
  readonly #cache: BlockCache;
  readonly #loading = new Map<number, Promise<Uint8Array>>();
  #holds = 0;
  #dropped = false;

  constructor(table: Table, file: File, cache: BlockCache) {
    this.table = table;
    this.hot = new Uint8Array(table.index.length);
    this.slots = new Int32Array(table.index.length);
    this.#file = file;
    this.#cache = cache;
  }

  cached(blockIndex: number): Uint8Array | undefined {
    const block = this.blocks[blockIndex];
    if (block === undefined) return undefined;
    this.hot[blockIndex] = 1;
    this.#cache.hits++;
    return block;
  }

  load(blockIndex: number): Promise<Uint8Array> {
    const loading = this.#loading.get(blockIndex);
    if (loading !== undefined) return loading;
    const load = this.#load(blockIndex).finally(() => this.#loading.delete(blockIndex));
    this.#loading.set(blockIndex, load);
    return load;
  }

  loadSync(blockIndex: number): Uint8Array {
    const stored = this.#storedBuffer(blockIndex);
    const got = this.#file.readSync(stored, this.table.index.offset(blockIndex));
    return this.#keep(blockIndex, stored, got);
  }

  /** Blocks `first` to `last`, both included, as they are stored, with one read. */
  async readStored(first: number, last: number): Promise<Uint8Array> {
    const { index } = this.table;
    const start = index.offset(first);
    const stored = Buffer.allocUnsafeSlow(index.offset(last) + index.storedBytes(last) - start);
    this.#cache.misses += last - first + 1;
    this.hold();
    try {
      return stored.subarray(0, await this.#file.read(stored, start));
    } finally {
      this.release();
    }
  }

  /** A block of what `readStored` gave; cached if there is room. */
  decodeStored(blockIndex: number, stored: Uint8Array): Uint8Array {
    const bytes = this.#decode(blockIndex, stored);
    if (this.#dropped || !this.#cache.hasRoom(bytes)) return bytes;
    // One that was not compressed is part of what was read, which must not stay for its sake.
    const own = bytes.buffer === stored.buffer ? copyOf(bytes) : bytes;
    if (this.blocks[blockIndex] === undefined) this.#cache.insert(this, blockIndex, own);
    return own;
  }

  hold(): void {
    this.#holds++;
  }

  release(): void {
    this.#holds--;
    this.#closeIfUnused();
  }

  /** Called by the table cache, once: forgets the cached blocks and closes the file when nobody holds it. */
  drop(): void {
    this.#dropped = true;
    this.#cache.removeAll(this);
    this.#closeIfUnused();
  }

  async #load(blockIndex: number): Promise<Uint8Array> {
    this.hold();
    try {
      const stored = this.#storedBuffer(blockIndex);
      const got = await this.#file.read(stored, this.table.index.offset(blockIndex));
      return this.#keep(blockIndex, stored, got);
    } finally {
      this.release();
    }
  }

  #storedBuffer(blockIndex: number): Uint8Array {
    this.#cache.misses++;
    return Buffer.allocUnsafeSlow(this.table.index.storedBytes(blockIndex));
  }

  #keep(blockIndex: number, stored: Uint8Array, got: number): Uint8Array {
    const bytes = this.#decode(blockIndex, stored.subarray(0, got));
    if (!this.#dropped && this.blocks[blockIndex] === undefined) {
      this.#cache.insert(this, blockIndex, bytes);
    }
    return bytes;
  }

  #decode(blockIndex: number, stored: Uint8Array): Uint8Array {
    try {
      return decodeBlock(stored, this.table.index.offset(blockIndex), this.#file.path);
    } catch (error) {
      this.#cache.damaged++;
      throw error;
    }
  }

  #closeIfUnused(): void {
    if (this.#dropped && this.#holds === 0) this.#file.closeSync();
  }
}

function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
