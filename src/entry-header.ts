/**
 * What stands in front of a stored value, by the flags of its kind (`key.ts`). Little-endian:
 *
 *   EXPIRES   expiresAtMs u48
 *   FOLDED    revisions u48 | createdAtMs u48
 *
 * A put is blind: it carries nothing of its key's past, and stands for one version, its own. So how often a key was
 * written, and since when, is a sum over its versions down to the last tombstone; folding keeps that sum as versions
 * go. A version that had expired when the next one was written ends the sum as a tombstone does.
 */
import { readU48, writeU48 } from "./bytes/little-endian.ts";
import { FLAG } from "./key.ts";

const EXPIRY_BYTES = 6;
const FOLD_BYTES = 6 + 6;
export const HEADER_BYTES_MAX = EXPIRY_BYTES + FOLD_BYTES;

/** Bytes in front of the value. */
export function headerBytes(kind: number): number {
  return (
    ((kind & FLAG.EXPIRES) === 0 ? 0 : EXPIRY_BYTES) + ((kind & FLAG.FOLDED) === 0 ? 0 : FOLD_BYTES)
  );
}

/** From when on an entry is absent, which begins at `start`; `Infinity` where it does not expire. */
export function expiresAtOf(kind: number, bytes: Uint8Array, start: number): number {
  return (kind & FLAG.EXPIRES) === 0 ? Number.POSITIVE_INFINITY : readU48(bytes, start);
}

/** How many versions an entry stands for. */
export function revisionsOf(kind: number, bytes: Uint8Array, start: number): number {
  return (kind & FLAG.FOLDED) === 0 ? 1 : readU48(bytes, foldAt(kind, start));
}

/** The time of the oldest version that an entry stands for; `timeMs` is the entry's own. */
export function createdAtOf(
  kind: number,
  bytes: Uint8Array,
  start: number,
  timeMs: number,
): number {
  return (kind & FLAG.FOLDED) === 0 ? timeMs : readU48(bytes, foldAt(kind, start) + 6);
}

/** Writes a header at the beginning of `bytes`; returns where the value begins. */
export function writeHeader(
  bytes: Uint8Array,
  kind: number,
  expiresAtMs: number,
  revisions: number,
  createdAtMs: number,
): number {
  if ((kind & FLAG.EXPIRES) !== 0) writeU48(bytes, 0, expiresAtMs);
  if ((kind & FLAG.FOLDED) !== 0) {
    const at = foldAt(kind, 0);
    writeU48(bytes, at, revisions);
    writeU48(bytes, at + 6, createdAtMs);
  }
  return headerBytes(kind);
}

/** A value behind its expiry, as an entry with EXPIRES stores it. */
export function withExpiry(value: Uint8Array, expiresAtMs: number): Uint8Array {
  const stored = new Uint8Array(EXPIRY_BYTES + value.length);
  writeU48(stored, 0, expiresAtMs);
  stored.set(value, EXPIRY_BYTES);
  return stored;
}

function foldAt(kind: number, start: number): number {
  return (kind & FLAG.EXPIRES) === 0 ? start : start + EXPIRY_BYTES;
}
