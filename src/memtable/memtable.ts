/**
 * The memtable: entries that are in the log but not yet in a table, in one shared arena (layout in
 * `node-layout.ts`), every version of every key.
 *
 * An entry is added at the arena's end and found by the hash of its key (`key-table.ts`). The order of the keys,
 * a skiplist, is made when somebody asks for it, many nodes at a time in their order, which costs a fraction of
 * putting each in its place as it comes. Most memtables are never asked: a flush sorts for itself, in another
 * thread (`sorted-cursor.ts`).
 *
 * One thread writes and reads it. When no more is written, a worker may read its entries in place: `handle` goes
 * to the worker by message, which is what orders the writes before its reads.
 *
 * Hot path: no allocation per insert or find, plain loops over typed arrays. `npm run bench -- engine` shows it
 * in its fill, put and read rows.
 */
import assert from "node:assert";
import { KeyHash } from "../bytes/key-hash.ts";
import { expiresAtOf } from "../entry-header.ts";
import { compareTrailers, FLAG, KIND, kindOf, SEQUENCE_MAX, sequenceOf } from "../key.ts";
import { RangeTombstones } from "../range-tombstones.ts";
import { KeyTable } from "./key-table.ts";
import {
  BORN,
  FIRST_NODE,
  HEAD,
  HEIGHT_MAX,
  hasOlder,
  keyBytesOf,
  keyStartOf,
  LEVELS_PER_ENTRY,
  linkAt,
  NEXT,
  nodeEnd,
  nodesBytesMax,
  olderOf,
  PREFIX_HIGH,
  PREFIX_LOW,
  PREV,
  pastAt,
  prefixWord,
  REVISIONS,
  SHAPE,
  SPARE_LEVELS_MAX,
  shapeOf,
  TIME_LOW,
  TRAILER_HIGH,
  TRAILER_LOW,
  timeOf,
  VALUE_BYTES,
} from "./node-layout.ts";
import { NodeOrder } from "./node-order.ts";
import { Skiplist } from "./skiplist.ts";

/** Up to this a loop beats `Buffer.copy`, whose call leaves JavaScript. (`set` would need a view: garbage.) */
const LOOP_BYTES_MAX = 128;
const copyBytes = Buffer.prototype.copy;

const TWO_32 = 2 ** 32;

/** So many deleted ranges, counted by fragment and sequence, end a memtable: each is asked by every read. */
const RANGES_MAX = 8192;

const RANDOM_SEED = 0x2545f491;

/** A memtable that is read in order, too, is kept nearly so: this many nodes may wait to be linked. */
const UNLINKED_MAX = 1024;

/** All that a worker needs to read a memtable; can be sent in a message. */
export interface MemtableHandle {
  readonly arena: SharedArrayBuffer;
  readonly usedBytes: number;
  readonly entries: number;
  /** An encoded `RangeTombstones`, where there are any. */
  readonly ranges: Uint8Array | undefined;
  /** The earliest time of a commit. */
  readonly oldestMs: number;
}

export class Memtable {
  readonly arena: SharedArrayBuffer;
  /** The arena, for key and value ranges. */
  readonly bytes: Uint8Array;
  /** The arena, for the words of nodes. */
  readonly words: Int32Array;
  entries = 0;
  tombstones = 0;
  /** Entries that expire. */
  expiring = 0;
  /** Ranges of keys that were deleted; `undefined` while there is none. */
  ranges: RangeTombstones | undefined;
  /** The earliest time of a commit; `Infinity` while there is none. */
  oldestMs = Number.POSITIVE_INFINITY;
  /** Of all entries; `Infinity` and 0 while there are none. */
  smallestSequence = Number.POSITIVE_INFINITY;
  largestSequence = 0;
  /** Somebody has asked for the order of the keys. */
  wasOrdered = false;
  /** Entries whose nodes are not in the order yet. */
  unlinked = 0;
  readonly #keys: KeyTable;
  readonly #skiplist: Skiplist;
  readonly #order: NodeOrder;
  readonly #hash = new KeyHash();
  #keepsOrder = false;
  /** The time that came last, and its words; the entries of a commit group share theirs. */
  #timeMs = -1;
  #timeLow = 0;
  #timeHigh = 0;
  /** The word at which the next node begins. */
  #end = FIRST_NODE;
  /** The first node that is not linked. */
  #linkedEnd = FIRST_NODE;
  /** Nodes that are being linked. */
  #nodes = new Uint32Array(0);
  #spareLevels = SPARE_LEVELS_MAX;
  #random = RANDOM_SEED;

  /** An empty memtable over an arena of any content. */
  constructor(arena: SharedArrayBuffer) {
    assert(arena.byteLength % 4 === 0 && arena.byteLength >= Memtable.bytesFor(0, 0));
    this.arena = arena;
    this.bytes = new Uint8Array(arena);
    this.words = new Int32Array(arena);
    this.#keys = new KeyTable(this.words, this.bytes);
    this.#skiplist = new Skiplist(this.words, this.bytes);
    this.#order = new NodeOrder(this.words, this.bytes);
    this.reset();
  }

  static create(arenaBytes: number): Memtable {
    return new Memtable(new SharedArrayBuffer(arenaBytes));
  }

  /** An arena of this size surely holds so many entries with so many bytes of keys and values. */
  static bytesFor(entries: number, keyAndValueBytes: number): number {
    const nodesBytes = nodesBytesMax(entries, keyAndValueBytes, SPARE_LEVELS_MAX);
    return FIRST_NODE * 4 + Math.ceil(nodesBytes / 4) * 4;
  }

  get handle(): MemtableHandle {
    const { arena, usedBytes, entries, oldestMs } = this;
    return { arena, usedBytes, entries, ranges: this.ranges?.encode(), oldestMs };
  }

  get arenaBytes(): number {
    return this.bytes.length;
  }

  /** Of the arena and what goes with it. */
  get memoryBytes(): number {
    return this.bytes.length + this.#keys.memoryBytes;
  }

  /** Bytes of the arena that are taken. */
  get usedBytes(): number {
    return this.#end * 4;
  }

  get isEmpty(): boolean {
    return this.entries === 0 && this.ranges === undefined;
  }

  /** Whether so many more entries, with so many bytes of keys and values together, surely fit. */
  hasRoom(entries: number, keyAndValueBytes: number): boolean {
    if (this.#keys.isClogged || (this.ranges?.count ?? 0) > RANGES_MAX) return false;
    const nodesBytes = nodesBytesMax(entries, keyAndValueBytes, this.#spareLevels);
    return this.usedBytes + nodesBytes <= this.bytes.length;
  }

  /**
   * Empties the memtable, at a cost that hardly depends on its size. No one may be reading it. With
   * `keepsOrder` its order is made along with the inserts, since it will surely be asked for.
   */
  reset(keepsOrder = false): void {
    this.#keys.clear();
    this.#skiplist.clear();
    this.entries = 0;
    this.tombstones = 0;
    this.expiring = 0;
    this.ranges = undefined;
    this.oldestMs = Number.POSITIVE_INFINITY;
    this.#timeMs = -1;
    this.smallestSequence = Number.POSITIVE_INFINITY;
    this.largestSequence = 0;
    this.wasOrdered = false;
    this.unlinked = 0;
    this.#keepsOrder = keepsOrder;
    this.#end = FIRST_NODE;
    this.#linkedEnd = FIRST_NODE;
    this.#spareLevels = SPARE_LEVELS_MAX;
    this.#random = RANDOM_SEED;
  }

  /**
   * Adds a version of the key, newer than all that the memtable has of it. The caller has made sure of the room
   * (`hasRoom`). `timeMs` is a whole number up to `COMMIT_TIME_MAX_MS`.
   */
  insert(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    trailerLow: number,
    trailerHigh: number,
    timeMs: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const words = this.words;
    const keyBytes = keyEnd - keyStart;
    const valueBytes = valueEnd - valueStart;
    const high = prefixWord(key, keyStart, keyEnd);
    const low = prefixWord(key, keyStart + 4, keyEnd);
    this.#hash.update(key, keyStart, keyEnd);
    const same = this.#keys.locate(this.#hash.first, high, low, key, keyStart, keyEnd);

    if (timeMs !== this.#timeMs) this.#setTime(timeMs);
    const node = this.#end;
    words[node + SHAPE] = shapeOf(keyBytes, this.#pickHeight(), same === 0 ? 0 : 1, this.#timeHigh);
    const keyAt = keyStartOf(words, node);
    const end = keyAt + keyBytes + valueBytes;
    assert(end <= this.bytes.length, "insert without room");
    words[node + PREFIX_HIGH] = high;
    words[node + PREFIX_LOW] = low;
    words[node + TRAILER_LOW] = trailerLow;
    words[node + TRAILER_HIGH] = trailerHigh;
    words[node + VALUE_BYTES] = valueBytes;
    words[node + TIME_LOW] = this.#timeLow;
    this.#copy(key, keyStart, keyEnd, keyAt);
    this.#copy(value, valueStart, valueEnd, keyAt + keyBytes);
    this.#keys.add(node, same);
    if (same !== 0) this.#countRevision(node, same, trailerLow);

    this.#end = (end + 3) >>> 2;
    this.entries++;
    const kind = kindOf(trailerLow);
    if (kind !== KIND.PUT) this.#countKind(kind);
    this.#seeSequence(sequenceOf(trailerLow, trailerHigh));
    this.unlinked++;
    if (this.#keepsOrder && this.unlinked >= UNLINKED_MAX) this.link(UNLINKED_MAX);
  }

  /** Deletes the keys from `start` up to `end`, all to the last where that is empty. The bytes are copied. */
  deleteRange(start: Uint8Array, end: Uint8Array, sequence: number, timeMs: number): void {
    this.ranges ??= new RangeTombstones();
    this.ranges.add(
      new Uint8Array(start),
      end.length === 0 ? undefined : new Uint8Array(end),
      sequence,
    );
    if (this.ranges.isEmpty) this.ranges = undefined;
    if (timeMs < this.oldestMs) this.oldestMs = timeMs;
    this.#seeSequence(sequence);
  }

  /**
   * The newest version of `key` at or after the trailer, which means no newer than it; 0 where there is
   * none. The result names the node to the accessors below. `hash` is the key's.
   */
  find(hash: KeyHash, key: Uint8Array, trailerLow: number, trailerHigh: number): number {
    const words = this.words;
    const end = key.length;
    const high = prefixWord(key, 0, end);
    const low = prefixWord(key, 4, end);
    let node = this.#keys.find(hash.first, high, low, key, 0, end);
    while (
      node !== 0 &&
      compareTrailers(
        words[node + TRAILER_LOW]! >>> 0,
        words[node + TRAILER_HIGH]! >>> 0,
        trailerLow,
        trailerHigh,
      ) < 0
    ) {
      node = olderOf(words, node);
    }
    return node;
  }

  /**
   * Puts so many more nodes into the order, oldest first; a few hundred take about a tenth of a millisecond.
   * The order is whole when `unlinked` is 0. From then on it is kept nearly so.
   */
  link(count: number): void {
    const most = Math.min(count, this.unlinked);
    if (this.#nodes.length < most) this.#nodes = new Uint32Array(most);
    const nodes = this.#nodes;
    let node = this.#linkedEnd;
    // The newer version of a key comes first.
    for (let i = most - 1; i >= 0; i--) {
      nodes[i] = node;
      node = nodeEnd(this.words, node);
    }
    this.#order.sort(nodes, most);
    for (let i = 0; i < most; i++) this.#skiplist.link(nodes[i]!);
    this.#linkedEnd = node;
    this.unlinked -= most;
  }

  /** Makes the order whole; from now on it is kept nearly so, unless there was nothing to put in order. */
  linkAll(): void {
    if (this.entries === 0) return;
    this.wasOrdered = true;
    this.#keepsOrder = true;
    if (this.unlinked > 0) this.link(this.unlinked);
  }

  /** The first node in the order; 0 where there is none. */
  first(): number {
    return this.next(HEAD);
  }

  /** The last node in the order; the head where there is none. */
  last(): number {
    return this.prev(HEAD);
  }

  /** The node after another, or after the head; 0 after the last. */
  next(node: number): number {
    return this.words[linkAt(node, 0) + NEXT]!;
  }

  /** The node before another; the head before the first. */
  prev(node: number): number {
    return this.words[node + PREV]!;
  }

  /** Of the linked nodes the last strictly before (key, trailer); the head where there is none. */
  before(key: Uint8Array, trailerLow: number, trailerHigh: number): number {
    return this.#skiplist.before(key, trailerLow, trailerHigh);
  }

  /** 0 where there is no node. */
  sequenceAt(node: number): number {
    return node === 0 ? 0 : sequenceOf(this.trailerLowAt(node), this.trailerHighAt(node));
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
    return keyStartOf(this.words, node);
  }

  /** Where in `bytes` the node's value begins; its key ends there. */
  valueStartAt(node: number): number {
    return this.keyStartAt(node) + keyBytesOf(this.words[node + SHAPE]!);
  }

  valueEndAt(node: number): number {
    return this.valueStartAt(node) + this.words[node + VALUE_BYTES]!;
  }

  #setTime(timeMs: number): void {
    this.#timeMs = timeMs;
    this.#timeHigh = Math.floor(timeMs / TWO_32);
    this.#timeLow = (timeMs - this.#timeHigh * TWO_32) | 0;
    if (timeMs < this.oldestMs) this.oldestMs = timeMs;
  }

  #countKind(kind: number): void {
    if (kind === KIND.DELETE) this.tombstones++;
    else if ((kind & FLAG.EXPIRES) !== 0) this.expiring++;
  }

  #seeSequence(sequence: number): void {
    if (sequence < this.smallestSequence) this.smallestSequence = sequence;
    if (sequence > this.largestSequence) this.largestSequence = sequence;
  }

  /** How often the node's key was written since it came into being, as far as this memtable knows. */
  revisionsAt(node: number): number {
    const words = this.words;
    if (hasOlder(words[node + SHAPE]!)) return words[pastAt(words, node) + REVISIONS]!;
    return this.kindAt(node) === KIND.DELETE ? 0 : 1;
  }

  /** The node with which the key came into being, as far as this memtable knows. */
  bornAt(node: number): number {
    const words = this.words;
    return hasOlder(words[node + SHAPE]!) ? words[pastAt(words, node) + BORN]! : node;
  }

  /** The next older version of the node's key; 0 where there is none. */
  olderAt(node: number): number {
    return olderOf(this.words, node);
  }

  /** When the node's entry was committed. */
  timeMsAt(node: number): number {
    return timeOf(this.words, node);
  }

  /** Whether a version was deleted with a range. */
  #isInRange(node: number): boolean {
    if (this.ranges === undefined) return false;
    const [keyStart, keyEnd] = [this.keyStartAt(node), this.valueStartAt(node)];
    const deleted = this.ranges.covering(this.bytes, SEQUENCE_MAX, keyStart, keyEnd);
    return deleted > sequenceOf(this.trailerLowAt(node), this.trailerHighAt(node));
  }

  #expiresAt(node: number): number {
    return expiresAtOf(this.kindAt(node), this.bytes, this.valueStartAt(node));
  }

  /** What is deleted, or has expired by the next version's time, has no revisions; what comes after it is the first. */
  #countRevision(node: number, older: number, trailerLow: number): void {
    const words = this.words;
    const past = pastAt(words, node);
    const isOver = this.#expiresAt(older) <= timeOf(words, node) || this.#isInRange(older);
    const olderRevisions = isOver ? 0 : this.revisionsAt(older);
    words[past + REVISIONS] = kindOf(trailerLow) === KIND.DELETE ? 0 : olderRevisions + 1;
    words[past + BORN] = olderRevisions === 0 ? node : this.bornAt(older);
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
    return height;
  }

  #copy(source: Uint8Array, start: number, end: number, at: number): void {
    const bytes = this.bytes;
    if (end - start === source.length) {
      bytes.set(source, at);
      return;
    }
    if (end - start > LOOP_BYTES_MAX) {
      copyBytes.call(source, bytes, at, start, end);
      return;
    }
    const shift = at - start;
    for (let i = start; i < end; i++) bytes[i + shift] = source[i]!;
  }
}
