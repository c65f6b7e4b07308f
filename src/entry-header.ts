/**
 * What stands in front of a stored value, by the flags of its kind (`key.ts`). Little-endian:
 *
 *   FOLDED   revisions u48 | createdAtMs u48
 *
 * A put is blind: it carries nothing, and stands for one version, its own. So how often a key was written, and
 * since when, is a sum over its versions down to the last tombstone; folding keeps that sum as versions go.
 */
import { readU48, writeU48 } from "./bytes/little-endian.ts";
import { FLAG } from "./key.ts";

const FOLD_BYTES = 6 + 6;

/** Bytes in front of the value. */
export function headerBytes(kind: number): number {
  return (kind & FLAG.FOLDED) === 0 ? 0 : FOLD_BYTES;
}

/** How many versions an entry stands for, which begins at `start`. */
export function revisionsOf(kind: number, bytes: Uint8Array, start: number): number {
  return (kind & FLAG.FOLDED) === 0 ? 1 : readU48(bytes, start);
}

/** The time of the oldest version that an entry stands for; `timeMs` is the entry's own. */
export function createdAtOf(
  kind: number,
  bytes: Uint8Array,
  start: number,
  timeMs: number,
): number {
  return (kind & FLAG.FOLDED) === 0 ? timeMs : readU48(bytes, start + 6);
}

/** Writes the header of a FOLDED entry; returns where the value begins. */
export function writeFold(
  bytes: Uint8Array,
  start: number,
  revisions: number,
  createdAtMs: number,
): number {
  writeU48(bytes, start, revisions);
  writeU48(bytes, start + 6, createdAtMs);
  return start + FOLD_BYTES;
}
