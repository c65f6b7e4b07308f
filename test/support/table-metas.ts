/** Tables that are only talked about: for versions, manifests and plans, which never read them. */
import fc from "fast-check";
import { compareBytes } from "../../src/bytes/compare.ts";
import type { TableMeta } from "../../src/table/table-meta.ts";

export const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

/** A table with the keys from `smallest` to `largest`, both included. */
export function tableOf(
  number: number,
  smallest: string | Uint8Array,
  largest: string | Uint8Array,
  rest: Partial<TableMeta> = {},
): TableMeta {
  return {
    number,
    fileBytes: 1000,
    tailBytes: 100,
    entries: 10,
    tombstones: 0,
    rangeDeletes: 0,
    smallest: typeof smallest === "string" ? bytesOf(smallest) : smallest,
    largest: typeof largest === "string" ? bytesOf(largest) : largest,
    smallestSequence: number,
    largestSequence: number,
    rawBytes: 900,
    createdAtMs: 1_767_225_600_000,
    oldestMs: 1_767_225_500_000,
    expiring: 0,
    halfExpiredMs: 0,
    hidden: 0,
    quarterHiddenAt: 0,
    ...rest,
  };
}

/** Keys of one or two bytes, so that ranges meet, touch and nest. */
export const rangeKey: fc.Arbitrary<Uint8Array> = fc
  .array(fc.constantFrom(0, 1, 5, 9, 128, 255), { minLength: 1, maxLength: 2 })
  .map((bytes) => Uint8Array.from(bytes));

export interface KeySpan {
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
}

export const keySpan: fc.Arbitrary<KeySpan> = fc
  .tuple(rangeKey, rangeKey)
  .map((keys) => keys.sort(compareBytes) as [Uint8Array, Uint8Array])
  .map(([smallest, largest]) => ({ smallest, largest }));

export function overlaps(a: KeySpan, b: KeySpan): boolean {
  return compareBytes(a.smallest, b.largest) <= 0 && compareBytes(b.smallest, a.largest) <= 0;
}
