/**
 * Copies of small byte ranges, cut from larger chunks. A typed array with an `ArrayBuffer` of its own costs
 * several times as much to make, and to collect, as the copy itself (Node's `Buffer` pool has the same
 * reason). A chunk lives as long as any copy in it.
 *
 * Hot path: every value that leaves the engine passes here.
 */
const CHUNK_BYTES = 16 * 1024;
/** Larger copies get memory of their own, so that keeping one does not keep much else. */
const POOLED_BYTES_MAX = CHUNK_BYTES / 8;
/** Up to this a plain loop beats `set` with its view of the source. */
const LOOP_BYTES_MAX = 128;

export class BytePool {
  #chunk = new ArrayBuffer(CHUNK_BYTES);
  #used = 0;

  /** A copy of `source[start, end)`, the caller's to keep and change. */
  copy(source: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start;
    const target = this.#allocate(length);
    if (length <= LOOP_BYTES_MAX) {
      for (let i = 0; i < length; i++) target[i] = source[start + i]!;
    } else {
      target.set(source.subarray(start, end));
    }
    return target;
  }

  #allocate(length: number): Uint8Array {
    if (length > POOLED_BYTES_MAX) return new Uint8Array(length);
    if (this.#used + length > CHUNK_BYTES) {
      this.#chunk = new ArrayBuffer(CHUNK_BYTES);
      this.#used = 0;
    }
    const bytes = new Uint8Array(this.#chunk, this.#used, length);
    this.#used += length;
    return bytes;
  }
}
