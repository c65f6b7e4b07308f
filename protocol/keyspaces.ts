/**
 * Keyspaces by name. Bodies, little-endian:
 *
 *   KEYSPACE_OPEN    flags u8 | settings | name              flags: bit 0 create, 1 exclusive
 *   KEYSPACE_OPENED  id u32 | createdAt u64 | settings       what keys begin with: see `keyspace-keys.ts`
 *   KEYSPACES_LIST   (empty)                                 answered by a RESULT
 *   KEYSPACE_DROP    name                                    answered by a RESULT: whether there was one
 *   KEYSPACE_ALTER   settings | cleared u8 | name            cleared: bits as in settings' fields, of what is taken away
 *     settings         fields u8 | [ttlMs u64] | [codec u8] | [retentionMs u64] | [retentionSequences u64]
 *                                                            fields: bit 0 ttlMs, 1 codec, 2 retentionMs,
 *                                                            3 retentionSequences; codec: 0 none, 1 lz4, 2 zstd
 *     name             UTF-8, to the end of the body
 */
import { BodyReader } from "./body-reader.ts";
import { expectNoFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import {
  CODECS,
  type CodecName,
  type KeyspaceChanges,
  type KeyspaceOptions,
  type KeyspaceSettings,
  settingsIn,
} from "./keyspace-settings.ts";
import { OPCODE } from "./opcodes.ts";

const FLAG = { CREATE: 1, EXCLUSIVE: 2 } as const;
const FLAGS_ALL = 3;
const FIELD = { TTL: 1, CODEC: 2, RETENTION_MS: 4, RETENTION_SEQUENCES: 8 } as const;
const FIELDS_ALL = 15;

export interface KeyspaceOpenRequest {
  readonly name: string;
  readonly options: KeyspaceOptions;
}

/** What an opened keyspace is. Its retention is told by the list alone: readers of early versions know of none. */
export interface KeyspaceHandle extends Pick<KeyspaceSettings, "ttlMs" | "codec"> {
  readonly id: number;
  readonly createdAt: number;
}

export interface KeyspaceAlterRequest {
  readonly name: string;
  readonly changes: KeyspaceChanges;
}

export function encodeKeyspaceOpen(
  writer: FrameWriter,
  requestId: number,
  name: string,
  options: KeyspaceOptions,
): number {
  const { create = true, exclusive = false } = options;
  writer.begin(OPCODE.KEYSPACE_OPEN, requestId);
  writer.u8((create ? FLAG.CREATE : 0) | (exclusive ? FLAG.EXCLUSIVE : 0));
  writeSettings(writer, options);
  writer.data(name);
  return writer.end();
}

export function decodeKeyspaceOpen(frame: Frame): KeyspaceOpenRequest {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const flags = readBits(reader, "keyspace flags", FLAGS_ALL);
  const settings = readSettings(reader);
  const create = (flags & FLAG.CREATE) !== 0;
  const exclusive = (flags & FLAG.EXCLUSIVE) !== 0;
  return { name: readName(reader), options: { create, exclusive, ...settings } };
}

export function encodeKeyspaceOpened(
  writer: FrameWriter,
  requestId: number,
  { id, createdAt, ttlMs, codec }: KeyspaceHandle,
): number {
  writer.begin(OPCODE.KEYSPACE_OPENED, requestId);
  writer.u32(id);
  writer.u64(createdAt);
  writeSettings(writer, {
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(codec === undefined ? {} : { codec }),
  });
  return writer.end();
}

export function decodeKeyspaceOpened(frame: Frame): KeyspaceHandle {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const handle = { id: reader.u32(), createdAt: reader.u64(), ...readSettings(reader) };
  reader.finish();
  return handle;
}

export function encodeKeyspaceDrop(writer: FrameWriter, requestId: number, name: string): number {
  writer.begin(OPCODE.KEYSPACE_DROP, requestId);
  writer.data(name);
  return writer.end();
}

export function decodeKeyspaceDrop(frame: Frame): string {
  expectNoFlags(frame);
  return readName(new BodyReader(frame));
}

export function encodeKeyspaceAlter(
  writer: FrameWriter,
  requestId: number,
  name: string,
  changes: KeyspaceChanges,
): number {
  const { ttlMs, codec, retentionMs, retentionSequences } = changes;
  writer.begin(OPCODE.KEYSPACE_ALTER, requestId);
  writeSettings(writer, settingsIn(changes));
  writer.u8(
    (ttlMs === null ? FIELD.TTL : 0) |
      (codec === null ? FIELD.CODEC : 0) |
      (retentionMs === null ? FIELD.RETENTION_MS : 0) |
      (retentionSequences === null ? FIELD.RETENTION_SEQUENCES : 0),
  );
  writer.data(name);
  return writer.end();
}

export function decodeKeyspaceAlter(frame: Frame): KeyspaceAlterRequest {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const settings = readSettings(reader);
  const cleared = readBits(reader, "cleared keyspace settings", FIELDS_ALL);
  const changes = {
    ...settings,
    ...((cleared & FIELD.TTL) === 0 ? {} : { ttlMs: null }),
    ...((cleared & FIELD.CODEC) === 0 ? {} : { codec: null }),
    ...((cleared & FIELD.RETENTION_MS) === 0 ? {} : { retentionMs: null }),
    ...((cleared & FIELD.RETENTION_SEQUENCES) === 0 ? {} : { retentionSequences: null }),
  };
  return { name: readName(reader), changes };
}

function writeSettings(writer: FrameWriter, settings: KeyspaceSettings): void {
  const { ttlMs, codec, retentionMs, retentionSequences } = settings;
  writer.u8(
    (ttlMs === undefined ? 0 : FIELD.TTL) |
      (codec === undefined ? 0 : FIELD.CODEC) |
      (retentionMs === undefined ? 0 : FIELD.RETENTION_MS) |
      (retentionSequences === undefined ? 0 : FIELD.RETENTION_SEQUENCES),
  );
  if (ttlMs !== undefined) writer.u64(ttlMs);
  if (codec !== undefined) writer.u8(CODECS.indexOf(codec));
  if (retentionMs !== undefined) writer.u64(retentionMs);
  if (retentionSequences !== undefined) writer.u64(retentionSequences);
}

function readSettings(reader: BodyReader): KeyspaceSettings {
  const fields = readBits(reader, "keyspace settings", FIELDS_ALL);
  return {
    ...((fields & FIELD.TTL) === 0 ? {} : { ttlMs: reader.u64() }),
    ...((fields & FIELD.CODEC) === 0 ? {} : { codec: readCodec(reader) }),
    ...((fields & FIELD.RETENTION_MS) === 0 ? {} : { retentionMs: reader.u64() }),
    ...((fields & FIELD.RETENTION_SEQUENCES) === 0 ? {} : { retentionSequences: reader.u64() }),
  };
}

function readCodec(reader: BodyReader): CodecName {
  const number = reader.u8();
  const codec = CODECS[number];
  if (codec === undefined) throw reader.malformed(`codec ${number}`);
  return codec;
}

function readBits(reader: BodyReader, what: string, all: number): number {
  const bits = reader.u8();
  if (bits > all) throw reader.malformed(`${what} 0x${bits.toString(16)}`);
  return bits;
}

function readName(reader: BodyReader): string {
  const bytes = reader.take(reader.remainingBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw reader.malformed("a keyspace's name that is not UTF-8");
  }
}
