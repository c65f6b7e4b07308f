/**
 * The layout of a memtable's arena: one `SharedArrayBuffer`, addressed as 32-bit words in the machine's own
 * byte order, since it never leaves the process. A node is named by the index of its first word; 0 names
 * none. Nodes follow one another in the order in which they were added.
 *
 *   arena = unused word[4] | head | node | node | …
 *
 *   node  = prefixHigh i32 | prefixLow i32          the key's first 8 bytes, see `prefixWord`
 *         | trailerLow u32 | trailerHigh u32        see src/key.ts
 *         | shape u32                               keyBytes | height << 17 | hasOlder << 21 | timeHigh << 22
 *         | valueBytes u32
 *         | timeLow u32                             of the commit's time, in milliseconds of the wall clock
 *         | chain u32                               the next key of the bucket, see `key-table.ts`
 *         | prev u32                                the node before at level 0; the head before the first
 *         | link [height]                           to the node after, one for each level
 *         | [past]                                  where the memtable has an older version of the key
 *         | key bytes | value bytes | padding to a word
 *
 *   past  = older u32                               the next older version, see `key-table.ts`
 *         | revisions u32 | born u32                how often the key was written since it came into being,
 *                                                   as far as this memtable knows, and the node that did
 *
 *   link  = next u32 | nextPrefixHigh i32           0 after the last node; its first prefix word
 *
 * The head has `HEIGHT_MAX` levels and no entry; its `prev` is the last node, itself while there is none.
 * `prev` and the links mean nothing before the node is linked (`skiplist.ts`).
 *
 * With the first prefix word in the link, a search leaves most of the nodes that it does not pass untouched:
 * two fifths of the cache lines that it would wait for.
 */
import { prefixAt } from "../bytes/compare.ts";

export const PREFIX_HIGH = 0;
export const PREFIX_LOW = 1;
export const TRAILER_LOW = 2;
export const TRAILER_HIGH = 3;
export const SHAPE = 4;
export const VALUE_BYTES = 5;
export const TIME_LOW = 6;
export const CHAIN = 7;
export const PREV = 8;
export const LINKS = 9;
export const LINK_WORDS = 2;
/** Of a link, the words. */
export const NEXT = 0;
export const NEXT_PREFIX = 1;
/** Of a past, the words. */
export const OLDER = 0;
export const REVISIONS = 1;
export const BORN = 2;
const PAST_WORDS = 3;

export const HEAD = 4;
/** With a quarter of the nodes at each next level: enough for 4^12, or 16 M, entries. */
export const HEIGHT_MAX = 12;
export const FIRST_NODE = HEAD + LINKS + HEIGHT_MAX * LINK_WORDS;

const SIGN = 0x80000000;

/** Key bytes that the two prefix words stand for. */
export const PREFIX_BYTES = 8;

const KEY_BYTES_MASK = 0x1ffff;
const HEIGHT_SHIFT = 17;
const HEIGHT_MASK = 0xf;
const PAST_SHIFT = 21;
const TIME_SHIFT = 22;
const TWO_32 = 2 ** 32;

/**
 * Levels that each entry may use on average; a node that would take more than what earlier ones left is
 * made lower. Heights average 4/3, so that is next to never, and it makes the room that a number of
 * entries needs a matter of arithmetic.
 */
export const LEVELS_PER_ENTRY = 2;

/** Levels that one entry may take beyond its share, having been left by those before. */
export const SPARE_LEVELS_MAX = 12;

/**
 * An upper bound of what entries take; it counts too much where levels are not used, and padding. It holds
 * on: after an insert, the bound for the rest is no higher than what the insert left of it.
 */
export function nodesBytesMax(
  entries: number,
  keyAndValueBytes: number,
  spareLevels: number,
): number {
  const levels = entries * LEVELS_PER_ENTRY + spareLevels;
  return entries * ((LINKS + PAST_WORDS) * 4 + 3) + levels * LINK_WORDS * 4 + keyAndValueBytes;
}

/** `hasOlder` is 0 or 1; `timeHigh` has 10 bits. */
export function shapeOf(
  keyBytes: number,
  height: number,
  hasOlder: number,
  timeHigh: number,
): number {
  return keyBytes | (height << HEIGHT_SHIFT) | (hasOlder << PAST_SHIFT) | (timeHigh << TIME_SHIFT);
}

export function keyBytesOf(shape: number): number {
  return shape & KEY_BYTES_MASK;
}

export function heightOf(shape: number): number {
  return (shape >>> HEIGHT_SHIFT) & HEIGHT_MASK;
}

/** The time at which the node's entry was committed. */
export function timeOf(words: Int32Array, node: number): number {
  return (words[node + SHAPE]! >>> TIME_SHIFT) * TWO_32 + (words[node + TIME_LOW]! >>> 0);
}

/** `prefixAt` as a signed number that orders as it does: V8 keeps signed 32-bit numbers unboxed everywhere. */
export function prefixWord(key: Uint8Array, at: number, keyEnd: number): number {
  return prefixAt(key, at, keyEnd) ^ SIGN;
}

/** Where the node's link of a level begins. */
export function linkAt(node: number, level: number): number {
  return node + LINKS + level * LINK_WORDS;
}

/** Whether the memtable has an older version of the node's key. */
export function hasOlder(shape: number): boolean {
  return (shape & (1 << PAST_SHIFT)) !== 0;
}

/** Where the node's past begins, if it has one. */
export function pastAt(words: Int32Array, node: number): number {
  return linkAt(node, heightOf(words[node + SHAPE]!));
}

/** The next older version of the node's key; 0 where there is none. */
export function olderOf(words: Int32Array, node: number): number {
  return hasOlder(words[node + SHAPE]!) ? words[pastAt(words, node) + OLDER]! : 0;
}

/** Where in the arena's bytes the node's key begins. */
export function keyStartOf(words: Int32Array, node: number): number {
  const shape = words[node + SHAPE]!;
  const pastWords = ((shape >>> PAST_SHIFT) & 1) * PAST_WORDS;
  return (linkAt(node, heightOf(shape)) + pastWords) * 4;
}

/** The word at which the node ends and the next one begins. */
export function nodeEnd(words: Int32Array, node: number): number {
  const bytes = keyBytesOf(words[node + SHAPE]!) + words[node + VALUE_BYTES]!;
  return (keyStartOf(words, node) + bytes + 3) >>> 2;
}
