/** Whether a memtable has anything in some ranges of keys: a walk over its entries as they came, without their order. */
import { compareBytes, compareRanges } from "../bytes/compare.ts";
import type { Memtable } from "./memtable.ts";
import { FIRST_NODE, keyBytesOf, keyStartOf, nodeEnd, SHAPE } from "./node-layout.ts";

/** From `smallest` to `largest`, both included. */
export interface KeySpan {
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
}

/** `spans` are in order and do not overlap. Deleted ranges count as far as they reach. */
export function hasKeysIn(memtable: Memtable, spans: readonly KeySpan[]): boolean {
  for (const { start, end } of memtable.ranges?.fragments ?? []) {
    const overlaps = ({ smallest, largest }: KeySpan) =>
      compareBytes(start, largest) <= 0 && (end === undefined || compareBytes(end, smallest) > 0);
    if (spans.some(overlaps)) return true;
  }
  const { words, bytes } = memtable;
  let node = FIRST_NODE;
  for (let i = 0; i < memtable.entries; i++) {
    const start = keyStartOf(words, node);
    if (isIn(spans, bytes, start, start + keyBytesOf(words[node + SHAPE]!))) return true;
    node = nodeEnd(words, node);
  }
  return false;
}

function isIn(spans: readonly KeySpan[], key: Uint8Array, start: number, end: number): boolean {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { largest } = spans[middle]!;
    if (compareRanges(largest, 0, largest.length, key, start, end) < 0) low = middle + 1;
    else high = middle;
  }
  const smallest = spans[low]?.smallest;
  return (
    smallest !== undefined && compareRanges(smallest, 0, smallest.length, key, start, end) <= 0
  );
}
