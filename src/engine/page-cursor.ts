/**
 * The cursor between two pages of a scan: opaque to callers, and whole in itself, so that it outlives connections and
 * restarts. Little-endian:
 *
 *   checksum u32 | version u8 | flags u8 | range u32 | key
 *     flags      bit 0: backwards
 *     range      CRC-32 of the scan's bounds, with which alone the cursor can be used
 *     key        the next page's first key; backwards, the first key that it does not reach
 *
 * `checksum` is the CRC-32 of what follows it. It is not a seal: whoever makes a cursor reads what a scan would give
 * as well.
 */
import { crc32 } from "node:zlib";
import { compareBytes } from "../bytes/compare.ts";
import { readU32, writeU32 } from "../bytes/little-endian.ts";
import type { KeyBounds } from "../cursor/bounds.ts";
import { VarveError } from "../errors.ts";

const VERSION = 1;
const FLAG_REVERSE = 1;
const RANGE_AT = 4 + 1 + 1;
const KEY_AT = RANGE_AT + 4;

export function encodePageCursor(bounds: KeyBounds, reverse: boolean, key: Uint8Array): Uint8Array {
  const cursor = new Uint8Array(KEY_AT + key.length);
  cursor[4] = VERSION;
  cursor[5] = reverse ? FLAG_REVERSE : 0;
  writeU32(cursor, RANGE_AT, checksumOf(bounds));
  cursor.set(key, KEY_AT);
  writeU32(cursor, 0, crc32(cursor.subarray(4)));
  return cursor;
}

/** What is left of the bounds from the cursor on. Throws `INVALID_ARGUMENT` for one that is not of this scan. */
export function boundsFrom(cursor: Uint8Array, bounds: KeyBounds, reverse: boolean): KeyBounds {
  if (cursor.length < KEY_AT || readU32(cursor, 0) !== crc32(cursor.subarray(4))) {
    throw invalid("it is not as a page has given it");
  }
  if (cursor[4] !== VERSION) throw invalid(`its version is ${cursor[4]}, not ${VERSION}`);
  if (cursor[5] !== (reverse ? FLAG_REVERSE : 0)) throw invalid("it is of the other direction");
  if (readU32(cursor, RANGE_AT) !== checksumOf(bounds)) throw invalid("it is of other bounds");
  const key = new Uint8Array(cursor.subarray(KEY_AT));
  const { lower, upper } = bounds;
  if (reverse) return { lower, upper: upper && compareBytes(upper, key) < 0 ? upper : key };
  return { lower: lower && compareBytes(lower, key) > 0 ? lower : key, upper };
}

function checksumOf({ lower, upper }: KeyBounds): number {
  const length = new Uint8Array(8);
  writeU32(length, 0, lower?.length ?? 0);
  writeU32(length, 4, upper === undefined ? 0xffffffff : upper.length);
  const sum = crc32(length);
  return crc32(upper ?? new Uint8Array(), crc32(lower ?? new Uint8Array(), sum));
}

function invalid(why: string): VarveError {
  return new VarveError("INVALID_ARGUMENT", `the page's cursor cannot be used: ${why}`);
}
