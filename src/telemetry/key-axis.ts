/**
 * Where key ranges lie on a line from 0 to 1, so that tables can be drawn by them. Keys have no distances, so places come
 * from what is stored: the boundary keys of all tables, in order, cut the line into stretches, one for each boundary
 * key itself and one for what is between it and the next. A stretch is as wide as its part of the bytes of the deepest
 * table that covers it, which is cut into as many equal parts as it covers stretches. What no table covers has no width.
 *
 * Invariant: tables without a common key lie beside one another, as no stretch is shared; every table has a width.
 */
import { compareBytes } from "../bytes/compare.ts";
import type { LayoutTable } from "../engine/layout.ts";

export interface Place {
  readonly x0: number;
  readonly x1: number;
}

/**
 * By the table's number. `levels` from the top down; tables of level 0 newest first, of the others by key. Fifty thousand
 * tables take some 40 ms.
 */
export function placeTables(
  levels: readonly { readonly tables: readonly LayoutTable[] }[],
): Map<number, Place> {
  const tables = levels.flatMap((level) => level.tables);
  const stretches = stretchesOf(tables);
  const starts = startsOf(tables, stretches);
  const places = new Map<number, Place>();
  for (const [i, { number }] of tables.entries()) {
    const x0 = starts[stretches[2 * i]!]!;
    places.set(number, { x0, x1: starts[stretches[2 * i + 1]! + 1]! });
  }
  return places;
}

/** Of each table the first and the last stretch. The key that is the `i`th, of those that differ, is stretch `2 i`. */
function stretchesOf(tables: readonly LayoutTable[]): Uint32Array {
  const keys = tables.flatMap(({ smallest, largest }) => [smallest, largest]);
  // The levels come sorted one by one, which makes this fast: the sort merges what is in order already.
  const order = keys.map((_, i) => i).sort((a, b) => compareBytes(keys[a]!, keys[b]!));
  const stretches = new Uint32Array(keys.length);
  let stretch = 0;
  for (const [i, at] of order.entries()) {
    const before = order[i - 1];
    if (before !== undefined && compareBytes(keys[before]!, keys[at]!) !== 0) stretch += 2;
    stretches[at] = stretch;
  }
  return stretches;
}

/** Where each stretch begins, and at last where the last one ends. */
function startsOf(tables: readonly LayoutTable[], stretches: Uint32Array): Float64Array {
  let last = -1;
  for (const stretch of stretches) last = Math.max(last, stretch);
  const weights = new Float64Array(last + 1);
  // Deeper tables come later and take the place of what is above.
  for (const [i, { fileBytes }] of tables.entries()) {
    const [from, to] = [stretches[2 * i]!, stretches[2 * i + 1]!];
    weights.fill(fileBytes / (to - from + 1), from, to + 1);
  }
  const starts = new Float64Array(weights.length + 1);
  for (let i = 0; i < weights.length; i++) starts[i + 1] = starts[i]! + weights[i]!;
  const total = starts.at(-1) ?? 0;
  return starts.map((start) => start / total);
}
