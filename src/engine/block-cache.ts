/**
 * Decoded data blocks in memory, evicted by CLOCK (second chance): a block that was read since the hand
 * last passed it stays for another round. Each open table keeps its own array of cached blocks, so a hit
 * is one array access and one flag, with no hashing and no list to relink.
 *
 * Invariant: `usedBytes` is the sum of the charges in the ring, and each block of the ring is what its
 * owner's `blocks[index]` holds.
 *
 * Source of the idea: F. J. Corbató, "A paging experiment with the Multics system", 1968; RocksDB's
 * HyperClockCache shows it at work in this place.
 */

/** Object, array slot and ArrayBuffer header that a block costs beside its bytes. */
const BLOCK_OVERHEAD_BYTES = 200;

export interface BlockOwner {
  /** By block index; a hole where the block is not cached. */
  readonly blocks: (CachedBlock | undefined)[];
}

export interface CachedBlock {
  readonly bytes: Uint8Array;
  readonly owner: BlockOwner;
  readonly index: number;
  /** Read since the hand last passed. */
  hot: boolean;
  slot: number;
}

export class BlockCache {
  /** The most it holds; may shrink as memtables and table indexes grow. Never evicts below one block. */
  capacityBytes: number;
  usedBytes = 0;
  hits = 0;
  misses = 0;
  /** Blocks and tables' tails that were read and are not what was written. */
  damaged = 0;
  readonly #ring: (CachedBlock | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #hand = 0;

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
  }

  get count(): number {
    return this.#ring.length - this.#freeSlots.length;
  }

  /** Caches a block that its owner does not hold yet, making room for it. */
  insert(owner: BlockOwner, index: number, bytes: Uint8Array): void {
    const charge = chargeOf(bytes);
    this.#evictDownTo(Math.max(0, this.capacityBytes - charge));
    const slot = this.#freeSlots.pop() ?? this.#ring.length;
    const block: CachedBlock = { bytes, owner, index, hot: false, slot };
    this.#ring[slot] = block;
    owner.blocks[index] = block;
    this.usedBytes += charge;
  }

  /** Drops all blocks of a table that is being closed. */
  removeAll(owner: BlockOwner): void {
    for (const block of owner.blocks) if (block !== undefined) this.#remove(block);
    owner.blocks.length = 0;
  }

  /** Sets the capacity and evicts down to it. */
  resize(capacityBytes: number): void {
    this.capacityBytes = capacityBytes;
    this.#evictDownTo(capacityBytes);
  }

  #evictDownTo(bytes: number): void {
    while (this.usedBytes > bytes) {
      if (this.#hand >= this.#ring.length) this.#hand = 0;
      const block = this.#ring[this.#hand++];
      if (block === undefined) continue;
      if (block.hot) block.hot = false;
      else this.#remove(block);
    }
  }

  #remove(block: CachedBlock): void {
    this.usedBytes -= chargeOf(block.bytes);
    this.#ring[block.slot] = undefined;
    this.#freeSlots.push(block.slot);
    block.owner.blocks[block.index] = undefined;
  }
}

function chargeOf(bytes: Uint8Array): number {
  return bytes.length + BLOCK_OVERHEAD_BYTES;
}
