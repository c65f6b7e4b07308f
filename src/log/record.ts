/**
 * The framing of the log's and the manifest's records, for writers and readers. Little-endian:
 *
 *   checksum u32 | length u32 | kind u8 | syncedTo u48 | payload[length]
 *
 * - `checksum` is the CRC-32 of all that follows it, started from the CRC-32 of the file's number. Two CRCs
 *   of the same bytes from different starts always differ, so what a recycled file holds of its past is
 *   never a record of its present.
 * - `kind` is 1 to 15, what it means is the file's own. Never 0, so zeros are never a record.
 * - `syncedTo` is the offset in this file up to which all was known to be on the disk when the record was
 *   written; at most the record's own offset. With it a reader tells a tail that never reached the disk
 *   from damage to bytes that had.
 *
 * Records follow one another without gaps, from offset 0.
 */
import assert from "node:assert";
import { crc32 } from "node:zlib";
import { readU32, writeU32 } from "../bytes/little-endian.ts";

export const RECORD_HEADER_BYTES = 4 + 4 + 1 + 6;
const RECORD_KIND_MAX = 15;

const LENGTH_AT = 4;
const KIND_AT = 8;
const SYNCED_TO_AT = 9;
const TWO_32 = 2 ** 32;

/** What the checksums of a file's records start from. */
export function checksumSeed(fileNumber: number): number {
  const bytes = new Uint8Array(8);
  let rest = fileNumber;
  for (let i = 0; i < 8; i++) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return crc32(bytes);
}

/**
 * Fills in the header of the record at `buffer[start]`, whose payload of `payloadLength` bytes is in place
 * behind it already.
 */
export function encodeRecordHeader(
  buffer: Uint8Array,
  start: number,
  payloadLength: number,
  kind: number,
  syncedTo: number,
  fileNumber: number,
): void {
  const end = start + RECORD_HEADER_BYTES + payloadLength;
  assert(end <= buffer.length && payloadLength < TWO_32);
  assert(kind >= 1 && kind <= RECORD_KIND_MAX);
  writeU32(buffer, start + LENGTH_AT, payloadLength);
  buffer[start + KIND_AT] = kind;
  writeU32(buffer, start + SYNCED_TO_AT, syncedTo % TWO_32);
  const syncedToHigh = Math.floor(syncedTo / TWO_32);
  buffer[start + SYNCED_TO_AT + 4] = syncedToHigh;
  buffer[start + SYNCED_TO_AT + 5] = syncedToHigh >>> 8;
  const checksum = crc32(buffer.subarray(start + LENGTH_AT, end), checksumSeed(fileNumber));
  writeU32(buffer, start, checksum);
}

/** Whether the bytes at `start` could be a record's header: all but the checksum is checked. */
export function isPlausibleHeader(bytes: Uint8Array, start: number): boolean {
  const payloadStart = start + RECORD_HEADER_BYTES;
  if (payloadStart > bytes.length) return false;
  const kind = bytes[start + KIND_AT]!;
  if (kind === 0 || kind > RECORD_KIND_MAX) return false;
  return syncedToAt(bytes, start) <= start && lengthAt(bytes, start) <= bytes.length - payloadStart;
}

/** Whether a whole and undamaged record of the file with this seed starts at `start`. */
export function isRecord(bytes: Uint8Array, start: number, seed: number): boolean {
  if (!isPlausibleHeader(bytes, start)) return false;
  const end = start + RECORD_HEADER_BYTES + lengthAt(bytes, start);
  return crc32(bytes.subarray(start + LENGTH_AT, end), seed) === readU32(bytes, start);
}

export function checksumAt(bytes: Uint8Array, start: number): number {
  return readU32(bytes, start);
}

export function lengthAt(bytes: Uint8Array, start: number): number {
  return readU32(bytes, start + LENGTH_AT);
}

export function kindAt(bytes: Uint8Array, start: number): number {
  return bytes[start + KIND_AT]!;
}

export function syncedToAt(bytes: Uint8Array, start: number): number {
  const high = bytes[start + SYNCED_TO_AT + 4]! | (bytes[start + SYNCED_TO_AT + 5]! << 8);
  return readU32(bytes, start + SYNCED_TO_AT) + high * TWO_32;
}

/**
 * Walks over records that were checked before (see `scanRecords`), one after the other. The fields are those
 * of the record that the last `next` stepped on.
 */
export class RecordCursor {
  readonly bytes: Uint8Array;
  readonly #end: number;
  kind = 0;
  syncedTo = 0;
  /** The record is `bytes[start, end)`, its payload `bytes[payloadStart, end)`. */
  start = 0;
  payloadStart = 0;
  end = 0;

  /** Over the records in `bytes[0, end)`. */
  constructor(bytes: Uint8Array, end: number) {
    this.bytes = bytes;
    this.#end = end;
  }

  /** Steps on the next record; false after the last one. */
  next(): boolean {
    if (this.end >= this.#end) return false;
    const start = this.end;
    this.start = start;
    this.kind = this.bytes[start + KIND_AT]!;
    this.syncedTo = syncedToAt(this.bytes, start);
    this.payloadStart = start + RECORD_HEADER_BYTES;
    this.end = this.payloadStart + lengthAt(this.bytes, start);
    return true;
  }
}
