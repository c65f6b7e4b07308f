/** What an operand makes of a value, as `MERGE_OPERATORS` says: for who has to know before the store does. */
import { decodeCounter, encodeCounter } from "./counter.ts";
import type { MergeOperator } from "./store.ts";

const APPENDED_BYTES_MAX = 16 * 1024 * 1024;

/** `value` is `undefined` where there is none. */
export function foldOperand(
  operator: MergeOperator,
  value: Uint8Array | undefined,
  operand: Uint8Array,
): Uint8Array {
  if (operator === "append") {
    const whole = Buffer.concat([value ?? new Uint8Array(), operand]);
    return new Uint8Array(whole.subarray(0, APPENDED_BYTES_MAX));
  }
  const other = decodeCounter(operand);
  if (value === undefined) return encodeCounter(other);
  const counter = decodeCounter(value);
  if (operator === "add") return encodeCounter(BigInt.asIntN(64, counter + other));
  const isOther = operator === "max" ? other > counter : other < counter;
  return encodeCounter(isOther ? other : counter);
}
