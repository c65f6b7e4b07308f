/**
 * What is kept of a key's versions against what readers see: no snapshot, and no later read, can tell that versions
 * were dropped, neither by the value nor by how often the key was written and since when.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Stripes } from "../../../src/compaction/stripes.ts";
import { VersionFold } from "../../../src/compaction/version-fold.ts";
import {
  createdAtOf,
  expiresAtOf,
  headerBytes,
  revisionsOf,
  withExpiry,
} from "../../../src/entry-header.ts";
import {
  baseKindOf,
  FLAG,
  KIND,
  kindOf,
  sequenceOf,
  trailerHigh,
  trailerLow,
} from "../../../src/key.ts";
import {
  applyOperand,
  combineOperands,
  encodeOperand,
  operatorOf,
} from "../../../src/merge-operators.ts";
import type { MergeOperator } from "../../../src/store.ts";

/** As stored: `kind` with flags, `value` with what stands in front of it. */
interface Stored {
  readonly sequence: number;
  readonly kind: number;
  readonly timeMs: number;
  readonly value: Uint8Array;
}

const LAST = 100;
/** By the clock of the fold: after all versions of the tests were written. */
const NOW_MS = 50_000;
const TIMES = { nowMs: NOW_MS, newerFromMs: NOW_MS };

interface Write {
  readonly kind: number;
  /** Of a put: milliseconds that it lives, or nothing where it does not expire. */
  readonly lifeMs: number | undefined;
  readonly operator: MergeOperator;
}

const write: fc.Arbitrary<Write> = fc.record({
  kind: fc.constantFrom(KIND.PUT, KIND.PUT, KIND.DELETE, KIND.MERGE),
  lifeMs: fc.option(fc.constantFrom(500, 1500, 4000, 30_000, 100_000), { nil: undefined }),
  operator: fc.constantFrom("add" as const, "append" as const),
});

/** Of a counter or a text, whichever; each version's own. */
const payload = (sequence: number) => Uint8Array.of(sequence, 0, 0, 0, 0, 0, 0, 0);

/**
 * Versions of one key, newest first, a second apart. An operand is never written over what expires: the engine writes
 * a value then.
 */
const versions: fc.Arbitrary<Stored[]> = fc
  .uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 })
  .chain((sequences) =>
    fc.array(write, { minLength: sequences.length, maxLength: sequences.length }).map((writes) => {
      const ascending = sequences.sort((a, b) => a - b);
      const stored: Stored[] = [];
      for (const [i, sequence] of ascending.entries()) {
        stored.push(storedOf(writes[i] as Write, sequence, stored.at(-1)));
      }
      return stored.reverse();
    }),
  );

function storedOf({ kind, lifeMs, operator }: Write, sequence: number, before: Stored | undefined) {
  const timeMs = sequence * 1000;
  const value = payload(sequence);
  const isOverExpiring = before !== undefined && (before.kind & FLAG.EXPIRES) !== 0;
  if (kind === KIND.DELETE) return { sequence, kind, timeMs, value: new Uint8Array() };
  if (kind === KIND.MERGE && !isOverExpiring) {
    return { sequence, kind, timeMs, value: encodeOperand(operator, value) };
  }
  if (lifeMs === undefined) return { sequence, kind: KIND.PUT, timeMs, value };
  const expiring = withExpiry(value, timeMs + lifeMs);
  return { sequence, kind: KIND.PUT | FLAG.EXPIRES, timeMs, value: expiring };
}

const snapshots = fc
  .uniqueArray(fc.nat(32), { maxLength: 5 })
  .map((sequences) => sequences.sort((a, b) => a - b));

function keptBy(fold: VersionFold): Stored {
  const { trailerLow: low, trailerHigh: high, timeMs, value, valueStart, valueEnd } = fold;
  const kind = kindOf(low);
  return {
    sequence: sequenceOf(low, high),
    kind,
    timeMs,
    value: value.slice(valueStart, valueEnd),
  };
}

function kept(all: readonly Stored[], open: readonly number[], hasDeeper: boolean): Stored[] {
  const fold = new VersionFold(new Stripes(open), TIMES);
  const rest: Stored[] = [];
  for (const { sequence, kind, timeMs, value } of all) {
    const low = trailerLow(sequence, kind);
    const high = trailerHigh(sequence);
    const bytes = Uint8Array.from([0xaa, ...value, 0xbb]);
    const version = {
      trailerLow: low,
      trailerHigh: high,
      value: bytes,
      valueStart: 1,
      valueEnd: 1 + value.length,
      timeMs: () => timeMs,
    };
    if (fold.add(version)) rest.push(keptBy(fold));
  }
  if (fold.end(() => hasDeeper)) rest.push(keptBy(fold));
  return rest;
}

/** What a reader at a sequence sees of the key now, with as much of its past as these versions tell. */
function seen(all: readonly Stored[], at: number) {
  const visible = all.filter(({ sequence }) => sequence <= at);
  const [newest] = visible;
  if (newest === undefined) return "deeper";
  if (baseKindOf(newest.kind) === KIND.DELETE || expiryOf(newest) <= NOW_MS) return "absent";
  const { sequence, timeMs } = newest;
  return { sequence, timeMs, ...storedValue(visible), ...pastOf(visible) };
}

function expiryOf({ kind, value }: Stored): number {
  return expiresAtOf(kind, value, 0);
}

/** The value, as far as it is known, and the operands that wait for what is deeper. */
function storedValue(visible: readonly Stored[]) {
  const operands: Uint8Array[] = [];
  let base: Uint8Array | "deeper" | undefined = "deeper";
  for (const one of visible) {
    const bare = one.value.slice(headerBytes(one.kind));
    if (baseKindOf(one.kind) === KIND.MERGE) {
      operands.push(bare);
      continue;
    }
    base = baseKindOf(one.kind) === KIND.PUT ? bare : undefined;
    break;
  }
  if (base === "deeper") return { waiting: combined(operands) };
  let value = base;
  for (const operand of operands.reverse()) {
    value = applyOperand(operatorOf(operand, 0) as MergeOperator, value, operand.slice(1));
  }
  return { value };
}

/** Operands, newest first, with neighbours of one operator folded together. */
function combined(operands: readonly Uint8Array[]): Uint8Array[] {
  const rest: Uint8Array[] = [];
  for (const operand of operands) {
    const newer = rest.at(-1);
    const operator = operatorOf(operand, 0) as MergeOperator;
    if (newer === undefined || operatorOf(newer, 0) !== operator) rest.push(operand);
    else {
      rest.pop();
      const both = combineOperands(operator, operand.slice(1), newer.slice(1));
      rest.push(encodeOperand(operator, both));
    }
  }
  return rest;
}

function pastOf(visible: readonly Stored[]) {
  let revision = 0;
  let createdAt = 0;
  let goesDeeper = true;
  for (const one of visible) {
    const isTombstone = baseKindOf(one.kind) === KIND.DELETE && (one.kind & FLAG.EXPIRES) === 0;
    const wasOver = revision > 0 && expiryOf(one) <= createdAt;
    if (isTombstone || wasOver) goesDeeper = false;
    if (!goesDeeper) break;
    revision += revisionsOf(one.kind, one.value, 0);
    createdAt = createdAtOf(one.kind, one.value, 0, one.timeMs);
    if ((one.kind & FLAG.BORN) !== 0) goesDeeper = false;
  }
  return { revision, createdAt, goesDeeper };
}

/** The same where nothing is deeper: a tombstone then hides nothing, and no past is hidden. */
function seenAtBottom(all: readonly Stored[], at: number) {
  const what = seen(all, at);
  if (what === "deeper") return "absent";
  if (what === "absent") return what;
  const { waiting, ...rest } = { waiting: undefined, ...what };
  if (waiting === undefined) return { ...rest, goesDeeper: false };
  let value: Uint8Array | undefined;
  for (const operand of [...waiting].reverse()) {
    value = applyOperand(operatorOf(operand, 0) as MergeOperator, value, operand.slice(1));
  }
  return { ...rest, value, goesDeeper: false };
}

test("no snapshot and no later reader sees a difference, in value or past", () => {
  fc.assert(
    fc.property(versions, snapshots, fc.boolean(), (all, open, hasDeeper) => {
      const rest = kept(all, open, hasDeeper);
      const view = hasDeeper ? seen : seenAtBottom;
      for (const at of [...open, LAST]) expect(view(rest, at)).toEqual(view(all, at));
    }),
    { numRuns: 1000 },
  );
});

test("versions may be folded in any number of steps, with new ones and closed snapshots in between", () => {
  fc.assert(
    fc.property(versions, snapshots, fc.nat(12), (all, open, count) => {
      const older = kept(all.slice(count), open, true);
      const later = open.slice(0, -1);
      const rest = kept([...all.slice(0, count), ...older], later, true);
      for (const at of [...later, LAST]) expect(seen(rest, at)).toEqual(seen(all, at));
    }),
    { numRuns: 1000 },
  );
});

test("what is kept is what some reader lands on, and operands that could not be folded", () => {
  fc.assert(
    fc.property(versions, snapshots, fc.boolean(), (all, open, hasDeeper) => {
      const needed = new Set([...open, LAST].map((at) => all.find((one) => one.sequence <= at)));
      const rest = kept(all, open, hasDeeper);
      for (const one of rest.filter(({ sequence }) => !isAmong(needed, sequence))) {
        // The operand above it is of another operator.
        const above = rest[rest.indexOf(one) - 1];
        expect(above === undefined ? undefined : baseKindOf(above.kind)).toBe(KIND.MERGE);
      }
      const oldest = all.find(({ sequence }) => sequence <= (open[0] ?? LAST));
      for (const one of needed) {
        if (one === undefined || isAmong(new Set(rest), one.sequence)) continue;
        // What hides nothing is not needed.
        expect(hasDeeper).toBe(false);
        expect(one).toBe(oldest);
        expect(one.kind === KIND.DELETE || expiryOf(one) <= NOW_MS).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});

function isAmong(some: ReadonlySet<Stored | undefined>, sequence: number): boolean {
  return [...some].some((one) => one?.sequence === sequence);
}

test("what expired is kept without its value for as long as something newer may count it", () => {
  const expired = storedOf({ kind: KIND.PUT, lifeMs: 500, operator: "add" }, 5, undefined);
  const fold = (newerFromMs: number) => {
    const folding = new VersionFold(new Stripes([]), { nowMs: NOW_MS, newerFromMs });
    folding.add({
      trailerLow: trailerLow(5, expired.kind),
      trailerHigh: 0,
      value: expired.value,
      valueStart: 0,
      valueEnd: expired.value.length,
      timeMs: () => expired.timeMs,
    });
    return folding.end(() => false) ? keptBy(folding) : undefined;
  };
  expect(fold(5501)).toBeUndefined();
  const value = expired.value.slice(0, 6);
  expect(fold(5500)).toMatchObject({ kind: KIND.DELETE | FLAG.EXPIRES, value });
});

test("a version that stands for itself alone is kept as it was", () => {
  const one = { sequence: 5, kind: KIND.PUT, timeMs: 7, value: Uint8Array.of(1) };
  expect(kept([one], [], false)).toEqual([one]);
  expect(kept([one], [], true)).toEqual([one]);
});

test("deeper levels are asked of only for a tombstone that no snapshot needs, and for a past", () => {
  const asked: number[] = [];
  const run = (open: number[], ...versions: [sequence: number, kind: number][]) => {
    const fold = new VersionFold(new Stripes(open), TIMES);
    for (const [sequence, kind] of versions) {
      fold.add({
        trailerLow: trailerLow(sequence, kind),
        trailerHigh: 0,
        value: new Uint8Array(),
        valueStart: 0,
        valueEnd: 0,
        timeMs: () => 0,
      });
    }
    fold.end(() => {
      asked.push(versions[0]![0]);
      return false;
    });
  };
  run([10], [12, KIND.DELETE], [11, KIND.DELETE]);
  run([10], [13, KIND.PUT]);
  expect(asked).toEqual([]);
  run([10], [10, KIND.DELETE], [9, KIND.PUT]);
  run([], [8, KIND.PUT], [7, KIND.PUT]);
  expect(asked).toEqual([10, 8]);
});
