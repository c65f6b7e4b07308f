/** The keys that a table is responsible for: those of its entries, and those in its deleted ranges. */
import { compareBytes } from "../bytes/compare.ts";
import type { RangeTombstones } from "../range-tombstones.ts";
import type { TableMeta } from "./table-meta.ts";

/** After every key, as none is longer than 64 KiB. */
const LAST_KEY = new Uint8Array(64 * 1024 + 1).fill(0xff);

/** `first` and `last` are the user keys of the first and last entry, where there are any. */
export function tableRange(
  first: Uint8Array | undefined,
  last: Uint8Array | undefined,
  ranges: RangeTombstones | undefined,
): Pick<TableMeta, "smallest" | "largest"> {
  const keys = [first, last].filter((key) => key !== undefined);
  for (const { start, end } of ranges?.fragments ?? []) keys.push(start, largestBefore(end));
  keys.sort(compareBytes);
  const [smallest, largest] = [keys[0], keys.at(-1)];
  if (smallest === undefined || largest === undefined) throw new Error("the table has no keys");
  return { smallest, largest };
}

/**
 * The largest key in a range that ends before `end`; or `end` itself, where there is no such key. Compactions cut
 * ranges right after a key, where there is one, so that the tables on both sides do not meet.
 */
function largestBefore(end: Uint8Array | undefined): Uint8Array {
  if (end === undefined) return LAST_KEY;
  return end.at(-1) === 0 ? end.slice(0, -1) : end;
}
