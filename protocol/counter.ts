/** Counters: 64-bit integers with a sign, as values of 8 bytes, little-endian (two's complement). */
import { VarveError } from "./errors.ts";

export const COUNTER_BYTES = 8;
const COUNTER_MIN = -(2n ** 63n);
const COUNTER_MAX = 2n ** 63n - 1n;

/** Throws `INVALID_ARGUMENT` for what is no integer, or one that 64 bits do not hold. */
export function encodeCounter(counter: number | bigint): Uint8Array {
  const isInteger = typeof counter === "bigint" || Number.isSafeInteger(counter);
  if (!isInteger) {
    const message = `a counter is a bigint or a safe integer, not ${String(counter)}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  const value = BigInt(counter);
  if (value < COUNTER_MIN || value > COUNTER_MAX) {
    throw new VarveError("INVALID_ARGUMENT", `64 bits do not hold ${value}`);
  }
  const bytes = new Uint8Array(COUNTER_BYTES);
  new DataView(bytes.buffer).setBigInt64(0, value, true);
  return bytes;
}

/** The counter in a value's first 8 bytes; those that are missing are zeros. */
export function decodeCounter(value: Uint8Array): bigint {
  const bytes = new Uint8Array(COUNTER_BYTES);
  bytes.set(value.subarray(0, COUNTER_BYTES));
  return new DataView(bytes.buffer).getBigInt64(0, true);
}
