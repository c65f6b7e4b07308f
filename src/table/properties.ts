/**
 * What a table says of itself, in msgpack: all that the manifest knows of it but the lengths of the file,
 * so that a manifest can be made anew from the tables alone.
 *
 *   { number, entries, tombstones, smallest, largest, smallestSequence, largestSequence, rawBytes,
 *     createdAtMs, dataBytes, codec }
 */
import { unpack } from "msgpackr";
import type { CodecName } from "../options.ts";
import { corrupt } from "./block-format.ts";
import type { TableMeta } from "./table-meta.ts";

export type TableProperties = Omit<TableMeta, "fileBytes" | "tailBytes"> & {
  /** Bytes of the data blocks as stored. */
  readonly dataBytes: number;
  /** What the data blocks were compressed with, where that saved enough. */
  readonly codec: string;
};

export function recordOfProperties(
  meta: TableMeta,
  dataBytes: number,
  codec: CodecName,
): TableProperties {
  const { fileBytes: _fileBytes, tailBytes: _tailBytes, ...known } = meta;
  return { ...known, dataBytes, codec };
}

const COUNTS = [
  "number",
  "entries",
  "tombstones",
  "smallestSequence",
  "largestSequence",
  "rawBytes",
  "createdAtMs",
  "dataBytes",
] as const;

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
    record.smallest instanceof Uint8Array &&
    record.largest instanceof Uint8Array &&
    typeof record.codec === "string";
  if (!sound) throw corrupt(path, offset, "the properties are not those of a table");
  return record as unknown as TableProperties;
}
