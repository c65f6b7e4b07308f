/** Keys and values for clients, some of which send bytes best and some strings. */
import { randomNumbers } from "../support/keys.ts";

/** The same ASCII, in the two forms. */
export interface Datum {
  readonly text: string;
  readonly bytes: Buffer;
}

function datum(text: string): Datum {
  return { text, bytes: Buffer.from(text, "latin1") };
}

/** The `i`-th key: 16 characters in random order, no two alike. */
export function asciiKeyAt(i: number): Datum {
  const high = Math.imul(i, 0x9e3779b1) >>> 0;
  return datum(high.toString(16).padStart(8, "0") + i.toString(16).padStart(8, "0"));
}

const PIECE = 4;

/** `count` values of `bytes` random characters, a multiple of four. */
export function asciiValues(count: number, bytes: number): readonly Datum[] {
  const next = randomNumbers(23);
  const piece = () =>
    next(36 ** PIECE)
      .toString(36)
      .padStart(PIECE, "0");
  return Array.from({ length: count }, () =>
    datum(Array.from({ length: bytes / PIECE }, piece).join("")),
  );
}
