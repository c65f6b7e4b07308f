/** Random keys and values that need not be kept: entry `i` is always the same bytes. */

/** Murmur3's finalizer: spreads neighbouring numbers over all of 32 bits, one to one. */
function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function fill(target: Uint8Array, seed: number): void {
  for (let at = 0; at < target.length; at += 4) {
    const word = mix(seed + Math.imul(at + 1, 0x9e3779b9));
    for (let i = 0; i < 4 && at + i < target.length; i++) target[at + i] = word >>> (8 * i);
  }
}

export const KEY_BYTES = 16;

/** The `i`-th key: 16 bytes in random order, no two alike. */
export function keyAt(i: number): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  fill(key, mix(i));
  return key;
}

/** The `i`-th value: bytes that do not compress. */
export function valueAt(i: number, bytes: number): Uint8Array {
  const value = new Uint8Array(bytes);
  fill(value, mix(i ^ 0x5bd1e995) + 1);
  return value;
}

/** Writes the `i`-th key over `key`. */
export function writeRandomKey(key: Uint8Array, i: number): void {
  fill(key, mix(i));
}

/** Writes a key over `key` whose order is that of `i`. */
export function writeKeyInOrder(key: Buffer, i: number): void {
  key.fill(0);
  key.writeUInt32BE(i, KEY_BYTES - 4);
}

/** `count` keys that lie together in memory, ready to be written over. */
export function emptyKeys(count: number): Buffer[] {
  const slab = Buffer.alloc(count * KEY_BYTES);
  return Array.from({ length: count }, (_, i) => slab.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES));
}

/** A small generator of whole numbers, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const POOL_BYTES = 2 ** 20;
const POOL_PIECE_BYTES = 100;
const POOL_VALUES = 8192;

/**
 * Values cut from a pool of random bytes, as db_bench does it; where they are to be compressible, each
 * hundred bytes of the pool are fifty, twice.
 */
export function valuePool(valueBytes: number, compressible: boolean): readonly Buffer[] {
  const pool = Buffer.from(valueAt(1, POOL_BYTES + valueBytes));
  if (compressible) {
    const half = POOL_PIECE_BYTES / 2;
    for (let at = 0; at + POOL_PIECE_BYTES <= pool.length; at += POOL_PIECE_BYTES) {
      pool.copyWithin(at + half, at, at + half);
    }
  }
  const next = randomNumbers(7);
  return Array.from({ length: POOL_VALUES }, () => {
    const start = next(POOL_BYTES);
    return pool.subarray(start, start + valueBytes);
  });
}
