/** Whole numbers as people write them, of any size. */
import { InvalidArgumentError } from "commander";

/** `undefined` for what is no whole number. */
export function integerOf(text: string): bigint | undefined {
  return /^[+-]?\d+$/.test(text) ? BigInt(text) : undefined;
}

/** For arguments and options. */
export function parseInteger(text: string): bigint {
  const integer = integerOf(text);
  if (integer === undefined) throw new InvalidArgumentError(`${text} is not a whole number`);
  return integer;
}

/** For counts and sequences: from 0. */
export function parseWhole(text: string): number {
  const number = Number(integerOf(text) ?? -1n);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError(`${text} is not a whole number from 0`);
}
