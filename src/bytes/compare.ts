/**
 * Byte order. Hot path: plain loops over typed arrays. For the key lengths that matter (16 to 64 bytes) a
 * loop in JavaScript beats `Buffer.compare`, whose call into C++ costs more than the comparison.
 */

/** Negative, zero or positive as `a` sorts before, with or after `b`, as unsigned bytes. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compareRanges(a, 0, a.length, b, 0, b.length);
}

/** `compareBytes` over `a[aStart, aEnd)` and `b[bStart, bEnd)`, with no views made. */
export function compareRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart;
  const bLength = bEnd - bStart;
  const length = Math.min(aLength, bLength);
  for (let i = 0; i < length; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/**
 * The four bytes at `start`, big-endian, as an unsigned number; bytes at `end` and beyond count as zero.
 * Two prefixes that differ order as their byte strings do; equal ones say nothing.
 */
export function prefixAt(bytes: Uint8Array, start: number, end: number): number {
  if (start + 4 <= end) {
    return (
      ((bytes[start]! << 24) |
        (bytes[start + 1]! << 16) |
        (bytes[start + 2]! << 8) |
        bytes[start + 3]!) >>>
      0
    );
  }
  let prefix = 0;
  for (let i = 0; i < 4; i++) prefix = (prefix << 8) | (start + i < end ? bytes[start + i]! : 0);
  return prefix >>> 0;
}
