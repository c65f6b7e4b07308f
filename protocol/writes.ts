/**
 * Writes that need nothing of what is there, and their answer. Bodies, little-endian:
 *
 *   PUT        [conditions] | [expiry] | durability u8 | keyLength u32 | key | value
 *   DELETE     [conditions] | durability u8 | key
 *   BATCH      [conditions] | durability u8 | count u32 | count × operation
 *   COMMITTED  version u64
 *
 * What stands in brackets is there where a flag says so: see `flag-fields.ts`, and for the rest `durability.ts`
 * and `operations.ts`. Keys and values come out as views of the socket's chunk.
 *
 * Hot path: a PUT or DELETE without flags is read without a reader.
 */
import { BodyReader } from "./body-reader.ts";
import {
  type DurabilityChoice,
  durabilityOf,
  readDurability,
  writeDurability,
} from "./durability.ts";
import { type FlagFields, readFlagFields, writeFlagFields } from "./flag-fields.ts";
import { expectNoFlags, FLAG, type Frame, malformed, readU32, viewOf } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";
import {
  type BytesOperation,
  OPERATION_BYTES_MIN,
  readOperation,
  writeOperation,
} from "./operations.ts";
import type { Data, Expiry, Operation, WriteCondition } from "./store.ts";

const PUT_KEY_AT = 1 + 4;

export interface PutRequest extends FlagFields {
  readonly durability: DurabilityChoice;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface DeleteRequest extends Omit<FlagFields, "expiry"> {
  readonly durability: DurabilityChoice;
  readonly key: Uint8Array;
}

export interface BatchRequest extends Omit<FlagFields, "expiry"> {
  readonly durability: DurabilityChoice;
  readonly operations: BytesOperation[];
}

export function encodePut(
  writer: FrameWriter,
  requestId: number,
  durability: DurabilityChoice,
  key: Data,
  value: Data,
  conditions?: readonly WriteCondition[],
  expiry?: Expiry,
): number {
  writer.begin(OPCODE.PUT, requestId);
  if (conditions !== undefined || expiry !== undefined) writeFlagFields(writer, conditions, expiry);
  writeDurability(writer, durability);
  writer.sized(key);
  writer.data(value);
  return writer.end();
}

export function decodePut(frame: Frame): PutRequest {
  const { flags, bytes, start, end } = frame;
  if (flags !== 0) return decodeFlaggedPut(frame);
  if (end - start < PUT_KEY_AT) throw malformed(frame, end - start, "the key's length expected");
  const keyStart = start + PUT_KEY_AT;
  const keyEnd = keyStart + readU32(bytes, start + 1);
  if (keyEnd > end) throw malformed(frame, PUT_KEY_AT, "the key is longer than the body");
  return {
    durability: durabilityOf(frame),
    key: viewOf(bytes, keyStart, keyEnd),
    value: viewOf(bytes, keyEnd, end),
    conditions: undefined,
    expiry: undefined,
  };
}

function decodeFlaggedPut(frame: Frame): PutRequest {
  const reader = new BodyReader(frame);
  const { conditions, expiry } = readFlagFields(reader, frame, FLAG.CONDITIONS | FLAG.EXPIRY);
  const durability = readDurability(reader);
  const key = reader.sized();
  const value = reader.take(reader.remainingBytes);
  return { durability, key, value, conditions, expiry };
}

export function encodeDelete(
  writer: FrameWriter,
  requestId: number,
  durability: DurabilityChoice,
  key: Data,
  conditions?: readonly WriteCondition[],
): number {
  writer.begin(OPCODE.DELETE, requestId);
  if (conditions !== undefined) writeFlagFields(writer, conditions);
  writeDurability(writer, durability);
  writer.data(key);
  return writer.end();
}

export function decodeDelete(frame: Frame): DeleteRequest {
  if (frame.flags !== 0) return decodeFlaggedDelete(frame);
  const durability = durabilityOf(frame);
  const key = viewOf(frame.bytes, frame.start + 1, frame.end);
  return { durability, key, conditions: undefined };
}

function decodeFlaggedDelete(frame: Frame): DeleteRequest {
  const reader = new BodyReader(frame);
  const { conditions } = readFlagFields(reader, frame, FLAG.CONDITIONS);
  const durability = readDurability(reader);
  return { durability, key: reader.take(reader.remainingBytes), conditions };
}

export function encodeBatch(
  writer: FrameWriter,
  requestId: number,
  durability: DurabilityChoice,
  operations: readonly Operation[],
  conditions?: readonly WriteCondition[],
): number {
  writer.begin(OPCODE.BATCH, requestId);
  if (conditions !== undefined) writeFlagFields(writer, conditions);
  writeDurability(writer, durability);
  writer.u32(operations.length);
  for (const operation of operations) writeOperation(writer, operation);
  return writer.end();
}

export function decodeBatch(frame: Frame): BatchRequest {
  const reader = new BodyReader(frame);
  const { conditions } = readFlagFields(reader, frame, FLAG.CONDITIONS);
  const durability = readDurability(reader);
  const count = reader.count(OPERATION_BYTES_MIN);
  const operations: BytesOperation[] = [];
  for (let i = 0; i < count; i++) operations.push(readOperation(reader));
  reader.finish();
  return { durability, operations, conditions };
}

export function encodeCommitted(writer: FrameWriter, requestId: number, version: number): number {
  writer.begin(OPCODE.COMMITTED, requestId);
  writer.u64(version);
  return writer.end();
}

/** The version. */
export function decodeCommitted(frame: Frame): number {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const version = reader.u64();
  reader.finish();
  return version;
}
