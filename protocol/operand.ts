/**
 * What a merge adds, and how; part of MERGE and of BATCH's operations. Little-endian:
 *
 *   operator u8     0 add, 1 max, 2 min, 3 append
 *   operand         for add, max and min an i64, for append bytes
 *
 * Decoding tells neither from the other: a counter's operand of a wrong length is well-formed, and the store's
 * to refuse.
 */
import type { BodyReader } from "./body-reader.ts";
import { COUNTER_BYTES } from "./counter.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { MERGE_OPERATORS, type MergeOperator, type Operand } from "./store.ts";

export function writeOperator(writer: FrameWriter, operator: MergeOperator): void {
  writer.u8(MERGE_OPERATORS.indexOf(operator));
}

export function readOperator(reader: BodyReader): MergeOperator {
  const number = reader.u8();
  const operator = MERGE_OPERATORS[number];
  if (operator === undefined) throw reader.malformed(`merge operator ${number}`);
  return operator;
}

export function writeOperand(writer: FrameWriter, operand: Operand): void {
  if (typeof operand === "number" || typeof operand === "bigint") writer.i64(operand);
  else writer.data(operand);
}

/** length u32 | the operand. */
export function writeSizedOperand(writer: FrameWriter, operand: Operand): void {
  if (typeof operand === "number" || typeof operand === "bigint") {
    writer.u32(COUNTER_BYTES);
    writer.i64(operand);
  } else {
    writer.sized(operand);
  }
}
