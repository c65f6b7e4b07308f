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

/** Of a table's entries. */
const SHARE = 0.25;
/** Where it is told by keyspace what is hidden, it is in steps of this part of a table's entries. */
const STEPS = 32;
/** Where a table has keys of more of them it is not told by keyspace: most of them are small then. */
const PARTS_MAX = 1024;

/** Stands for all keyspaces that had no retention of their own when the table was written. */
export const REST = 0;

/**
 * By keyspace with a retention of its own, and for the `REST`, if there are keys of it in the table: how many of its
 * entries are hidden, and the sequences up to which as many of them are as are a 32nd of the table's entries, twice as
 * many, and so on, and all.
 */
export type HiddenParts = readonly HiddenPart[];
type HiddenPart = readonly [keyspace: number, hidden: number, sequences: readonly number[]];

export function isHiddenParts(value: unknown): value is HiddenParts {
  const isCount = (one: unknown) => Number.isSafeInteger(one) && (one as number) >= 0;
  const isCounts = (one: unknown) => Array.isArray(one) && one.every(isCount);
  const isPart = (one: unknown) =>
    Array.isArray(one) &&
    one.length === 3 &&
    isCount(one[0]) &&
    isCount(one[1]) &&
    isCounts(one[2]);
  return Array.isArray(value) && value.every(isPart);
}

/** At least so many of a part's entries, in a table of `entries`, are hidden by versions up to a sequence. */
export function hiddenUpTo([, hidden, sequences]: HiddenPart, entries: number, to: number): number {
  const steps = sequences.filter((sequence) => sequence <= to).length;
  return Math.min(hidden, steps * stepOf(entries));
}

/** What a table of so many entries must be rid of for it to pay to write it anew. */
export function quarterOf(entries: number): number {
  return Math.max(1, Math.ceil(entries * SHARE));
}

function stepOf(entries: number): number {
  return Math.max(1, Math.ceil(entries / STEPS));
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
    const { size } = this.#parts;
    if (size < 2 || size > PARTS_MAX || this.#count === 0) return undefined;
    const step = stepOf(entries);
    return [...this.#parts].map(([keyspace, hiding]) => {
      const last = hiding.length - 1;
      const sequences = sorted(hiding).filter((_, i) => i === last || (i + 1) % step === 0);
      return [keyspace, hiding.length, [...sequences]] as const;
    });
  }
}

function sorted(sequences: readonly number[]): Float64Array {
  return Float64Array.from(sequences).sort();
}
