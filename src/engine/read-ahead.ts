/**
 * A table's blocks for a scan. Where the scan goes on from block to block, in either direction, it reads more
 * and more of them with one call, and decodes each when it comes to it; so a scan costs few reads, and one
 * that ends soon reads little in vain.
 *
 * What was read ahead goes into the cache only where there is room: a long scan does not drive out what point
 * reads need.
 */
import type { BlockSource } from "../table/block-source.ts";
import type { OpenTable } from "./open-table.ts";

/** Each read takes so many times more blocks than the one before. */
const GROWTH = 4;
const BLOCKS_MAX = 256;
const BYTES_MAX = 256 * 1024;
const NONE = -2;

export class ReadAhead implements BlockSource {
  readonly #open: OpenTable;
  /** The block asked for last, and the step to it from the one before; 0 after a jump. */
  #last = NONE;
  #step = 0;
  #count = 1;
  /** Blocks `[#first, #end)` as they are stored. */
  #stored: Uint8Array = new Uint8Array();
  #first = 0;
  #end = 0;

  constructor(open: OpenTable) {
    this.#open = open;
  }

  cached(block: number): Uint8Array | undefined {
    const step = block - this.#last;
    if (step !== 0) this.#step = Math.abs(step) === 1 ? step : 0;
    this.#last = block;
    return this.#open.cached(block) ?? this.#ahead(block);
  }

  async load(block: number): Promise<Uint8Array> {
    const open = this.#open;
    if (this.#step === 0) {
      this.#count = 1;
      return open.load(block);
    }
    this.#count = Math.min(this.#count * GROWTH, BLOCKS_MAX);
    const last = this.#reach(block, this.#step, this.#count);
    const [from, to] = this.#step > 0 ? [block, last] : [last, block];
    this.#stored = await open.readStored(from, to);
    this.#first = from;
    this.#end = to + 1;
    return this.#ahead(block) as Uint8Array;
  }

  loadSync(block: number): Uint8Array {
    return this.#open.loadSync(block);
  }

  /** The block if it was read ahead. */
  #ahead(block: number): Uint8Array | undefined {
    if (block < this.#first || block >= this.#end) return undefined;
    const { index } = this.#open.table;
    const start = index.offset(block) - index.offset(this.#first);
    const stored = this.#stored.subarray(start, start + index.storedBytes(block));
    return this.#open.decodeStored(block, stored);
  }

  /** The last of up to `count` blocks from `block` on, as far as they are not cached and not too many bytes. */
  #reach(block: number, step: number, count: number): number {
    const { blocks, table } = this.#open;
    let last = block;
    let bytes = table.index.storedBytes(block);
    for (let i = 1; i < count; i++) {
      const next = last + step;
      if (next < 0 || next >= table.index.length || blocks[next] !== undefined) break;
      bytes += table.index.storedBytes(next);
      if (bytes > BYTES_MAX) break;
      last = next;
    }
    return last;
  }
}
