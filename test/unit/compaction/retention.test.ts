/** Retention against what readers see: no snapshot, and no later read, can tell that versions were dropped. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Retention } from "../../../src/compaction/retention.ts";
import { KIND } from "../../../src/key.ts";

interface Stored {
  readonly sequence: number;
  readonly kind: number;
}

/** Versions of one key, newest first. */
const versions: fc.Arbitrary<Stored[]> = fc
  .uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 })
  .chain((sequences) =>
    fc
      .array(fc.constantFrom(KIND.PUT, KIND.DELETE), {
        minLength: sequences.length,
        maxLength: sequences.length,
      })
      .map((kinds) =>
        sequences
          .sort((a, b) => b - a)
          .map((sequence, i) => ({ sequence, kind: kinds[i] ?? KIND.PUT })),
      ),
  );

const snapshots = fc
  .uniqueArray(fc.nat(32), { maxLength: 5 })
  .map((sequences) => sequences.sort((a, b) => a - b));

function kept(all: readonly Stored[], open: readonly number[], hasDeeper: boolean): Stored[] {
  const retention = new Retention(open);
  retention.nextKey();
  return all.filter(({ sequence, kind }) => retention.keeps(sequence, kind, () => hasDeeper));
}

/** What a reader at a sequence sees of the key: a version's sequence, or nothing; "deeper" where that decides. */
function seen(
  all: readonly Stored[],
  at: number,
  hasDeeper: boolean,
): number | "deeper" | undefined {
  const found = all.find(({ sequence }) => sequence <= at);
  if (found === undefined) return hasDeeper ? "deeper" : undefined;
  return found.kind === KIND.DELETE ? undefined : found.sequence;
}

test("no snapshot and no later reader sees a difference", () => {
  fc.assert(
    fc.property(versions, snapshots, fc.boolean(), (all, open, hasDeeper) => {
      const rest = kept(all, open, hasDeeper);
      for (const at of [...open, 100]) {
        expect(seen(rest, at, hasDeeper)).toBe(seen(all, at, hasDeeper));
      }
    }),
    { numRuns: 1000 },
  );
});

test("nothing is kept that no reader needs", () => {
  fc.assert(
    fc.property(versions, snapshots, fc.boolean(), (all, open, hasDeeper) => {
      const rest = kept(all, open, hasDeeper);
      for (const one of rest) {
        const without = rest.filter((other) => other !== one);
        // Someone's read would find another version, or what a tombstone hides.
        const differs = [...open, 100].some((at) => {
          const [before, after] = [rest, without].map((some) => some.find((x) => x.sequence <= at));
          return before !== after;
        });
        expect(differs).toBe(true);
        const oldest = all.find(({ sequence }) => sequence <= (open[0] ?? 100));
        if (!hasDeeper && one === oldest) expect(one.kind).toBe(KIND.PUT);
      }
    }),
    { numRuns: 1000 },
  );
});

test("all is kept as it was told: the same versions, in brute force", () => {
  fc.assert(
    fc.property(versions, snapshots, fc.boolean(), (all, open, hasDeeper) => {
      // Of each reader's view the version that it lands on; a tombstone that hides nothing is not needed.
      const needed = new Set([...open, 100].map((at) => all.find((one) => one.sequence <= at)));
      const oldest = all.find(({ sequence }) => sequence <= (open[0] ?? 100));
      if (oldest?.kind === KIND.DELETE && !hasDeeper) needed.delete(oldest);
      expect(kept(all, open, hasDeeper)).toEqual(all.filter((one) => needed.has(one)));
    }),
    { numRuns: 1000 },
  );
});

test("deeper levels are asked of only for a tombstone that no snapshot needs", () => {
  const retention = new Retention([10]);
  const asked: number[] = [];
  const keeps = (sequence: number, kind: number) =>
    retention.keeps(sequence, kind, () => {
      asked.push(sequence);
      return false;
    });
  retention.nextKey();
  expect(keeps(12, KIND.DELETE)).toBe(true);
  expect(keeps(11, KIND.DELETE)).toBe(false);
  expect(keeps(10, KIND.PUT)).toBe(true);
  retention.nextKey();
  expect(keeps(10, KIND.DELETE)).toBe(false);
  expect(keeps(9, KIND.PUT)).toBe(false);
  expect(asked).toEqual([10]);
});

test("one key's versions do not hide another's", () => {
  const retention = new Retention([]);
  for (let key = 0; key < 3; key++) {
    retention.nextKey();
    expect(retention.keeps(5 + key, KIND.PUT, () => true)).toBe(true);
    expect(retention.keeps(1, KIND.PUT, () => true)).toBe(false);
  }
});
