/**
 * Writes that change what is there, and the answer to one of them. Bodies, little-endian:
 *
 *   MERGE        durability u8 | operator u8 | keyLength u32 | key | operand
 *   INCREMENT    durability u8 | delta i64 | key
 *   EXPIRE       durability u8 | expiry | key
 *   INCREMENTED  version u64 | value i64
 *
 * See `operand.ts` and `expiry.ts` for theirs. Keys and operands come out as views of the socket's chunk.
 */
import { BodyReader } from "./body-reader.ts";
import { type DurabilityChoice, readDurability, writeDurability } from "./durability.ts";
import { readExpiryOrNever, writeExpiry } from "./expiry.ts";
import { expectNoFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";
import { readOperator, writeOperand, writeOperator } from "./operand.ts";
import type { Data, Expiry, Incremented, MergeOperator, Operand } from "./store.ts";

export interface MergeRequest {
  readonly durability: DurabilityChoice;
  readonly operator: MergeOperator;
  readonly key: Uint8Array;
  /** For counters, 8 bytes; that they are is the store's to check. */
  readonly operand: Uint8Array;
}

export interface IncrementRequest {
  readonly durability: DurabilityChoice;
  readonly delta: bigint;
  readonly key: Uint8Array;
}

export interface ExpireRequest {
  readonly durability: DurabilityChoice;
  /** `undefined` where the entry's expiry is taken away. */
  readonly expiry?: Expiry | undefined;
  readonly key: Uint8Array;
}

export function encodeMerge(
  writer: FrameWriter,
  requestId: number,
  durability: DurabilityChoice,
  operator: MergeOperator,
  key: Data,
  operand: Operand,
): number {
  writer.begin(OPCODE.MERGE, requestId);
  writeDurability(writer, durability);
  writeOperator(writer, operator);
  writer.sized(key);
  writeOperand(writer, operand);
  return writer.end();
}

export function decodeMerge(frame: Frame): MergeRequest {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const durability = readDurability(reader);
  const operator = readOperator(reader);
  const key = reader.sized();
  return { durability, operator, key, operand: reader.take(reader.remainingBytes) };
}

export function encodeIncrement(
  writer: FrameWriter,
  requestId: number,
  durability: DurabilityChoice,
  delta: number | bigint,
  key: Data,
): number {
  writer.begin(OPCODE.INCREMENT, requestId);
  writeDurability(writer, durability);
  writer.i64(delta);
  writer.data(key);
  return writer.end();
}

export function decodeIncrement(frame: Frame): IncrementRequest {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const durability = readDurability(reader);
  const delta = reader.i64();
  return { durability, delta, key: reader.take(reader.remainingBytes) };
}

/** Without `expiry` the entry's own is taken away. */
export function encodeExpire(
  writer: FrameWriter,
  requestId: number,
  durability: DurabilityChoice,
  expiry: Expiry | undefined,
  key: Data,
): number {
  writer.begin(OPCODE.EXPIRE, requestId);
  writeDurability(writer, durability);
  writeExpiry(writer, expiry);
  writer.data(key);
  return writer.end();
}

export function decodeExpire(frame: Frame): ExpireRequest {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const durability = readDurability(reader);
  const expiry = readExpiryOrNever(reader);
  return { durability, expiry, key: reader.take(reader.remainingBytes) };
}

export function encodeIncremented(
  writer: FrameWriter,
  requestId: number,
  { version, value }: Incremented,
): number {
  writer.begin(OPCODE.INCREMENTED, requestId);
  writer.u64(version);
  writer.i64(value);
  return writer.end();
}

export function decodeIncremented(frame: Frame): Incremented {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const version = reader.u64();
  const value = reader.i64();
  reader.finish();
  return { version, value };
}
