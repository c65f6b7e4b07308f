/**
 * Scans: a stream of entries under the reader's credit. Bodies, little-endian:
 *
 *   SCAN         credit u32 | options                see `scan-options.ts`
 *   SCAN_CREDIT  credit u32                           the request id is that of the SCAN
 *   SCAN_SEEK    key                                  the request id is that of the SCAN
 *   SCAN_SOUGHT  seeks u32                            how many of them have been followed so far
 *   SCAN_DATA    count u32 | count × (keyLength u32 | valueLength u32 | key | value)
 *   SCAN_END     count u64                            entries sent in all
 *
 * Credit is counted in bytes of SCAN_DATA bodies. Entries come out as views of the given bytes.
 */
import { BodyReader } from "./body-reader.ts";
import { expectNoFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";
import { type RequestScope, writeScope } from "./request-scope.ts";
import { readScanOptions, writeScanOptions } from "./scan-options.ts";
import type { Data, Entry, ScanOptions } from "./store.ts";

const ENTRY_HEADER_BYTES = 4 + 4;
/** The bytes of a SCAN_DATA body before its first entry. */
export const SCAN_DATA_HEADER_BYTES = 4;

export interface ScanRequest {
  /** Bytes of SCAN_DATA bodies that may be sent before the first SCAN_CREDIT. */
  readonly credit: number;
  /** The bounds are bytes; `reverse` and `keysOnly` are always given. */
  readonly options: ScanOptions;
}

/** What an entry adds to the body of a SCAN_DATA frame, and so takes from the credit. */
export function scanEntryBytes(key: Uint8Array, value: Uint8Array): number {
  return ENTRY_HEADER_BYTES + key.length + value.length;
}

export function encodeScan(
  writer: FrameWriter,
  requestId: number,
  options: ScanOptions,
  credit: number,
  scope?: RequestScope,
): number {
  writer.begin(OPCODE.SCAN, requestId);
  if (scope !== undefined) writeScope(writer, scope);
  writer.u32(credit);
  writeScanOptions(writer, options);
  return writer.end();
}

export function decodeScan(frame: Frame): ScanRequest {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const credit = reader.u32();
  const options = readScanOptions(reader);
  reader.finish();
  return { credit, options };
}

export function encodeScanCredit(writer: FrameWriter, requestId: number, credit: number): number {
  writer.begin(OPCODE.SCAN_CREDIT, requestId);
  writer.u32(credit);
  return writer.end();
}

/** The bytes of credit granted on top of what is left. */
export function decodeScanCredit(frame: Frame): number {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const credit = reader.u32();
  reader.finish();
  return credit;
}

export function encodeScanSeek(writer: FrameWriter, requestId: number, key: Data): number {
  writer.begin(OPCODE.SCAN_SEEK, requestId);
  writer.data(key);
  return writer.end();
}

export function decodeScanSeek(frame: Frame): Uint8Array {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  return reader.take(reader.remainingBytes);
}

export function encodeScanSought(writer: FrameWriter, requestId: number, seeks: number): number {
  writer.begin(OPCODE.SCAN_SOUGHT, requestId);
  writer.u32(seeks);
  return writer.end();
}

export function decodeScanSought(frame: Frame): number {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const seeks = reader.u32();
  reader.finish();
  return seeks;
}

/** A frame of `entries[start, end)`. */
export function encodeScanData(
  writer: FrameWriter,
  requestId: number,
  entries: readonly (readonly [key: Data, value: Data])[],
  start = 0,
  end = entries.length,
): number {
  writer.begin(OPCODE.SCAN_DATA, requestId);
  writeEntries(writer, entries, start, end);
  return writer.end();
}

/** `count u32 | count × (keyLength u32 | valueLength u32 | key | value)` for `entries[start, end)`. */
export function writeEntries(
  writer: FrameWriter,
  entries: readonly (readonly [key: Data, value: Data])[],
  start = 0,
  end = entries.length,
): void {
  writer.u32(end - start);
  for (let i = start; i < end; i++) {
    const [key, value] = entries[i]!;
    writer.pair(key, value);
  }
}

export function decodeScanData(frame: Frame): Entry[] {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const entries = readEntries(reader);
  reader.finish();
  return entries;
}

/** What `writeEntries` has written. */
export function readEntries(reader: BodyReader): Entry[] {
  const count = reader.count(ENTRY_HEADER_BYTES);
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const keyLength = reader.u32();
    const valueLength = reader.u32();
    entries.push([reader.take(keyLength), reader.take(valueLength)]);
  }
  return entries;
}

export function encodeScanEnd(writer: FrameWriter, requestId: number, count: number): number {
  writer.begin(OPCODE.SCAN_END, requestId);
  writer.u64(count);
  return writer.end();
}

/** The number of entries that the scan sent in all. */
export function decodeScanEnd(frame: Frame): number {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const count = reader.u64();
  reader.finish();
  return count;
}
