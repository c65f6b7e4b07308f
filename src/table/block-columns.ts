/**
 * Reads the columns of a data block (`data-block.ts`): where each entry begins, its trailer's high half, its time.
 * `entries` is the block's `entryCount`.
 *
 * Hot path: plain functions of the block, so that a point read computes what it needs and writes nothing down.
 */
import { readU32, readU48 } from "../bytes/little-endian.ts";
import {
  FOOTER_BYTES,
  HIGH_WIDTH_MASK,
  SHORT_BLOCK_BYTES_MAX,
  TIME_WIDTH_SHIFT,
  WIDTHS_AT,
} from "./data-block.ts";

export function entryCount(block: Uint8Array): number {
  return readU32(block, block.length - 4);
}

/** The prefix itself is at the block's beginning. */
export function prefixBytesOf(block: Uint8Array): number {
  return readU32(block, block.length - 8);
}

/** Where the first tag is; one byte for each entry. */
export function tagsAt(block: Uint8Array, entries: number): number {
  return block.length - FOOTER_BYTES - entries;
}

/** Where an entry begins. */
export function entryAt(block: Uint8Array, entries: number, entry: number): number {
  const offsetsEnd = tagsAt(block, entries);
  if (block.length > SHORT_BLOCK_BYTES_MAX) {
    return readU32(block, offsetsEnd - (entries - entry) * 4);
  }
  const at = offsetsEnd - (entries - entry) * 2;
  return block[at]! | (block[at + 1]! << 8);
}

/** The high half of an entry's trailer. */
export function trailerHighAt(block: Uint8Array, entries: number, entry: number): number {
  const footerAt = block.length - FOOTER_BYTES;
  const base = readU32(block, footerAt + 6);
  const width = block[footerAt + WIDTHS_AT]! & HIGH_WIDTH_MASK;
  if (width === 0) return base;
  const at = offsetsAt(block, entries) - (entries - entry) * width;
  return base + (width === 1 ? block[at]! : readU32(block, at));
}

/** When an entry was committed, in milliseconds. */
export function timeMsAt(block: Uint8Array, entries: number, entry: number): number {
  const footerAt = block.length - FOOTER_BYTES;
  const base = readU48(block, footerAt);
  const widths = block[footerAt + WIDTHS_AT]!;
  const width = widths >>> TIME_WIDTH_SHIFT;
  const highsAt = offsetsAt(block, entries) - entries * (widths & HIGH_WIDTH_MASK);
  const at = highsAt - (entries - entry) * width;
  switch (width) {
    case 0:
      return base;
    case 2:
      return base + (block[at]! | (block[at + 1]! << 8));
    case 4:
      return base + readU32(block, at);
    default:
      return base + readU48(block, at);
  }
}

function offsetsAt(block: Uint8Array, entries: number): number {
  return tagsAt(block, entries) - entries * (block.length > SHORT_BLOCK_BYTES_MAX ? 4 : 2);
}
