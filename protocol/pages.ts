/**
 * Parts of scans, each by a request of its own, and counts. Bodies, little-endian:
 *
 *   PAGE       options | cursor                        see `scan-options.ts`; an empty cursor: none
 *   PAGE_DATA  sized cursor | count u32 | count × (keyLength u32 | valueLength u32 | key | value)
 *   COUNT      range                                   see `ranges.ts`
 *   COUNTED    count u64
 *
 * Keys, values and cursors come out as views of the socket's chunk.
 */
import { BodyReader } from "./body-reader.ts";
import { expectNoFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";
import { type BytesRange, readRange, writeRange } from "./ranges.ts";
import { type RequestScope, writeScope } from "./request-scope.ts";
import { readScanOptions, writeScanOptions } from "./scan-options.ts";
import { readEntries, writeEntries } from "./scans.ts";
import type { KeyRange, Page, PageOptions } from "./store.ts";

const NO_CURSOR = new Uint8Array();

export function encodePage(
  writer: FrameWriter,
  requestId: number,
  options: PageOptions,
  scope?: RequestScope,
): number {
  writer.begin(OPCODE.PAGE, requestId);
  if (scope !== undefined) writeScope(writer, scope);
  writeScanOptions(writer, options);
  writer.data(options.cursor ?? NO_CURSOR);
  return writer.end();
}

export function decodePage(frame: Frame): PageOptions {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const options = readScanOptions(reader);
  const cursor = reader.take(reader.remainingBytes);
  return cursor.length === 0 ? options : { ...options, cursor };
}

export function encodePageData(
  writer: FrameWriter,
  requestId: number,
  { entries, cursor }: Page,
): number {
  writer.begin(OPCODE.PAGE_DATA, requestId);
  writer.sized(cursor ?? NO_CURSOR);
  writeEntries(writer, entries);
  return writer.end();
}

export function decodePageData(frame: Frame): Page {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const cursor = reader.sized();
  const entries = readEntries(reader);
  reader.finish();
  return { entries, cursor: cursor.length === 0 ? undefined : cursor };
}

export function encodeCount(
  writer: FrameWriter,
  requestId: number,
  range: KeyRange,
  scope?: RequestScope,
): number {
  writer.begin(OPCODE.COUNT, requestId);
  if (scope !== undefined) writeScope(writer, scope);
  writeRange(writer, range);
  return writer.end();
}

export function decodeCount(frame: Frame): BytesRange {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const range = readRange(reader);
  reader.finish();
  return range;
}

export function encodeCounted(writer: FrameWriter, requestId: number, count: number): number {
  writer.begin(OPCODE.COUNTED, requestId);
  writer.u64(count);
  return writer.end();
}

export function decodeCounted(frame: Frame): number {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const count = reader.u64();
  reader.finish();
  return count;
}
