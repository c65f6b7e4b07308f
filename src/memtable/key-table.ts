/**
 * The user keys of a memtable by their hash: a bucket leads to the newest version of each key in it (`chain`), and
 * that to the older ones (`older`). A put finds its place here in one or two cache misses, where a skiplist takes
 * ten and more, and so does a get.
 *
 * Source of the idea: RocksDB's hash memtables; keeping the versions of a key off the bucket's chain is what
 * in-memory databases with versions do (Diaconu et al., "Hekaton", 2013).
 */
import assert from "node:assert";
import {
  CHAIN,
  keyBytesOf,
  keyStartOf,
  OLDER,
  PREFIX_BYTES,
  PREFIX_HIGH,
  PREFIX_LOW,
  pastAt,
  SHAPE,
} from "./node-layout.ts";
import { NodeOrder } from "./node-order.ts";

/** Entries of 100 bytes, with what a node has besides, come to about one in a bucket. */
const ARENA_BYTES_PER_BUCKET = 128;
/** Chance makes no chain nearly as long; keys chosen to share a bucket do. */
const CHAIN_MAX = 64;

export class KeyTable {
  /** A chain has grown so long that no more keys should come. */
  isClogged = false;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #order: NodeOrder;
  readonly #buckets: Int32Array;
  readonly #shift: number;
  /** Where `locate` has looked: the bucket, and the node before the one that it found. */
  #bucket = 0;
  #before = 0;

  constructor(words: Int32Array, bytes: Uint8Array) {
    this.#words = words;
    this.#bytes = bytes;
    this.#order = new NodeOrder(words, bytes);
    const bits = Math.max(4, Math.ceil(Math.log2(bytes.length / ARENA_BYTES_PER_BUCKET)));
    this.#buckets = new Int32Array(2 ** bits);
    this.#shift = 32 - bits;
  }

  get memoryBytes(): number {
    return this.#buckets.byteLength;
  }

  clear(): void {
    this.#buckets.fill(0);
    this.isClogged = false;
  }

  /** The newest version of a key; 0 where there is none. `hash` is the first half of the key's. */
  find(hash: number, high: number, low: number, key: Uint8Array, start: number, end: number) {
    const words = this.#words;
    let node = this.#buckets[hash >>> this.#shift]!;
    while (node !== 0 && !this.#hasKey(node, high, low, key, start, end))
      node = words[node + CHAIN]!;
    return node;
  }

  /** `find` for a key that is about to be added. */
  locate(hash: number, high: number, low: number, key: Uint8Array, start: number, end: number) {
    const words = this.#words;
    const bucket = hash >>> this.#shift;
    let before = 0;
    let length = 0;
    let node = this.#buckets[bucket]!;
    while (node !== 0 && !this.#hasKey(node, high, low, key, start, end)) {
      before = node;
      node = words[node + CHAIN]!;
      length++;
    }
    if (length > CHAIN_MAX) this.isClogged = true;
    this.#bucket = bucket;
    this.#before = before;
    return node;
  }

  /** Adds a node of the key that was located last; `same` is what was found, the newest version so far. */
  add(node: number, same: number): void {
    const words = this.#words;
    const bucket = this.#bucket;
    if (same === 0) {
      words[node + CHAIN] = this.#buckets[bucket]!;
      this.#buckets[bucket] = node;
      return;
    }
    assert(
      this.#order.compareVersions(node, same) < 0,
      "versions of a key come in the order of age",
    );
    words[pastAt(words, node) + OLDER] = same;
    words[node + CHAIN] = words[same + CHAIN]!;
    if (this.#before === 0) this.#buckets[bucket] = node;
    else words[this.#before + CHAIN] = node;
  }

  #hasKey(
    node: number,
    high: number,
    low: number,
    key: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const words = this.#words;
    if (words[node + PREFIX_HIGH] !== high || words[node + PREFIX_LOW] !== low) return false;
    if (keyBytesOf(words[node + SHAPE]!) !== end - start) return false;
    const bytes = this.#bytes;
    const shift = keyStartOf(words, node) - start;
    for (let i = start + PREFIX_BYTES; i < end; i++) if (bytes[i + shift] !== key[i]) return false;
    return true;
  }
}
