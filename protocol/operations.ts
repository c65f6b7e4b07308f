/**
 * What a BATCH is made of; little-endian.
 *
 *   operation  type u8 | keyLength u32 | key                                           type 0: delete
 *              type u8 | keyLength u32 | key | valueLength u32 | value                      1: put
 *              type u8 | expiry | keyLength u32 | key | valueLength u32 | value             2: put that expires
 *              type u8 | operator u8 | keyLength u32 | key | operandLength u32 | operand    3: merge
 *              type u8 | range                                                              4: deleteRange
 *
 * See `expiry.ts`, `operand.ts` and `ranges.ts` for theirs. Keys, values and operands come out as views of the socket's chunk.
 */
import type { BodyReader } from "./body-reader.ts";
import { isGiven, readExpiry, writeExpiry } from "./expiry.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { readOperator, writeOperator, writeSizedOperand } from "./operand.ts";
import { type BytesRange, readRange, writeRange } from "./ranges.ts";
import type { Expiry, MergeOperator, Operation } from "./store.ts";

const TYPE = { DELETE: 0, PUT: 1, PUT_WITH_EXPIRY: 2, MERGE: 3, DELETE_RANGE: 4 } as const;
/** The least that an operation takes: its type, and that a range has no bounds. */
export const OPERATION_BYTES_MIN = 1 + 1;

/** An operation whose key, value and operand are bytes, as it comes off the wire. */
export type BytesOperation =
  | ({ readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array } & Expiry)
  | { readonly type: "delete"; readonly key: Uint8Array }
  | {
      readonly type: "merge";
      readonly key: Uint8Array;
      readonly operator: MergeOperator;
      readonly operand: Uint8Array;
    }
  | ({ readonly type: "deleteRange" } & BytesRange);

export function writeOperation(writer: FrameWriter, operation: Operation): void {
  switch (operation.type) {
    case "put": {
      const expires = isGiven(operation);
      writer.u8(expires ? TYPE.PUT_WITH_EXPIRY : TYPE.PUT);
      if (expires) writeExpiry(writer, operation);
      writer.sized(operation.key);
      writer.sized(operation.value);
      break;
    }
    case "delete":
      writer.u8(TYPE.DELETE);
      writer.sized(operation.key);
      break;
    case "merge":
      writer.u8(TYPE.MERGE);
      writeOperator(writer, operation.operator);
      writer.sized(operation.key);
      writeSizedOperand(writer, operation.operand);
      break;
    case "deleteRange":
      writer.u8(TYPE.DELETE_RANGE);
      writeRange(writer, operation);
      break;
  }
}

export function readOperation(reader: BodyReader): BytesOperation {
  return readOperationOf(reader, reader.u8());
}

/** What follows the type. */
export function readOperationOf(reader: BodyReader, type: number): BytesOperation {
  switch (type) {
    case TYPE.DELETE:
      return { type: "delete", key: reader.sized() };
    case TYPE.PUT:
      return { type: "put", key: reader.sized(), value: reader.sized() };
    case TYPE.PUT_WITH_EXPIRY: {
      const expiry = readExpiry(reader);
      return { type: "put", key: reader.sized(), value: reader.sized(), ...expiry };
    }
    case TYPE.MERGE: {
      const operator = readOperator(reader);
      return { type: "merge", operator, key: reader.sized(), operand: reader.sized() };
    }
    case TYPE.DELETE_RANGE:
      return { type: "deleteRange", ...readRange(reader) };
    default:
      throw reader.malformed(`operation type ${type}`);
  }
}
