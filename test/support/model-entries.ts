/** Entries as plain objects, in internal-key order: what the tests of cursors compare with. */
import fc from "fast-check";
import { compareBytes } from "../../src/bytes/compare.ts";
import { CURSOR, type EntryCursor } from "../../src/entry-cursor.ts";
import {
  COMMIT_TIME_MAX_MS,
  compareTrailers,
  KIND,
  kindOf,
  sequenceOf,
  trailerHigh,
  trailerLow,
} from "../../src/key.ts";

const BASE_MS = Date.UTC(2026, 0, 1);

export interface ModelEntry {
  readonly key: Uint8Array;
  readonly sequence: number;
  readonly kind: number;
  readonly timeMs: number;
  readonly value: Uint8Array;
}

/** A place in internal-key order, which no entry need have. */
export interface ModelTarget {
  readonly key: Uint8Array;
  readonly sequence: number;
  readonly kind: number;
}

export function compareEntries(a: ModelTarget, b: ModelTarget): number {
  const order = compareBytes(a.key, b.key);
  if (order !== 0) return order;
  return compareTrailers(
    trailerLow(a.sequence, a.kind),
    trailerHigh(a.sequence),
    trailerLow(b.sequence, b.kind),
    trailerHigh(b.sequence),
  );
}

export function sortEntries(entries: readonly ModelEntry[]): ModelEntry[] {
  return [...entries].sort(compareEntries);
}

/** What the cursor stands on, copied. */
export function entryAt(cursor: EntryCursor): ModelEntry | undefined {
  if (cursor.state !== CURSOR.VALID) return undefined;
  return {
    key: Uint8Array.from(cursor.key.subarray(cursor.keyStart, cursor.keyEnd)),
    sequence: sequenceOf(cursor.trailerLow, cursor.trailerHigh),
    kind: kindOf(cursor.trailerLow),
    timeMs: cursor.timeMs(),
    value: Uint8Array.from(cursor.value.subarray(cursor.valueStart, cursor.valueEnd)),
  };
}

/** Keys from a small world, so that they repeat and share prefixes of more than eight bytes. */
export const modelKey: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom("", "a", "user:", "user:0000", "user:00000000", "\u00ff"),
    fc.array(fc.constantFrom(0, 1, 97, 127, 128, 255), { maxLength: 3 }),
  )
  .map(([prefix, rest]) => Uint8Array.from([...Buffer.from(prefix, "latin1"), ...rest]))
  .filter((key) => key.length > 0);

/** Sequences of both halves of the trailer. */
const spread = (sequence: number, wide: boolean): number =>
  wide ? sequence * (2 ** 24 - 3) : sequence;

/** Times as close together as within a second, or as far apart as decades. */
export const modelTimes: fc.Arbitrary<readonly number[]> = fc
  .constantFrom(0, 900, 2 ** 20, 2 ** 36, COMMIT_TIME_MAX_MS)
  .chain((span) =>
    fc.array(
      fc.nat(span).map((ms) => Math.min(BASE_MS + ms, COMMIT_TIME_MAX_MS)),
      { minLength: 8, maxLength: 8 },
    ),
  );

/** Entries in the order of their sequences, each of which one entry has. */
export const modelEntries: fc.Arbitrary<ModelEntry[]> = fc
  .tuple(
    fc.boolean(),
    modelTimes,
    fc.array(
      fc.record({
        key: modelKey,
        isDelete: fc.boolean(),
        value: fc.uint8Array({ maxLength: 40 }),
      }),
      { maxLength: 80, size: "max" },
    ),
  )
  .map(([wide, times, writes]) =>
    writes.map(({ key, isDelete, value }, i) => ({
      key,
      sequence: spread(i + 1, wide),
      kind: isDelete ? KIND.DELETE : KIND.PUT,
      timeMs: times[i % times.length]!,
      value: isDelete ? new Uint8Array() : value,
    })),
  );

export type ModelMove =
  | { readonly type: "first" | "last" | "next" | "prev" }
  | { readonly type: "seek" | "seekBefore"; readonly target: ModelTarget };

export const modelTarget: fc.Arbitrary<ModelTarget> = fc.record({
  key: modelKey,
  sequence: fc.oneof(fc.nat(90), fc.constant(Number.MAX_SAFE_INTEGER)),
  kind: fc.constantFrom(0, 1, 255),
});

const oneMove: fc.Arbitrary<ModelMove> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("first" as const, "last" as const) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constantFrom("next" as const, "prev" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom("seek" as const, "seekBefore" as const),
      target: modelTarget,
    }),
  },
);
export const modelMoves: fc.Arbitrary<ModelMove[]> = fc.array(oneMove, {
  maxLength: 60,
  size: "max",
});

/** Starts a move; a step from no entry is left out, as the contract forbids it. False where it was. */
export function startMove(cursor: EntryCursor, move: ModelMove): boolean {
  switch (move.type) {
    case "first":
      cursor.first();
      return true;
    case "last":
      cursor.last();
      return true;
    case "next":
      if (cursor.state !== CURSOR.VALID) return false;
      cursor.next();
      return true;
    case "prev":
      if (cursor.state !== CURSOR.VALID) return false;
      cursor.prev();
      return true;
    case "seek":
    case "seekBefore": {
      const { key, sequence, kind } = move.target;
      cursor[move.type](key, trailerLow(sequence, kind), trailerHigh(sequence));
      return true;
    }
  }
}

/** The same moves over a sorted array. */
export class ModelCursor {
  readonly #entries: readonly ModelEntry[];
  #at = -1;

  constructor(sorted: readonly ModelEntry[]) {
    this.#entries = sorted;
  }

  get entry(): ModelEntry | undefined {
    return this.#entries[this.#at];
  }

  move(move: ModelMove): void {
    const entries = this.#entries;
    switch (move.type) {
      case "first":
        this.#at = 0;
        break;
      case "last":
        this.#at = entries.length - 1;
        break;
      case "next":
        this.#at++;
        break;
      case "prev":
        this.#at--;
        break;
      case "seek":
      case "seekBefore": {
        const found = entries.findIndex((entry) => compareEntries(entry, move.target) >= 0);
        const seek = found === -1 ? entries.length : found;
        this.#at = move.type === "seek" ? seek : seek - 1;
        break;
      }
    }
  }
}
