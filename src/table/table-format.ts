/**
 * A table file. All integers are little-endian.
 *
 *   data block … | filter block | index block | properties block | footer
 *
 * Every block is stored as `block-format.ts` says; only data blocks are compressed. The four parts behind
 * the data blocks are the *tail*: who knows its length opens the table with one read.
 *
 *   footer = filterBytes u32 | indexBytes u32 | propertiesBytes u32   stored lengths, with block trailers
 *          | formatVersion u32 | checksum u32 | magic 8 bytes
 *
 * `checksum` is the CRC-32 of the footer up to it. The parts of the tail follow one another without gaps, so
 * their lengths say where they are.
 */
import { crc32 } from "node:zlib";
import { readU32, writeU32 } from "../bytes/little-endian.ts";
import { VarveError } from "../errors.ts";
import { corrupt } from "./block-format.ts";

/** 1 had other filters; blocks of 1 and 2 shared prefixes from one key to the next; entries of 3 had no times. */
export const TABLE_FORMAT = 4;
export const FOOTER_BYTES = 5 * 4 + 8;
const CHECKSUM_AT = 16;
const MAGIC = Buffer.from("varvetbl", "latin1");

export interface Footer {
  readonly filterBytes: number;
  readonly indexBytes: number;
  readonly propertiesBytes: number;
}

/** Bytes of the tail that ends with this footer. */
export function tailBytesOf(footer: Footer): number {
  return footer.filterBytes + footer.indexBytes + footer.propertiesBytes + FOOTER_BYTES;
}

export function encodeFooter(footer: Footer): Buffer {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  writeU32(bytes, 0, footer.filterBytes);
  writeU32(bytes, 4, footer.indexBytes);
  writeU32(bytes, 8, footer.propertiesBytes);
  writeU32(bytes, 12, TABLE_FORMAT);
  writeU32(bytes, CHECKSUM_AT, crc32(bytes.subarray(0, CHECKSUM_AT)));
  bytes.set(MAGIC, CHECKSUM_AT + 4);
  return bytes;
}

/** `bytes` are the last of the file, which has `fileBytes`. */
export function decodeFooter(bytes: Uint8Array, path: string, fileBytes: number): Footer {
  const offset = fileBytes - FOOTER_BYTES;
  if (bytes.length < FOOTER_BYTES || offset < 0) {
    throw corrupt(path, 0, `the file has ${fileBytes} bytes, too few for a table`);
  }
  const footer = bytes.subarray(bytes.length - FOOTER_BYTES);
  if (MAGIC.compare(footer, CHECKSUM_AT + 4) !== 0) {
    throw corrupt(path, offset, "the file does not end as a table does");
  }
  if (crc32(footer.subarray(0, CHECKSUM_AT)) !== readU32(footer, CHECKSUM_AT)) {
    throw corrupt(path, offset, "footer checksum does not match");
  }
  const format = readU32(footer, 12);
  if (format !== TABLE_FORMAT) {
    const other = format > TABLE_FORMAT ? "a newer" : "an older";
    const message = `${path} has format ${format}; this version of Varve reads ${TABLE_FORMAT}. Use ${other} one`;
    throw new VarveError("UNSUPPORTED_FORMAT", message);
  }
  const decoded = {
    filterBytes: readU32(footer, 0),
    indexBytes: readU32(footer, 4),
    propertiesBytes: readU32(footer, 8),
  };
  if (tailBytesOf(decoded) > fileBytes) {
    throw corrupt(path, offset, "the footer's lengths do not fit the file");
  }
  return decoded;
}
