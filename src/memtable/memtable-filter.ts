/**
 * A small bloom filter over a memtable's keys. Most reads are of keys that the memtable does not have, and a
 * skiplist takes some twenty cache misses to say so; the filter takes one. All probes of a key fall into one
 * line of 512 bits, as in `table/filter.ts`.
 *
 * It is sized for entries of about 100 bytes: smaller ones let more absent keys through, which costs time and
 * nothing else.
 */

const LINE_BITS = 512;
const LINE_BYTES = LINE_BITS / 8;
const BIT_SHIFT = 32 - Math.log2(LINE_BITS);
const PROBES = 4;
const STEP = 0x9e3779b9;
/** So many bytes of arena have one byte of filter: ten bits for an entry of 100 bytes and its node. */
const ARENA_BYTES_PER_BYTE = 112;

export class MemtableFilter {
  readonly #set: Uint8Array;
  readonly #lines: number;

  constructor(arenaBytes: number) {
    this.#lines = Math.ceil(arenaBytes / ARENA_BYTES_PER_BYTE / LINE_BYTES);
    this.#set = new Uint8Array(this.#lines * LINE_BYTES);
  }

  get memoryBytes(): number {
    return this.#set.length;
  }

  clear(): void {
    this.#set.fill(0);
  }

  /** `first` and `second` are the halves of a `KeyHash`. */
  add(first: number, second: number): void {
    const set = this.#set;
    const line = Math.floor((first * this.#lines) / 2 ** 32) * LINE_BYTES;
    let word = second;
    for (let i = PROBES; i > 0; i--) {
      const bit = word >>> BIT_SHIFT;
      set[line + (bit >>> 3)]! |= 1 << (bit & 7);
      word = Math.imul(word, STEP);
    }
  }

  /** False where the key is surely not in the memtable. */
  mayContain(first: number, second: number): boolean {
    const set = this.#set;
    const line = Math.floor((first * this.#lines) / 2 ** 32) * LINE_BYTES;
    let word = second;
    for (let i = PROBES; i > 0; i--) {
      const bit = word >>> BIT_SHIFT;
      if ((set[line + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
      word = Math.imul(word, STEP);
    }
    return true;
  }
}
