/**
 * Copies of short ranges between arrays that many ranges are copied between.
 *
 * Hot path: for tens to hundreds of bytes, eight at a time through two views that are made once is three times as fast as
 * a loop over bytes, and twice as fast as `set` with its view of the source (100 bytes: 23, 79 and 52 ns). As whole
 * numbers, since a copy through floats may change the bits of one that is not a number.
 */

/** From here on `set`, which is a `memcpy`, is faster. */
const WIDE_BYTES_MAX = 2048;

/** An array, and a view of the same memory. */
export interface Slab {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export function slabOf(bytes: Uint8Array): Slab {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** Copies `source[start, end)` to `target` at `at`; the two share no memory. */
export function copyBetween(
  source: Slab,
  start: number,
  end: number,
  target: Slab,
  at: number,
): void {
  if (end - start > WIDE_BYTES_MAX) {
    target.bytes.set(source.bytes.subarray(start, end), at);
    return;
  }
  const shift = at - start;
  const { view } = source;
  const targetView = target.view;
  let from = start;
  for (; from + 8 <= end; from += 8) {
    targetView.setBigUint64(from + shift, view.getBigUint64(from, true), true);
  }
  const { bytes } = source;
  const targetBytes = target.bytes;
  for (; from < end; from++) targetBytes[from + shift] = bytes[from]!;
}
