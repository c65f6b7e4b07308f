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
