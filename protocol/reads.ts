/**
 * Point reads and their answers. Bodies, little-endian:
 *
 *   GET       key
 *   GET_ENTRY key
 *   GET_MANY  count u32 | count × (keyLength u32 | key)
 *   VALUE     value
 *   ABSENT    (empty)
 *   VALUES    count u32 | count × (valueLength u32 | value)     valueLength 0xFFFFFFFF: absent, no bytes
 *   ENTRY     fields u8 | sequence u64 | revision u64 | createdAt u64 | updatedAt u64 | [expiresAt u64] | value
 *     fields    bit 0 expiresAt
 *
 * Keys and values come out as views of the socket's chunk. What GET, GET_ENTRY and GET_MANY are about beside their
 * keys stands in front: see `request-scope.ts`.
 */
import { BodyReader } from "./body-reader.ts";
import { expectNoFlags, type Frame, viewOf } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";
import { type RequestScope, writeScope } from "./request-scope.ts";
import type { Data, EntryRecord } from "./store.ts";

const ABSENT_LENGTH = 0xffffffff;
const ENTRY_FIELD = { EXPIRES_AT: 1 } as const;
const ENTRY_FIELDS_ALL = 1;

export function encodeGet(
  writer: FrameWriter,
  requestId: number,
  key: Data,
  scope?: RequestScope,
): number {
  writer.begin(OPCODE.GET, requestId);
  if (scope !== undefined) writeScope(writer, scope);
  writer.data(key);
  return writer.end();
}

/** The key of a GET or GET_ENTRY. */
export function decodeGet(frame: Frame): Uint8Array {
  expectNoFlags(frame);
  return viewOf(frame.bytes, frame.start, frame.end);
}

export function encodeGetEntry(
  writer: FrameWriter,
  requestId: number,
  key: Data,
  scope?: RequestScope,
): number {
  writer.begin(OPCODE.GET_ENTRY, requestId);
  if (scope !== undefined) writeScope(writer, scope);
  writer.data(key);
  return writer.end();
}

export function encodeEntry(writer: FrameWriter, requestId: number, entry: EntryRecord): number {
  writer.begin(OPCODE.ENTRY, requestId);
  const { expiresAt } = entry;
  writer.u8(expiresAt === undefined ? 0 : ENTRY_FIELD.EXPIRES_AT);
  writer.u64(entry.sequence);
  writer.u64(entry.revision);
  writer.u64(entry.createdAt);
  writer.u64(entry.updatedAt);
  if (expiresAt !== undefined) writer.u64(expiresAt);
  writer.data(entry.value);
  return writer.end();
}

export function decodeEntry(frame: Frame): EntryRecord {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const fields = reader.u8();
  if (fields > ENTRY_FIELDS_ALL) throw reader.malformed(`entry fields 0x${fields.toString(16)}`);
  const sequence = reader.u64();
  const revision = reader.u64();
  const createdAt = reader.u64();
  const updatedAt = reader.u64();
  const expiresAt = (fields & ENTRY_FIELD.EXPIRES_AT) === 0 ? undefined : reader.u64();
  const value = reader.take(reader.remainingBytes);
  return { value, sequence, revision, createdAt, updatedAt, expiresAt };
}

export function encodeGetMany(
  writer: FrameWriter,
  requestId: number,
  keys: readonly Data[],
  scope?: RequestScope,
): number {
  writer.begin(OPCODE.GET_MANY, requestId);
  if (scope !== undefined) writeScope(writer, scope);
  writer.u32(keys.length);
  for (const key of keys) writer.sized(key);
  return writer.end();
}

/** The keys. */
export function decodeGetMany(frame: Frame): Uint8Array[] {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const count = reader.count(4);
  const keys: Uint8Array[] = [];
  for (let i = 0; i < count; i++) keys.push(reader.sized());
  reader.finish();
  return keys;
}

export function encodeValue(writer: FrameWriter, requestId: number, value: Data): number {
  writer.begin(OPCODE.VALUE, requestId);
  writer.data(value);
  return writer.end();
}

/** The value. */
export function decodeValue(frame: Frame): Uint8Array {
  expectNoFlags(frame);
  return viewOf(frame.bytes, frame.start, frame.end);
}

export function encodeAbsent(writer: FrameWriter, requestId: number): number {
  writer.begin(OPCODE.ABSENT, requestId);
  return writer.end();
}

export function encodeValues(
  writer: FrameWriter,
  requestId: number,
  values: readonly (Data | undefined)[],
): number {
  writer.begin(OPCODE.VALUES, requestId);
  writer.u32(values.length);
  for (const value of values) {
    if (value === undefined) writer.u32(ABSENT_LENGTH);
    else writer.sized(value);
  }
  return writer.end();
}

export function decodeValues(frame: Frame): (Uint8Array | undefined)[] {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const count = reader.count(4);
  const values: (Uint8Array | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    const length = reader.u32();
    values.push(length === ABSENT_LENGTH ? undefined : reader.take(length));
  }
  reader.finish();
  return values;
}
