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

export class KeyAxis {
  /** All boundary keys, each once. Key `i` is stretch `2 i`; the gap behind it is `2 i + 1`. */
  readonly #keys: readonly Uint8Array[];
  /** Where each stretch begins, and at last where the last one ends. */
  readonly #starts: Float64Array;

  /** `levels` from the top down; tables of level 0 newest first. */
  constructor(levels: readonly { readonly tables: readonly LayoutTable[] }[]) {
    this.#keys = boundaryKeys(levels);
    const weights = new Float64Array(Math.max(0, 2 * this.#keys.length - 1));
    // Deeper tables come later and take the place of what is above.
    for (const { tables } of levels) {
      for (const table of tables) {
        const [first, last] = this.#stretches(table);
        weights.fill(table.fileBytes / (last - first + 1), first, last + 1);
      }
    }
    this.#starts = new Float64Array(weights.length + 1);
    for (let i = 0; i < weights.length; i++) this.#starts[i + 1] = this.#starts[i]! + weights[i]!;
    const total = this.#starts.at(-1) ?? 0;
    for (let i = 0; i < this.#starts.length && total > 0; i++) this.#starts[i]! /= total;
  }

  /** Of one of the tables that the line was made of. */
  placeOf(table: LayoutTable): Place {
    const [first, last] = this.#stretches(table);
    return { x0: this.#starts[first] ?? 0, x1: this.#starts[last + 1] ?? 0 };
  }

  #stretches({ smallest, largest }: LayoutTable): [first: number, last: number] {
    return [2 * this.#indexOf(smallest), 2 * this.#indexOf(largest)];
  }

  #indexOf(key: Uint8Array): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.#keys[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Sorted, each once. The levels come sorted, which is what makes this fast for many. */
function boundaryKeys(
  levels: readonly { readonly tables: readonly LayoutTable[] }[],
): readonly Uint8Array[] {
  const keys = levels.flatMap(({ tables }) =>
    tables.flatMap(({ smallest, largest }) => [smallest, largest]),
  );
  keys.sort(compareBytes);
  return keys.filter((key, i) => i === 0 || compareBytes(keys[i - 1]!, key) !== 0);
}
