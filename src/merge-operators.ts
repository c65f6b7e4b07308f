/**
 * Merge operators: how an operand is folded into a value, and two operands into one. A stored operand is
 *
 *   operator u8 | operand        operator: its place in `MERGE_OPERATORS`
 *
 * Every operator takes any value, so that folding never fails, and is associative, so that operands may be folded
 * together before the value below them is known. `protocol/store.ts` says what each does.
 *
 * Source of the idea: RocksDB's merge operators; that they are total functions of bytes is FoundationDB's.
 */
import { COUNTER_BYTES, MERGE_OPERATORS, type MergeOperator } from "./store.ts";

/** Longer results of `append` are cut: the largest value that a store takes, whatever its settings. */
const APPENDED_BYTES_MAX = 16 * 1024 * 1024;

export function encodeOperand(operator: MergeOperator, operand: Uint8Array): Uint8Array {
  const stored = new Uint8Array(1 + operand.length);
  stored[0] = MERGE_OPERATORS.indexOf(operator);
  stored.set(operand, 1);
  return stored;
}

/** The operator of a stored operand, which begins at `start`; `undefined` for one that this version does not know. */
export function operatorOf(bytes: Uint8Array, start: number): MergeOperator | undefined {
  return MERGE_OPERATORS[bytes[start] ?? MERGE_OPERATORS.length];
}

/** The value after an operand; `value` is `undefined` where there is none. */
export function applyOperand(
  operator: MergeOperator,
  value: Uint8Array | undefined,
  operand: Uint8Array,
): Uint8Array {
  if (operator === "append") {
    return value === undefined ? operand.slice(0, APPENDED_BYTES_MAX) : append(value, operand);
  }
  if (value === undefined)
    return counter(operator, operator === "add" ? 0n : read(operand), operand);
  return counter(operator, read(value), operand);
}

/** One operand that does what `older` and then `newer` do, both of the same operator. */
export function combineOperands(
  operator: MergeOperator,
  older: Uint8Array,
  newer: Uint8Array,
): Uint8Array {
  return operator === "append" ? append(older, newer) : counter(operator, read(older), newer);
}

function counter(operator: MergeOperator, value: bigint, operand: Uint8Array): Uint8Array {
  const other = read(operand);
  switch (operator) {
    case "max":
      return write(value > other ? value : other);
    case "min":
      return write(value < other ? value : other);
    default:
      return write(BigInt.asIntN(64, value + other));
  }
}

function append(before: Uint8Array, after: Uint8Array): Uint8Array {
  const bytes = Math.min(before.length + after.length, APPENDED_BYTES_MAX);
  const whole = new Uint8Array(bytes);
  whole.set(before.subarray(0, bytes));
  whole.set(after.subarray(0, Math.max(0, bytes - before.length)), Math.min(before.length, bytes));
  return whole;
}

/** The counter in the first 8 bytes; those that are missing are zeros. */
function read(bytes: Uint8Array): bigint {
  if (bytes.length >= COUNTER_BYTES) {
    return new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true);
  }
  const whole = new Uint8Array(COUNTER_BYTES);
  whole.set(bytes);
  return read(whole);
}

function write(value: bigint): Uint8Array {
  const bytes = new Uint8Array(COUNTER_BYTES);
  new DataView(bytes.buffer).setBigInt64(0, value, true);
  return bytes;
}
