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

  /** Adds a node, whose key is in the arena. Versions of a key come in the order of their age. */
  add(hash: number, node: number): void {
    const words = this.#words;
    const bytes = this.#bytes;
    const high = words[node + PREFIX_HIGH]!;
    const low = words[node + PREFIX_LOW]!;
    const start = keyStartOf(words, node);
    const end = start + keyBytesOf(words[node + SHAPE]!);
    const bucket = hash >>> this.#shift;
    const first = this.#buckets[bucket]!;
    let before = 0;
    let length = 0;
    let same = first;
    while (same !== 0 && !this.#hasKey(same, high, low, bytes, start, end)) {
      before = same;
      same = words[same + CHAIN]!;
      length++;
    }
    if (length > CHAIN_MAX) this.isClogged = true;
    if (same === 0) {
      words[node + OLDER] = 0;
      words[node + CHAIN] = first;
      this.#buckets[bucket] = node;
      return;
    }
    assert(
      this.#order.compareVersions(node, same) < 0,
      "versions of a key come in the order of age",
    );
    words[node + OLDER] = same;
    words[node + CHAIN] = words[same + CHAIN]!;
    if (before === 0) this.#buckets[bucket] = node;
    else words[before + CHAIN] = node;
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
