/**
 * The hash index of a data block, which takes a point read to the right restart at once: one byte for each
 * bucket of the key hashes (`bytes/key-hash.ts`), the number of the restart that a walk to the key begins from.
 *
 * Keys that share a bucket and lie close together share the first one's restart, which makes the walk a
 * little longer; others leave the bucket undecided, and the search goes by the restarts' keys.
 *
 * Source of the idea: RocksDB's data block hash index
 * (https://rocksdb.org/blog/2018/08/23/data-block-hash-index.html).
 */

/** No key of the block is in the bucket. */
export const BUCKET_EMPTY = 0xff;
/** Keys far apart are. */
export const BUCKET_UNDECIDED = 0xfe;
/** A block with more restarts than bytes can name has no index. */
const RESTARTS_MAX = BUCKET_UNDECIDED;

const BUCKETS_PER_KEY = 1.5;
const NEAR_RESTARTS = 2;

export class BlockHashIndexWriter {
  #hashes = new Uint32Array(64);
  #restarts = new Uint32Array(64);
  #keys = 0;

  /** Takes the first version of each user key of the block, in order. */
  add(hash: number, restart: number): void {
    if (this.#keys === this.#hashes.length) this.#grow();
    this.#hashes[this.#keys] = hash;
    this.#restarts[this.#keys] = restart;
    this.#keys++;
  }

  /** Buckets of the index over the keys so far; 0 for no index. */
  buckets(restarts: number): number {
    return restarts > RESTARTS_MAX ? 0 : Math.ceil(this.#keys * BUCKETS_PER_KEY);
  }

  /** Writes the buckets to `buffer` and forgets the keys; returns how many there are. */
  write(buffer: Uint8Array, at: number, restarts: number): number {
    const keys = this.#keys;
    const buckets = this.buckets(restarts);
    this.#keys = 0;
    if (buckets === 0) return 0;
    buffer.fill(BUCKET_EMPTY, at, at + buckets);
    for (let i = 0; i < keys; i++) {
      const place = at + bucketOf(this.#hashes[i]!, buckets);
      const restart = this.#restarts[i]!;
      const there = buffer[place]!;
      if (there === BUCKET_EMPTY) buffer[place] = restart;
      else if (restart - there > NEAR_RESTARTS) buffer[place] = BUCKET_UNDECIDED;
    }
    return buckets;
  }

  #grow(): void {
    const grown = (array: Uint32Array<ArrayBuffer>) => {
      const larger = new Uint32Array(array.length * 2);
      larger.set(array);
      return larger;
    };
    this.#hashes = grown(this.#hashes);
    this.#restarts = grown(this.#restarts);
  }
}

/** The bucket of a key whose hash's first half this is: its high bits, as the filter uses the rest. */
export function bucketOf(hash: number, buckets: number): number {
  return Math.floor((hash * buckets) / 2 ** 32);
}
