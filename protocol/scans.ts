/**
 * Scans: a stream of entries under the reader's credit. Bodies, little-endian:
 *
 *   SCAN         fields u8 | credit u32 | [limit u64] | [gte] | [gt] | [lt] | [lte] | [prefix]
 *     fields         bit 0 limit, 1 gte, 2 gt, 3 lt, 4 lte, 5 prefix: the field is there; bit 6 reverse
 *     each bound     length u32 | bytes
 *   SCAN_CREDIT  credit u32                           the request id is that of the SCAN
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
import type { Data, Entry, ScanOptions } from "./store.ts";

const FIELD = { LIMIT: 1, GTE: 2, GT: 4, LT: 8, LTE: 16, PREFIX: 32, REVERSE: 64 } as const;
const FIELDS_ALL = 127;
const ENTRY_HEADER_BYTES = 4 + 4;
/** The bytes of a SCAN_DATA body before its first entry. */
export const SCAN_DATA_HEADER_BYTES = 4;

export interface ScanRequest {
  /** Bytes of SCAN_DATA bodies that may be sent before the first SCAN_CREDIT. */
  readonly credit: number;
  /** The bounds are bytes; `reverse` is always given. */
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
  const { gte, gt, lt, lte, prefix, limit, reverse } = options;
  writer.begin(OPCODE.SCAN, requestId);
  if (scope !== undefined) writeScope(writer, scope);
  writer.u8(
    (limit === undefined ? 0 : FIELD.LIMIT) |
      (gte === undefined ? 0 : FIELD.GTE) |
      (gt === undefined ? 0 : FIELD.GT) |
      (lt === undefined ? 0 : FIELD.LT) |
      (lte === undefined ? 0 : FIELD.LTE) |
      (prefix === undefined ? 0 : FIELD.PREFIX) |
      (reverse === true ? FIELD.REVERSE : 0),
  );
  writer.u32(credit);
  if (limit !== undefined) writer.u64(limit);
  for (const bound of [gte, gt, lt, lte, prefix]) {
    if (bound !== undefined) writer.sized(bound);
  }
  return writer.end();
}

export function decodeScan(frame: Frame): ScanRequest {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const fields = reader.u8();
  if (fields > FIELDS_ALL) throw reader.malformed(`scan fields 0x${fields.toString(16)}`);
  const credit = reader.u32();
  const options: { -readonly [name in keyof ScanOptions]: ScanOptions[name] } = {
    reverse: (fields & FIELD.REVERSE) !== 0,
  };
  if ((fields & FIELD.LIMIT) !== 0) options.limit = reader.u64();
  if ((fields & FIELD.GTE) !== 0) options.gte = reader.sized();
  if ((fields & FIELD.GT) !== 0) options.gt = reader.sized();
  if ((fields & FIELD.LT) !== 0) options.lt = reader.sized();
  if ((fields & FIELD.LTE) !== 0) options.lte = reader.sized();
  if ((fields & FIELD.PREFIX) !== 0) options.prefix = reader.sized();
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

/** A frame of `entries[start, end)`. */
export function encodeScanData(
  writer: FrameWriter,
  requestId: number,
  entries: readonly (readonly [key: Data, value: Data])[],
  start = 0,
  end = entries.length,
): number {
  writer.begin(OPCODE.SCAN_DATA, requestId);
  writer.u32(end - start);
  for (let i = start; i < end; i++) {
    const [key, value] = entries[i]!;
    writer.pair(key, value);
  }
  return writer.end();
}

export function decodeScanData(frame: Frame): Entry[] {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const count = reader.count(ENTRY_HEADER_BYTES);
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const keyLength = reader.u32();
    const valueLength = reader.u32();
    entries.push([reader.take(keyLength), reader.take(valueLength)]);
  }
  reader.finish();
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
