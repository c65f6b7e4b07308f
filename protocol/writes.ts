/**
 * Writes and their answer. Bodies, little-endian:
 *
 *   PUT        durability u8 | keyLength u32 | key | value
 *   DELETE     durability u8 | key
 *   BATCH      durability u8 | count u32 | count × operation
 *     operation    type u8 | keyLength u32 | key                          type 0: delete
 *                  type u8 | keyLength u32 | key | valueLength u32 | value     1: put
 *   COMMITTED  version u64
 *
 * durability: 0 the server's default, 1 always, 2 interval, 3 none. Keys and values come out as views of
 * the socket's chunk.
 */
import { BodyReader } from "./body-reader.ts";
import { expectNoFlags, type Frame, malformed, readU32, viewOf } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";
import { type Data, DURABILITIES, type Durability, type Operation } from "./store.ts";

const OPERATION_TYPE = { DELETE: 0, PUT: 1 } as const;
/** The least that an operation takes: its type and the length of its key. */
const OPERATION_BYTES_MIN = 1 + 4;
const PUT_KEY_AT = 1 + 4;

/** `undefined` where the server's default holds. */
export type DurabilityChoice = Durability | undefined;

export interface PutRequest {
  readonly durability: DurabilityChoice;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface DeleteRequest {
  readonly durability: DurabilityChoice;
  readonly key: Uint8Array;
}

/** An operation whose key and value are bytes, as it comes off the wire. */
export type BytesOperation =
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "delete"; readonly key: Uint8Array };

export interface BatchRequest {
  readonly durability: DurabilityChoice;
  readonly operations: BytesOperation[];
}

export function encodePut(
  writer: FrameWriter,
  requestId: number,
  durability: DurabilityChoice,
  key: Data,
  value: Data,
): number {
  writer.begin(OPCODE.PUT, requestId);
  writer.u8(durabilityNumber(durability));
  writer.sized(key);
  writer.data(value);
  return writer.end();
}

export function decodePut(frame: Frame): PutRequest {
  expectNoFlags(frame);
  const { bytes, start, end } = frame;
  if (end - start < PUT_KEY_AT) throw malformed(frame, end - start, "the key's length expected");
  const keyStart = start + PUT_KEY_AT;
  const keyEnd = keyStart + readU32(bytes, start + 1);
  if (keyEnd > end) throw malformed(frame, PUT_KEY_AT, "the key is longer than the body");
  return {
    durability: durabilityOf(frame),
    key: viewOf(bytes, keyStart, keyEnd),
    value: viewOf(bytes, keyEnd, end),
  };
}

export function encodeDelete(
  writer: FrameWriter,
  requestId: number,
  durability: DurabilityChoice,
  key: Data,
): number {
  writer.begin(OPCODE.DELETE, requestId);
  writer.u8(durabilityNumber(durability));
  writer.data(key);
  return writer.end();
}

export function decodeDelete(frame: Frame): DeleteRequest {
  expectNoFlags(frame);
  const durability = durabilityOf(frame);
  return { durability, key: viewOf(frame.bytes, frame.start + 1, frame.end) };
}

export function encodeBatch(
  writer: FrameWriter,
  requestId: number,
  durability: DurabilityChoice,
  operations: readonly Operation[],
): number {
  writer.begin(OPCODE.BATCH, requestId);
  writer.u8(durabilityNumber(durability));
  writer.u32(operations.length);
  for (const operation of operations) {
    const isPut = operation.type === "put";
    writer.u8(isPut ? OPERATION_TYPE.PUT : OPERATION_TYPE.DELETE);
    writer.sized(operation.key);
    if (isPut) writer.sized(operation.value);
  }
  return writer.end();
}

export function decodeBatch(frame: Frame): BatchRequest {
  expectNoFlags(frame);
  const durability = durabilityOf(frame);
  const reader = new BodyReader(frame);
  reader.u8();
  const count = reader.count(OPERATION_BYTES_MIN);
  const operations: BytesOperation[] = [];
  for (let i = 0; i < count; i++) {
    const type = reader.u8();
    if (type === OPERATION_TYPE.PUT) {
      operations.push({ type: "put", key: reader.sized(), value: reader.sized() });
    } else if (type === OPERATION_TYPE.DELETE) {
      operations.push({ type: "delete", key: reader.sized() });
    } else {
      throw reader.malformed(`operation type ${type}`);
    }
  }
  reader.finish();
  return { durability, operations };
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

function durabilityNumber(durability: DurabilityChoice): number {
  return durability === undefined ? 0 : DURABILITIES.indexOf(durability) + 1;
}

/** The durability byte, which opens the body of every write. */
function durabilityOf(frame: Frame): DurabilityChoice {
  if (frame.start === frame.end) throw malformed(frame, 0, "the durability byte expected");
  const number = frame.bytes[frame.start]!;
  if (number > DURABILITIES.length) throw malformed(frame, 0, `durability ${number}`);
  return number === 0 ? undefined : DURABILITIES[number - 1]!;
}
