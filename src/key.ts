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
  /** An operand, to be folded into what is older (`merge-operators.ts`). */
  MERGE: 2,
  /** Deletes all keys from its key up to its value, which is not deleted; up to the last where that is empty. */
  RANGE_DELETE: 3,
  /** Stands for tables that were ingested, in the log alone (`log/ingest-operation.ts`). */
  INGEST: 4,
} as const;

/**
 * Bits beside the kind. What compaction drops of a key's past it folds into the version that hides it, which then
 * carries what `entry-header.ts` says.
 */
export const FLAG = {
  /**
   * The value stands behind the time from which on the entry is absent. With DELETE: the entry has expired and its
   * value is gone; it still counts among the versions of what was written over it before that time.
   */
  EXPIRES: 0x10,
  /** The value stands behind a count of the versions that this one stands for, and the time of the oldest. */
  FOLDED: 0x20,
  /** The key came into being with the oldest version that this one stands for. */
  BORN: 0x40,
} as const;

const KIND_MASK = 0x0f;
const FLAGS_ALL = FLAG.EXPIRES | FLAG.FOLDED | FLAG.BORN;
const KIND_MAX = KIND.INGEST;

/** Sorts before every real kind of the same sequence, so a search at a sequence includes all of it. */
export const KIND_SEEK = 255;

export const SEQUENCE_MAX = Number.MAX_SAFE_INTEGER;

/** The largest time at which an entry can expire, in milliseconds: in the year 2248. */
export const TIME_MAX_MS = 2 ** 43 - 1;

/** The largest time of a commit, in milliseconds: in the year 2109. */
export const COMMIT_TIME_MAX_MS = 2 ** 42 - 1;

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

/** One of `KIND`, without flags. */
export function baseKindOf(kind: number): number {
  return kind & KIND_MASK;
}

/** Whether a kind, with its flags, is a delete: not what an entry that has expired leaves. */
export function isTombstone(kind: number): boolean {
  return baseKindOf(kind) === KIND.DELETE && (kind & FLAG.EXPIRES) === 0;
}

/** Whether a stored kind, with its flags, is one that this version writes. */
export function isKnownKind(kind: number): boolean {
  return baseKindOf(kind) <= KIND_MAX && (kind & ~KIND_MASK & ~FLAGS_ALL) === 0;
}

/** In the place of a trailer's high half: newer than all that there are, so that a search takes the first version. */
export const TRAILER_HIGH_NEWEST = 2 ** 29;

/** Negative where trailer `a` is newer, so sorts first. Halves are unsigned 32-bit. */
export function compareTrailers(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  return aHigh === bHigh ? bLow - aLow : bHigh - aHigh;
}
