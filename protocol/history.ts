/**
 * The versions of one key. Bodies, little-endian:
 *
 *   HISTORY       limit u32 | key                       limit 0: as many as the server gives without one
 *   HISTORY_DATA  count u32 | count × (fields u8 | sequence u64 | [updatedAt u64] | [expiresAt u64]
 *                                      | [valueLength u32 | value])
 *     fields        bit 0 updatedAt, 1 expiresAt, 2 value: the field is there
 *
 * Newest first. Keys and values come out as views of the socket's chunk.
 */
import { BodyReader } from "./body-reader.ts";
import { expectNoFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";
import type { Data, HistoryOptions, KeyVersion } from "./store.ts";

const FIELD = { UPDATED_AT: 1, EXPIRES_AT: 2, VALUE: 4 } as const;
const FIELDS_ALL = 7;
const VERSION_BYTES_MIN = 1 + 8;
const NO_LIMIT = 0;

export interface HistoryRequest extends HistoryOptions {
  readonly key: Uint8Array;
}

export function encodeHistory(
  writer: FrameWriter,
  requestId: number,
  key: Data,
  { limit }: HistoryOptions = {},
): number {
  writer.begin(OPCODE.HISTORY, requestId);
  writer.u32(limit ?? NO_LIMIT);
  writer.data(key);
  return writer.end();
}

export function decodeHistory(frame: Frame): HistoryRequest {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const limit = reader.u32();
  const key = reader.take(reader.remainingBytes);
  return limit === NO_LIMIT ? { key } : { key, limit };
}

export function encodeHistoryData(
  writer: FrameWriter,
  requestId: number,
  versions: readonly KeyVersion[],
): number {
  writer.begin(OPCODE.HISTORY_DATA, requestId);
  writer.u32(versions.length);
  for (const { sequence, value, updatedAt, expiresAt } of versions) {
    writer.u8(
      (updatedAt === undefined ? 0 : FIELD.UPDATED_AT) |
        (expiresAt === undefined ? 0 : FIELD.EXPIRES_AT) |
        (value === undefined ? 0 : FIELD.VALUE),
    );
    writer.u64(sequence);
    if (updatedAt !== undefined) writer.u64(updatedAt);
    if (expiresAt !== undefined) writer.u64(expiresAt);
    if (value !== undefined) writer.sized(value);
  }
  return writer.end();
}

export function decodeHistoryData(frame: Frame): KeyVersion[] {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const count = reader.count(VERSION_BYTES_MIN);
  const versions: KeyVersion[] = [];
  for (let i = 0; i < count; i++) {
    const fields = reader.u8();
    if (fields > FIELDS_ALL) throw reader.malformed(`version fields 0x${fields.toString(16)}`);
    versions.push({
      sequence: reader.u64(),
      updatedAt: (fields & FIELD.UPDATED_AT) === 0 ? undefined : reader.u64(),
      expiresAt: (fields & FIELD.EXPIRES_AT) === 0 ? undefined : reader.u64(),
      value: (fields & FIELD.VALUE) === 0 ? undefined : reader.sized(),
    });
  }
  reader.finish();
  return versions;
}
