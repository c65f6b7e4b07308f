/**
 * What a table says of itself, in msgpack: all that the manifest knows of it but the lengths of the file,
 * so that a manifest can be made anew from the tables alone.
 *
 *   { number, entries, tombstones, rangeDeletes, smallest, largest, smallestSequence, largestSequence, rawBytes,
 *     createdAtMs, oldestMs, expiring, halfExpiredMs, hidden?, quarterHiddenAt?, hiddenParts?, dataBytes, codec, ranges? }
 */
import { unpack } from "msgpackr";
import type { CodecName } from "../options.ts";
import { corrupt } from "./block-format.ts";
import { isHiddenParts } from "./hidden-entries.ts";
import type { TableMeta } from "./table-meta.ts";

export type TableProperties = Omit<TableMeta, "fileBytes" | "tailBytes"> & {
  /** Bytes of the data blocks as stored. */
  readonly dataBytes: number;
  /** What the data blocks were compressed with, where that saved enough. */
  readonly codec: string;
  /** An encoded `RangeTombstones`: the ranges of keys that were deleted; left out where there is none. */
  readonly ranges?: Uint8Array;
};

export function recordOfProperties(
  meta: TableMeta,
  dataBytes: number,
  codec: CodecName,
  ranges: Uint8Array | undefined,
): TableProperties {
  const { fileBytes: _fileBytes, tailBytes: _tailBytes, ...known } = meta;
  return { ...known, dataBytes, codec, ...(ranges === undefined ? {} : { ranges }) };
}

const COUNTS = [
  "number",
  "entries",
  "tombstones",
  "rangeDeletes",
  "smallestSequence",
  "largestSequence",
  "rawBytes",
  "createdAtMs",
  "oldestMs",
  "expiring",
  "halfExpiredMs",
  "dataBytes",
] as const;

/** Which older tables do not have; 0 where they are left out. */
const LATER_COUNTS = ["hidden", "quarterHiddenAt"] as const;

export function decodeProperties(bytes: Uint8Array, path: string, offset: number): TableProperties {
  let record: Record<string, unknown>;
  try {
    record = unpack(bytes) as Record<string, unknown>;
  } catch (cause) {
    throw corrupt(path, offset, "the properties are not msgpack", cause);
  }
  const sound =
    typeof record === "object" &&
    record !== null &&
    COUNTS.every((name) => Number.isSafeInteger(record[name])) &&
    LATER_COUNTS.every(
      (name) => record[name] === undefined || Number.isSafeInteger(record[name]),
    ) &&
    (record.hiddenParts === undefined || isHiddenParts(record.hiddenParts)) &&
    record.smallest instanceof Uint8Array &&
    record.largest instanceof Uint8Array &&
    typeof record.codec === "string" &&
    (record.ranges === undefined || record.ranges instanceof Uint8Array);
  if (!sound) throw corrupt(path, offset, "the properties are not those of a table");
  for (const name of LATER_COUNTS) record[name] ??= 0;
  return record as unknown as TableProperties;
}
