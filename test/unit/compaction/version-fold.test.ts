/**
 * What is kept of a key's versions against what readers see: no snapshot, and no later read, can tell that versions
 * were dropped, neither by the value nor by how often the key was written and since when.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Stripes } from "../../../src/compaction/stripes.ts";
import { VersionFold } from "../../../src/compaction/version-fold.ts";
import { createdAtOf, headerBytes, revisionsOf } from "../../../src/entry-header.ts";
import {
  baseKindOf,
  FLAG,
  KIND,
  kindOf,
  sequenceOf,
  trailerHigh,
  trailerLow,
} from "../../../src/key.ts";

/** As stored: `kind` with flags, `value` with what stands in front of it. */
interface Stored {
  readonly sequence: number;
  readonly kind: number;
  readonly timeMs: number;
  readonly value: Uint8Array;
}

const LAST = 100;

/** Versions of one key, newest first; each one's value is its sequence. */
const versions: fc.Arbitrary<Stored[]> = fc
  .uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 })
  .chain((sequences) =>
    fc
      .array(fc.constantFrom(KIND.PUT, KIND.PUT, KIND.DELETE), {
        minLength: sequences.length,
        maxLength: sequences.length,
      })
      .map((kinds) =>
        sequences
          .sort((a, b) => b - a)
          .map((sequence, i) => {
            const kind = kinds[i] ?? KIND.PUT;
            const value = kind === KIND.PUT ? Uint8Array.of(sequence) : new Uint8Array();
            return { sequence, kind, timeMs: sequence * 1000, value };
          }),
      ),
  );

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
  const fold = new VersionFold(new Stripes(open));
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

/** What a reader at a sequence sees of the key, with as much of its past as these versions tell. */
function seen(all: readonly Stored[], at: number) {
  const [newest, ...older] = all.filter(({ sequence }) => sequence <= at);
  if (newest === undefined) return "deeper";
  if (newest.kind === KIND.DELETE) return "absent";
  const { sequence, timeMs, value } = newest;
  let revision = 0;
  let createdAt = 0;
  let goesDeeper = true;
  for (const one of [newest, ...older]) {
    if (baseKindOf(one.kind) === KIND.DELETE) goesDeeper = false;
    if (!goesDeeper) break;
    revision += revisionsOf(one.kind, one.value, 0);
    createdAt = createdAtOf(one.kind, one.value, 0, one.timeMs);
    if ((one.kind & FLAG.BORN) !== 0) goesDeeper = false;
  }
  const bare = value.slice(headerBytes(newest.kind));
  return { sequence, timeMs, value: bare, revision, createdAt, goesDeeper };
}

/** The same where nothing is deeper: a tombstone then hides nothing, and no past is hidden. */
function seenAtBottom(all: readonly Stored[], at: number) {
  const what = seen(all, at);
  if (what === "deeper") return "absent";
  return what === "absent" ? what : { ...what, goesDeeper: false };
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

test("what is kept is what some reader lands on, and nothing else", () => {
  fc.assert(
    fc.property(versions, snapshots, fc.boolean(), (all, open, hasDeeper) => {
      // A tombstone that hides nothing is not needed.
      const needed = new Set([...open, LAST].map((at) => all.find((one) => one.sequence <= at)));
      const oldest = all.find(({ sequence }) => sequence <= (open[0] ?? LAST));
      if (oldest?.kind === KIND.DELETE && !hasDeeper) needed.delete(oldest);
      const sequences = all.filter((one) => needed.has(one)).map(({ sequence }) => sequence);
      expect(kept(all, open, hasDeeper).map(({ sequence }) => sequence)).toEqual(sequences);
    }),
    { numRuns: 1000 },
  );
});

test("a version that stands for itself alone is kept as it was", () => {
  const one = { sequence: 5, kind: KIND.PUT, timeMs: 7, value: Uint8Array.of(1) };
  expect(kept([one], [], false)).toEqual([one]);
  expect(kept([one], [], true)).toEqual([one]);
});

test("deeper levels are asked of only for a tombstone that no snapshot needs, and for a past", () => {
  const asked: number[] = [];
  const run = (open: number[], ...versions: [sequence: number, kind: number][]) => {
    const fold = new VersionFold(new Stripes(open));
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
