/**
 * Decoded data blocks in memory, evicted by CLOCK (second chance): a block that was read since the hand
 * last passed it stays for another round. Each open table keeps its own arrays of cached blocks and of flags,
 * so a hit is an access to each, with no hashing, no list to relink, and no object on the way to the bytes.
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
  /** By block index; `undefined` where the block is not cached. */
  readonly blocks: (Uint8Array | undefined)[];
  /** By block index: 1 where the block was read since the hand last passed. */
  readonly hot: Uint8Array;
  /** By block index: where in the ring a cached block is. */
  readonly slots: Int32Array;
}

/** A block in the ring. */
interface Slot {
  readonly owner: BlockOwner;
  readonly index: number;
}

export class BlockCache {
  /** The most it holds; may shrink as memtables and table indexes grow. Never evicts below one block. */
  capacityBytes: number;
  usedBytes = 0;
  hits = 0;
  misses = 0;
  /** Blocks and tables' tails that were read and are not what was written. */
  damaged = 0;
  readonly #ring: (Slot | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #hand = 0;

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
  }

  get count(): number {
    return this.#ring.length - this.#freeSlots.length;
  }

  /** Whether the block could be cached without driving out others. */
  hasRoom(bytes: Uint8Array): boolean {
    return this.usedBytes + chargeOf(bytes) <= this.capacityBytes;
  }

  /** Caches a block that its owner does not hold yet, making room for it. */
  insert(owner: BlockOwner, index: number, bytes: Uint8Array): void {
    const charge = chargeOf(bytes);
    this.#evictDownTo(Math.max(0, this.capacityBytes - charge));
    const slot = this.#freeSlots.pop() ?? this.#ring.length;
    this.#ring[slot] = { owner, index };
    owner.blocks[index] = bytes;
    owner.hot[index] = 0;
    owner.slots[index] = slot;
    this.usedBytes += charge;
  }

  /** Drops all blocks of a table that is being closed. */
  removeAll(owner: BlockOwner): void {
    for (let index = 0; index < owner.blocks.length; index++) this.#remove(owner, index);
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
      const slot = this.#ring[this.#hand++];
      if (slot === undefined) continue;
      const { owner, index } = slot;
      if (owner.hot[index] === 1) owner.hot[index] = 0;
      else this.#remove(owner, index);
    }
  }

  /** Drops the block if it is cached. */
  #remove(owner: BlockOwner, index: number): void {
    const bytes = owner.blocks[index];
    if (bytes === undefined) return;
    const slot = owner.slots[index]!;
    this.usedBytes -= chargeOf(bytes);
    this.#ring[slot] = undefined;
    this.#freeSlots.push(slot);
    owner.blocks[index] = undefined;
  }
}

function chargeOf(bytes: Uint8Array): number {
  return bytes.length + BLOCK_OVERHEAD_BYTES;
}
