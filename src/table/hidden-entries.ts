/**
 * Of a table that is being written: which entries are there for the past alone, as a newer version of their key, before
 * them in the same table, hides them. The two are folded into one once no snapshot, nor what is retained, lies between
 * them; all that decides is the newer one's sequence.
 *
 * Operands of different operators do not count: they wait for the value below them, whoever reads.
 */
import { headerBytes } from "../entry-header.ts";
import { baseKindOf, KIND } from "../key.ts";
import { operatorOf } from "../merge-operators.ts";
import type { MergeOperator } from "../store.ts";

/** What a table must be rid of for it to pay to write it anew. */
const SHARE = 0.25;

export class HiddenEntries {
  /** Sequences of the versions that hide one. */
  readonly #hiding: number[] = [];
  /** Of the last operand. */
  #operator: MergeOperator | undefined;

  get count(): number {
    return this.#hiding.length;
  }

  /** An entry that follows a newer version of its key, which has this sequence and kind. Before `seeOperand`. */
  add(
    sequence: number,
    newerKind: number,
    kind: number,
    value: Uint8Array,
    valueStart: number,
  ): void {
    if (baseKindOf(newerKind) === KIND.MERGE && baseKindOf(kind) === KIND.MERGE) {
      const operator = operatorOf(value, valueStart + headerBytes(kind));
      if (operator === undefined || operator !== this.#operator) return;
    }
    this.#hiding.push(sequence);
  }

  /** Any entry that is an operand. */
  seeOperand(kind: number, value: Uint8Array, valueStart: number): void {
    this.#operator = operatorOf(value, valueStart + headerBytes(kind));
  }

  /** The sequence up to which versions hide a quarter of so many entries; 0 where fewer are hidden. */
  quarterAt(entries: number): number {
    const quarter = Math.max(1, Math.ceil(entries * SHARE));
    if (this.#hiding.length < quarter) return 0;
    return Float64Array.from(this.#hiding).sort()[quarter - 1] ?? 0;
  }
}
