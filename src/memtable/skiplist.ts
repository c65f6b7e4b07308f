/**
 * The order of a memtable's nodes, as a skiplist of those that were linked. Nodes that are linked in the order of
 * their keys go in beside one another: a link first tries the place after the one before, and when keys have
 * been increasing for a while it climbs from there only as far as the key is away.
 *
 * Hot path: no allocation, and a search never compares a node twice.
 *
 * Source of the idea: Pugh, "Skip lists", 1990; LevelDB's arena skiplist; the finger is RocksDB's
 * `InsertWithHint`; climbing from it is Pugh's "A skip list cookbook", 1990.
 */
import { compareTrailers } from "../key.ts";
import {
  FIRST_NODE,
  HEAD,
  HEIGHT_MAX,
  heightOf,
  keyBytesOf,
  keyStartOf,
  linkAt,
  NEXT,
  NEXT_PREFIX,
  PREFIX_BYTES,
  PREFIX_HIGH,
  PREFIX_LOW,
  PREV,
  prefixWord,
  SHAPE,
  TRAILER_HIGH,
  TRAILER_LOW,
} from "./node-layout.ts";

/** So many increasing keys in a row are no accident: chance gives them one time in 8! = 40,320. */
const ASCENTS_TO_CLIMB = 8;

export class Skiplist {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #height = 1;
  /** Links in a row whose keys were each after the one before. */
  #ascents = 0;
  /** The node that was linked last, and the node before it at each level: the finger. */
  #linked = HEAD;
  readonly #linkPath = new Int32Array(HEIGHT_MAX);
  readonly #searchPath = new Int32Array(HEIGHT_MAX);

  constructor(words: Int32Array, bytes: Uint8Array) {
    this.#words = words;
    this.#bytes = bytes;
  }

  clear(): void {
    this.#words.fill(0, HEAD, FIRST_NODE);
    this.#words[HEAD + PREV] = HEAD;
    this.#height = 1;
    this.#ascents = 0;
    this.#linked = HEAD;
    this.#linkPath.fill(HEAD);
  }

  /** Puts a node in its place. */
  link(node: number): void {
    const words = this.#words;
    const high = words[node + PREFIX_HIGH]!;
    const shape = words[node + SHAPE]!;
    const keyStart = keyStartOf(words, node);
    const height = heightOf(shape);
    if (height > this.#height) this.#height = height;
    this.#findPlace(
      high,
      words[node + PREFIX_LOW]!,
      this.#bytes,
      keyStart,
      keyStart + keyBytesOf(shape),
      words[node + TRAILER_LOW]! >>> 0,
      words[node + TRAILER_HIGH]! >>> 0,
    );
    const path = this.#linkPath;
    const before = path[0]!;
    const after = words[linkAt(before, 0) + NEXT]!;
    words[node + PREV] = before;
    words[(after === 0 ? HEAD : after) + PREV] = node;
    for (let level = 0; level < height; level++) {
      const link = linkAt(path[level]!, level);
      const own = linkAt(node, level);
      words[own + NEXT] = words[link + NEXT]!;
      words[own + NEXT_PREFIX] = words[link + NEXT_PREFIX]!;
      words[link + NEXT] = node;
      words[link + NEXT_PREFIX] = high;
    }
    this.#linked = node;
  }

  /** The last linked node strictly before (key, trailer); the head where there is none. */
  before(key: Uint8Array, trailerLow: number, trailerHigh: number): number {
    const end = key.length;
    const high = prefixWord(key, 0, end);
    const low = prefixWord(key, 4, end);
    return this.#search(high, low, key, 0, end, trailerLow, trailerHigh, this.#searchPath);
  }

  /**
   * Fills `path` with the last node before (key, trailer) at each level in use, and returns the one of
   * level 0. A node that ended the search on one level ends it on the next without being compared again.
   * Starts at `node` on `level`.
   */
  #search(
    high: number,
    low: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    trailerLow: number,
    trailerHigh: number,
    path: Int32Array,
    node = HEAD,
    level = this.#height - 1,
  ): number {
    const words = this.#words;
    let bound = 0;
    for (;;) {
      const link = linkAt(node, level);
      const next = words[link + NEXT]!;
      if (next !== bound && next !== 0) {
        const nextHigh = words[link + NEXT_PREFIX]!;
        const isBefore =
          nextHigh !== high
            ? nextHigh < high
            : this.#compareLow(next, low, key, keyStart, keyEnd, trailerLow, trailerHigh) < 0;
        if (isBefore) {
          node = next;
          continue;
        }
        bound = next;
      }
      path[level] = node;
      if (level === 0) return node;
      level--;
    }
  }

  /** Makes `#linkPath` that of (key, trailer), from where the last link has left it. */
  #findPlace(
    high: number,
    low: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    trailerLow: number,
    trailerHigh: number,
  ): void {
    const words = this.#words;
    const path = this.#linkPath;
    const last = this.#linked;
    // While empty, the path is the head at all levels, as it should be.
    if (last === HEAD) return;
    if (this.#compare(last, high, low, key, keyStart, keyEnd, trailerLow, trailerHigh) >= 0) {
      this.#ascents = 0;
      this.#search(high, low, key, keyStart, keyEnd, trailerLow, trailerHigh, path);
      return;
    }
    const lastHeight = heightOf(words[last + SHAPE]!);
    for (let level = 0; level < lastHeight; level++) path[level] = last;

    const levels = ++this.#ascents < ASCENTS_TO_CLIMB ? 1 : this.#height;
    let node = HEAD;
    let level = 0;
    for (; level < levels; level++) {
      const link = linkAt(path[level]!, level);
      const next = words[link + NEXT]!;
      // The node that the level below has led to already.
      if (next === node) continue;
      if (next === 0) break;
      const nextHigh = words[link + NEXT_PREFIX]!;
      const isBefore =
        nextHigh !== high
          ? nextHigh < high
          : this.#compareLow(next, low, key, keyStart, keyEnd, trailerLow, trailerHigh) < 0;
      if (!isBefore) break;
      node = next;
    }
    if (level === 0) return;
    if (level === levels && levels < this.#height) {
      node = HEAD;
      level = this.#height;
    }
    this.#search(high, low, key, keyStart, keyEnd, trailerLow, trailerHigh, path, node, level - 1);
  }

  /** Negative, zero or positive as the node sorts before, with or after (key, trailer). */
  #compare(
    node: number,
    high: number,
    low: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    trailerLow: number,
    trailerHigh: number,
  ): number {
    const nodeHigh = this.#words[node + PREFIX_HIGH]!;
    if (nodeHigh !== high) return nodeHigh < high ? -1 : 1;
    return this.#compareLow(node, low, key, keyStart, keyEnd, trailerLow, trailerHigh);
  }

  /** `#compare` where the first prefix words are equal. */
  #compareLow(
    node: number,
    low: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    trailerLow: number,
    trailerHigh: number,
  ): number {
    const words = this.#words;
    const bytes = this.#bytes;
    const nodeLow = words[node + PREFIX_LOW]!;
    if (nodeLow !== low) return nodeLow < low ? -1 : 1;
    const nodeBytes = keyBytesOf(words[node + SHAPE]!);
    const keyBytes = keyEnd - keyStart;
    const shift = keyStartOf(words, node) - keyStart;
    const end = keyStart + Math.min(nodeBytes, keyBytes);
    for (let i = keyStart + PREFIX_BYTES; i < end; i++) {
      const difference = bytes[i + shift]! - key[i]!;
      if (difference !== 0) return difference;
    }
    if (nodeBytes !== keyBytes) return nodeBytes - keyBytes;
    return compareTrailers(
      words[node + TRAILER_LOW]! >>> 0,
      words[node + TRAILER_HIGH]! >>> 0,
      trailerLow,
      trailerHigh,
    );
  }
}
