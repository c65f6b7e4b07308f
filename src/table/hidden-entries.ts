/**
 * Of a table that is being written: which entries are there for the past alone, as a newer version of their key, before
 * them in the same table, hides them. The two are folded into one once no snapshot, nor what is retained, lies between
 * them; all that decides is the newer one's sequence.
 *
 * Operands of different operators do not count: they wait for the value below them, whoever reads.
 *
 * How far back the past is retained may differ between keyspaces. A table with keys of one that has a retention of its
 * own, and of others, tells them apart (`HiddenParts`).
 */
import { headerBytes } from "../entry-header.ts";
import { baseKindOf, KIND } from "../key.ts";
import { operatorOf } from "../merge-operators.ts";
import type { MergeOperator } from "../store.ts";

/** What a table must be rid of for it to pay to write it anew. */
const SHARE = 0.25;
/** Into so many parts a table's entries are divided where it is told by keyspace how many are hidden. */
const MARKS_MAX = 32;

/** Stands for all keyspaces that had no retention of their own when the table was written. */
export const REST = 0;

/**
 * By keyspace with a retention of its own, and for the `REST`, if there are keys of it in the table: the sequences up to
 * which so many of its entries are hidden as are a 32nd of the table's, twice as many, and so on, ascending.
 */
export type HiddenParts = readonly (readonly [keyspace: number, sequences: readonly number[]])[];

export function isHiddenParts(value: unknown): value is HiddenParts {
  const isCount = (one: unknown) => Number.isSafeInteger(one) && (one as number) >= 0;
  const isPart = (one: unknown) =>
    Array.isArray(one) && one.length === 2 && isCount(one[0]) && isCounts(one[1]);
  const isCounts = (one: unknown) => Array.isArray(one) && one.every(isCount);
  return Array.isArray(value) && value.every(isPart);
}

/** Whether it pays to write a table anew that is rid by that of what so many marks of its parts stand for. */
export function isShareOf(entries: number, marks: number): boolean {
  return marks * markEntries(entries) >= quarterOf(entries);
}

function markEntries(entries: number): number {
  return Math.max(1, Math.ceil(entries / MARKS_MAX));
}

function quarterOf(entries: number): number {
  return Math.max(1, Math.ceil(entries * SHARE));
}

export class HiddenEntries {
  /** Sequences of the versions that hide one; of the present keyspace alone, where they are told apart. */
  #hiding: number[] = [];
  #count = 0;
  readonly #parts = new Map<number, number[]>();
  #keyspace: number | undefined;
  /** Of the last operand. */
  #operator: MergeOperator | undefined;

  get count(): number {
    return this.#count;
  }

  /** What comes from now on is of this keyspace, or of the `REST`. */
  enter(keyspace: number): void {
    if (keyspace === this.#keyspace) return;
    this.#keyspace = keyspace;
    const known = this.#parts.get(keyspace);
    this.#hiding = known ?? [];
    if (known === undefined) this.#parts.set(keyspace, this.#hiding);
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
    this.#count++;
    this.#hiding.push(sequence);
  }

  /** Any entry that is an operand. */
  seeOperand(kind: number, value: Uint8Array, valueStart: number): void {
    this.#operator = operatorOf(value, valueStart + headerBytes(kind));
  }

  /** The sequence up to which versions hide a quarter of so many entries; 0 where fewer are hidden. */
  quarterAt(entries: number): number {
    const quarter = quarterOf(entries);
    if (this.#count < quarter) return 0;
    const hiding = this.#parts.size === 0 ? this.#hiding : [...this.#parts.values()].flat();
    return sorted(hiding)[quarter - 1] ?? 0;
  }

  /** Of a table of so many entries; `undefined` where there is nothing to tell apart. */
  parts(entries: number): HiddenParts | undefined {
    if (this.#parts.size < 2 || this.#count === 0) return undefined;
    const step = markEntries(entries);
    return [...this.#parts].map(([keyspace, hiding]) => {
      const marks = sorted(hiding).filter((_, i) => (i + 1) % step === 0);
      return [keyspace, [...marks]] as const;
    });
  }
}

function sorted(sequences: readonly number[]): Float64Array {
  return Float64Array.from(sequences).sort();
}
