/**
 * Keyspaces by name. Bodies, little-endian:
 *
 *   KEYSPACE_OPEN    flags u8 | settings | name              flags: bit 0 create, 1 exclusive
 *   KEYSPACE_OPENED  id u32 | createdAt u64 | settings       what keys begin with: see `keyspace-keys.ts`
 *   KEYSPACES_LIST   (empty)                                 answered by a RESULT
 *   KEYSPACE_DROP    name                                    answered by a RESULT: whether there was one
 *   KEYSPACE_ALTER   settings | cleared u8 | name            cleared: bits as in settings' fields, of what is taken away
 *     settings         fields u8 | [ttlMs u64] | [codec u8]  fields: bit 0 ttlMs, 1 codec; codec: 0 none, 1 lz4, 2 zstd
 *     name             UTF-8, to the end of the body
 */
import { BodyReader } from "./body-reader.ts";
import { expectNoFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import {
  CODECS,
  type KeyspaceChanges,
  type KeyspaceOptions,
  type KeyspaceSettings,
} from "./keyspace-settings.ts";
import { OPCODE } from "./opcodes.ts";

const FLAG = { CREATE: 1, EXCLUSIVE: 2 } as const;
const FIELD = { TTL: 1, CODEC: 2 } as const;
const BITS_ALL = 3;

export interface KeyspaceOpenRequest {
  readonly name: string;
  readonly options: KeyspaceOptions;
}

/** What an opened keyspace is. */
export interface KeyspaceHandle extends KeyspaceSettings {
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
  const flags = readBits(reader, "keyspace flags");
  const settings = readSettings(reader);
  const create = (flags & FLAG.CREATE) !== 0;
  const exclusive = (flags & FLAG.EXCLUSIVE) !== 0;
  return { name: readName(reader), options: { create, exclusive, ...settings } };
}

export function encodeKeyspaceOpened(
  writer: FrameWriter,
  requestId: number,
  handle: KeyspaceHandle,
): number {
  writer.begin(OPCODE.KEYSPACE_OPENED, requestId);
  writer.u32(handle.id);
  writer.u64(handle.createdAt);
  writeSettings(writer, handle);
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
  { ttlMs, codec }: KeyspaceChanges,
): number {
  writer.begin(OPCODE.KEYSPACE_ALTER, requestId);
  writeSettings(writer, {
    ...(ttlMs === undefined || ttlMs === null ? {} : { ttlMs }),
    ...(codec === undefined || codec === null ? {} : { codec }),
  });
  writer.u8((ttlMs === null ? FIELD.TTL : 0) | (codec === null ? FIELD.CODEC : 0));
  writer.data(name);
  return writer.end();
}

export function decodeKeyspaceAlter(frame: Frame): KeyspaceAlterRequest {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const settings = readSettings(reader);
  const cleared = readBits(reader, "cleared keyspace settings");
  const changes = {
    ...settings,
    ...((cleared & FIELD.TTL) === 0 ? {} : { ttlMs: null }),
    ...((cleared & FIELD.CODEC) === 0 ? {} : { codec: null }),
  };
  return { name: readName(reader), changes };
}

function writeSettings(writer: FrameWriter, { ttlMs, codec }: KeyspaceSettings): void {
  writer.u8((ttlMs === undefined ? 0 : FIELD.TTL) | (codec === undefined ? 0 : FIELD.CODEC));
  if (ttlMs !== undefined) writer.u64(ttlMs);
  if (codec !== undefined) writer.u8(CODECS.indexOf(codec));
}

function readSettings(reader: BodyReader): KeyspaceSettings {
  const fields = readBits(reader, "keyspace settings");
  const ttl = (fields & FIELD.TTL) === 0 ? {} : { ttlMs: reader.u64() };
  if ((fields & FIELD.CODEC) === 0) return ttl;
  const number = reader.u8();
  const codec = CODECS[number];
  if (codec === undefined) throw reader.malformed(`codec ${number}`);
  return { ...ttl, codec };
}

function readBits(reader: BodyReader, what: string): number {
  const bits = reader.u8();
  if (bits > BITS_ALL) throw reader.malformed(`${what} 0x${bits.toString(16)}`);
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
