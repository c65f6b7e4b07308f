/**
 * The memtable: entries that are in the log but not yet in a table, as a skiplist in one shared arena
 * (layout in `node-layout.ts`). It keeps every version of a key, in the order of `src/key.ts`.
 *
 * One thread writes and reads it. When no more is written, a worker may read it in place: `handle` goes
 * to the worker by message, which is what orders the writes before its reads.
 *
 * Hot path: no allocation per insert or find, plain loops over typed arrays. An insert first tries the
 * place after the one before, which makes increasing keys cost O(1); a search never compares a node twice;
 * sorted batches climb from one key to the next, which takes a third off their cost.
 * `npm run bench -- engine` shows it in its fill and read rows.
 *
 * Source of the idea: Pugh, "Skip lists", 1990; LevelDB's arena skiplist; the finger is RocksDB's
 * `InsertWithHint`; climbing from it is Pugh's "A skip list cookbook", 1990.
 */
import assert from "node:assert";
import { KeyHash } from "../bytes/key-hash.ts";
import { compareTrailers, KIND, kindOf, sequenceOf } from "../key.ts";
import { MemtableFilter } from "./memtable-filter.ts";
import {
  FIRST_NODE,
  HEAD,
  HEIGHT_MAX,
  heightOf,
  keyBytesOf,
  keyWordOf,
  LEVELS_PER_ENTRY,
  linkAt,
  NEXT,
  NEXT_PREFIX,
  nodesBytesMax,
  PREFIX_BYTES,
  PREFIX_HIGH,
  PREFIX_LOW,
  PREV,
  prefixWord,
  SHAPE,
  SPARE_LEVELS_MAX,
  shapeOf,
  TRAILER_HIGH,
  TRAILER_LOW,
  VALUE_BYTES,
} from "./node-layout.ts";

/** Up to this a loop beats `Buffer.copy`, whose call leaves JavaScript. (`set` would need a view: garbage.) */
const LOOP_BYTES_MAX = 24;
const copyBytes = Buffer.prototype.copy;

const RANDOM_SEED = 0x2545f491;

/** So many increasing keys in a row are no accident: chance gives them one time in 8! = 40,320. */
const ASCENTS_TO_CLIMB = 8;

/** All that a worker needs to read a memtable; can be sent in a message. */
export interface MemtableHandle {
  readonly arena: SharedArrayBuffer;
  readonly usedBytes: number;
  readonly entries: number;
  readonly tombstones: number;
  readonly smallestSequence: number;
  readonly largestSequence: number;
}

export class Memtable {
  readonly arena: SharedArrayBuffer;
  /** The arena, for key and value ranges. */
  readonly bytes: Uint8Array;
  /** The arena, for the words of nodes. */
  readonly words: Int32Array;
  entries = 0;
  tombstones = 0;
  /** Of all entries; `Infinity` and 0 while there are none. */
  smallestSequence = Number.POSITIVE_INFINITY;
  largestSequence = 0;
  /** Of the keys; none where another thread filled the memtable. */
  readonly #filter: MemtableFilter | undefined;
  readonly #hash = new KeyHash();
  /** The word at which the next node begins. */
  #end = FIRST_NODE;
  #height = 1;
  #spareLevels = SPARE_LEVELS_MAX;
  #random = RANDOM_SEED;
  /** Inserts in a row whose keys were each after the one before. */
  #ascents = 0;
  /** The last inserted node, and the node before it at each level: the finger. */
  #inserted = HEAD;
  readonly #insertPath = new Int32Array(HEIGHT_MAX);
  readonly #searchPath = new Int32Array(HEIGHT_MAX);

  /** An empty memtable over an arena of any content; or, given the handle that goes with it, a full one. */
  constructor(arena: SharedArrayBuffer, filled?: MemtableHandle) {
    assert(arena.byteLength % 4 === 0 && arena.byteLength >= Memtable.bytesFor(0, 0));
    this.arena = arena;
    this.bytes = new Uint8Array(arena);
    this.words = new Int32Array(arena);
    this.#filter = filled === undefined ? new MemtableFilter(arena.byteLength) : undefined;
    if (filled === undefined) {
      this.reset();
      return;
    }
    this.#end = filled.usedBytes / 4;
    this.#height = HEIGHT_MAX;
    this.entries = filled.entries;
    this.tombstones = filled.tombstones;
    this.smallestSequence = filled.smallestSequence;
    this.largestSequence = filled.largestSequence;
  }

  static create(arenaBytes: number): Memtable {
    return new Memtable(new SharedArrayBuffer(arenaBytes));
  }

  /** A memtable that another thread filled, for reading only. Nothing may be inserted there either. */
  static attach(handle: MemtableHandle): Memtable {
    return new Memtable(handle.arena, handle);
  }

  /** An arena of this size surely holds so many entries with so many bytes of keys and values. */
  static bytesFor(entries: number, keyAndValueBytes: number): number {
    const nodesBytes = nodesBytesMax(entries, keyAndValueBytes, SPARE_LEVELS_MAX);
    return FIRST_NODE * 4 + Math.ceil(nodesBytes / 4) * 4;
  }

  get handle(): MemtableHandle {
    const { arena, usedBytes, entries, tombstones, smallestSequence, largestSequence } = this;
    return { arena, usedBytes, entries, tombstones, smallestSequence, largestSequence };
  }

  get arenaBytes(): number {
    return this.bytes.length;
  }

  /** Of the arena and what goes with it. */
  get memoryBytes(): number {
    return this.bytes.length + (this.#filter?.memoryBytes ?? 0);
  }

  /** Bytes of the arena that are taken. */
  get usedBytes(): number {
    return this.#end * 4;
  }

  get isEmpty(): boolean {
    return this.entries === 0;
  }

  /** Whether so many more entries, with so many bytes of keys and values together, surely fit. */
  hasRoom(entries: number, keyAndValueBytes: number): boolean {
    const nodesBytes = nodesBytesMax(entries, keyAndValueBytes, this.#spareLevels);
    return this.usedBytes + nodesBytes <= this.bytes.length;
  }

  /** Empties the memtable, at a cost that does not depend on its size. No one may be reading it. */
  reset(): void {
    assert(this.#filter !== undefined, "a memtable that another thread filled");
    this.#filter.clear();
    this.words.fill(0, HEAD, FIRST_NODE);
    this.words[HEAD + PREV] = HEAD;
    this.entries = 0;
    this.tombstones = 0;
    this.smallestSequence = Number.POSITIVE_INFINITY;
    this.largestSequence = 0;
    this.#end = FIRST_NODE;
    this.#height = 1;
    this.#spareLevels = SPARE_LEVELS_MAX;
    this.#random = RANDOM_SEED;
    this.#ascents = 0;
    this.#inserted = HEAD;
    this.#insertPath.fill(HEAD);
  }

  /**
   * Adds a version of the key. The caller has made sure of the room (`hasRoom`), and that the memtable has
   * no entry with the same key and trailer.
   */
  insert(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    trailerLow: number,
    trailerHigh: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const filter = this.#filter;
    assert(filter !== undefined, "a memtable that another thread filled");
    const hash = this.#hash;
    hash.update(key, keyStart, keyEnd);
    filter.add(hash.first, hash.second);
    const high = prefixWord(key, keyStart, keyEnd);
    const low = prefixWord(key, keyStart + 4, keyEnd);
    this.#findPlace(high, low, key, keyStart, keyEnd, trailerLow, trailerHigh);
    const words = this.words;
    const path = this.#insertPath;
    const before = path[0]!;
    const after = words[linkAt(before, 0) + NEXT]!;
    if (after !== 0 && words[after] === high && words[after + PREFIX_LOW] === low) {
      const order = this.#compareRest(after, key, keyStart, keyEnd, trailerLow, trailerHigh);
      assert(order > 0, "insert of an internal key that is there");
    }

    const keyBytes = keyEnd - keyStart;
    const valueBytes = valueEnd - valueStart;
    const height = this.#pickHeight();
    const node = this.#end;
    const keyAt = linkAt(node, height) * 4;
    const end = keyAt + keyBytes + valueBytes;
    assert(end <= this.bytes.length, "insert without room");
    this.#end = (end + 3) >>> 2;

    words[node + PREFIX_HIGH] = high;
    words[node + PREFIX_LOW] = low;
    words[node + TRAILER_LOW] = trailerLow;
    words[node + TRAILER_HIGH] = trailerHigh;
    words[node + SHAPE] = shapeOf(keyBytes, height);
    words[node + VALUE_BYTES] = valueBytes;
    this.#copy(key, keyStart, keyEnd, keyAt);
    this.#copy(value, valueStart, valueEnd, keyAt + keyBytes);

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

    this.#inserted = node;
    this.entries++;
    if (kindOf(trailerLow) === KIND.DELETE) this.tombstones++;
    const sequence = sequenceOf(trailerLow, trailerHigh);
    if (sequence < this.smallestSequence) this.smallestSequence = sequence;
    if (sequence > this.largestSequence) this.largestSequence = sequence;
  }

  /** False where there is surely no version of the key whose hash this is. */
  mayContain(hash: KeyHash): boolean {
    return this.#filter?.mayContain(hash.first, hash.second) ?? true;
  }

  /**
   * The newest version of `key` at or after the trailer, which means no newer than it; 0 where there is
   * none. The result names the node to the accessors below.
   */
  find(key: Uint8Array, trailerLow: number, trailerHigh: number): number {
    const words = this.words;
    const end = key.length;
    const high = prefixWord(key, 0, end);
    const low = prefixWord(key, 4, end);
    const path = this.#searchPath;
    const before = this.#search(high, low, key, 0, end, trailerLow, trailerHigh, path);
    const node = words[linkAt(before, 0) + NEXT]!;
    if (node === 0 || words[node] !== high || words[node + PREFIX_LOW] !== low) return 0;
    const shape = words[node + SHAPE]!;
    if (keyBytesOf(shape) !== end) return 0;
    const bytes = this.bytes;
    const keyAt = keyWordOf(node, shape) * 4;
    for (let i = PREFIX_BYTES; i < end; i++) if (bytes[keyAt + i] !== key[i]) return 0;
    return node;
  }

  /** The last node strictly before (key, trailer); the head where there is none. */
  findBefore(key: Uint8Array, trailerLow: number, trailerHigh: number): number {
    const end = key.length;
    const high = prefixWord(key, 0, end);
    const low = prefixWord(key, 4, end);
    return this.#search(high, low, key, 0, end, trailerLow, trailerHigh, this.#searchPath);
  }

  trailerLowAt(node: number): number {
    return this.words[node + TRAILER_LOW]! >>> 0;
  }

  trailerHighAt(node: number): number {
    return this.words[node + TRAILER_HIGH]! >>> 0;
  }

  kindAt(node: number): number {
    return kindOf(this.words[node + TRAILER_LOW]!);
  }

  /** Where in `bytes` the node's key begins. */
  keyStartAt(node: number): number {
    return keyWordOf(node, this.words[node + SHAPE]!) * 4;
  }

  /** Where in `bytes` the node's value begins; its key ends there. */
  valueStartAt(node: number): number {
    return this.keyStartAt(node) + keyBytesOf(this.words[node + SHAPE]!);
  }

  valueEndAt(node: number): number {
    return this.valueStartAt(node) + this.words[node + VALUE_BYTES]!;
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
    const words = this.words;
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

  /**
   * Makes `#insertPath` that of (key, trailer). Tries first whether it comes right after the last insert. When
   * keys have been increasing for a while, it climbs from there only as far as the key is away.
   */
  #findPlace(
    high: number,
    low: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    trailerLow: number,
    trailerHigh: number,
  ): void {
    const words = this.words;
    const path = this.#insertPath;
    const last = this.#inserted;
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
    const nodeHigh = this.words[node + PREFIX_HIGH]!;
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
    const nodeLow = this.words[node + PREFIX_LOW]!;
    if (nodeLow !== low) return nodeLow < low ? -1 : 1;
    return this.#compareRest(node, key, keyStart, keyEnd, trailerLow, trailerHigh);
  }

  /** `#compare` where the prefixes are equal, so that bytes up to the shorter key's end or the eighth are. */
  #compareRest(
    node: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    trailerLow: number,
    trailerHigh: number,
  ): number {
    const words = this.words;
    const bytes = this.bytes;
    const shape = words[node + SHAPE]!;
    const nodeBytes = keyBytesOf(shape);
    const keyBytes = keyEnd - keyStart;
    const shift = keyWordOf(node, shape) * 4 - keyStart;
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

  #pickHeight(): number {
    // Marsaglia's xorshift32; two leading zero bits have the chance of a quarter.
    let random = this.#random;
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    this.#random = random;
    const spare = this.#spareLevels + LEVELS_PER_ENTRY;
    const height = Math.min(1 + (Math.clz32(random) >>> 1), spare, HEIGHT_MAX);
    this.#spareLevels = Math.min(spare - height, SPARE_LEVELS_MAX);
    if (height > this.#height) this.#height = height;
    return height;
  }

  #copy(source: Uint8Array, start: number, end: number, at: number): void {
    const bytes = this.bytes;
    if (end - start > LOOP_BYTES_MAX) {
      copyBytes.call(source, bytes, at, start, end);
      return;
    }
    const shift = at - start;
    for (let i = start; i < end; i++) bytes[i + shift] = source[i]!;
  }
}
