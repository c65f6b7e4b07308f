/**
 * The internal key and its order. Every stored version of a user key has a sequence number and a kind,
 * packed into a 64-bit trailer as in LevelDB's dbformat:
 *
 *   trailer = sequence * 256 + kind        sequence 0 … 2^53 - 1, kind 0 … 255
 *
 * The trailer is handled as two unsigned 32-bit halves, which JavaScript computes without BigInt or
 * allocation: `low` holds the sequence's low 24 bits and the kind, `high` the sequence's high 29 bits.
 *
 * Internal keys order by user key as unsigned bytes, then by trailer, **newest first**. A search for
 * (user key, sequence s, kind 255) therefore lands on the newest version visible at s.
 */

export const KIND = {
  DELETE: 0,
  PUT: 1,
} as const;

/** Sorts before every real kind of the same sequence, so a search at a sequence includes all of it. */
export const KIND_SEEK = 255;

export const SEQUENCE_MAX = Number.MAX_SAFE_INTEGER;

const TWO_24 = 2 ** 24;

export function trailerLow(sequence: number, kind: number): number {
  return (((sequence % TWO_24) << 8) | kind) >>> 0;
}

export function trailerHigh(sequence: number): number {
  return Math.floor(sequence / TWO_24);
}

export function sequenceOf(low: number, high: number): number {
  return high * TWO_24 + (low >>> 8);
}

export function kindOf(low: number): number {
  return low & 0xff;
}

/** Negative where trailer `a` is newer, so sorts first. Halves are unsigned 32-bit. */
export function compareTrailers(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  return aHigh === bHigh ? bLow - aLow : bHigh - aHigh;
}
