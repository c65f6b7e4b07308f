/** Sets of deleted ranges against a list of them, tried one by one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../src/bytes/compare.ts";
import { RangeTombstones } from "../../src/range-tombstones.ts";

const key = fc
  .array(fc.constantFrom(0, 1, 97, 255), { maxLength: 3 })
  .map((bytes) => Uint8Array.from(bytes));

interface Range {
  readonly start: Uint8Array;
  readonly end: Uint8Array | undefined;
  readonly sequence: number;
}

const ranges: fc.Arbitrary<Range[]> = fc.array(
  fc.record({
    start: key,
    end: fc.option(key, { nil: undefined, freq: 10 }),
    sequence: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.maxSafeNat()),
  }),
  { maxLength: 14 },
);

function setOf(all: readonly Range[]): RangeTombstones {
  const set = new RangeTombstones();
  for (const { start, end, sequence } of all) set.add(start, end, sequence);
  return set;
}

function covering(all: readonly Range[], at: Uint8Array, sequence: number): number {
  const deleted = all
    .filter(({ start, end }) => compareBytes(start, at) <= 0 && isBefore(at, end))
    .map((range) => range.sequence)
    .filter((one) => one <= sequence);
  return Math.max(0, ...deleted);
}

const isBefore = (at: Uint8Array, end: Uint8Array | undefined) =>
  end === undefined || compareBytes(at, end) < 0;

test("tells at which sequence a key was deleted last, as far as a reader sees", () => {
  fc.assert(
    fc.property(ranges, fc.array(key), fc.nat(21), (all, keys, sequence) => {
      const set = setOf(all);
      for (const one of [...keys, ...all.flatMap(({ start, end }) => [start, end ?? start])]) {
        for (const limit of [sequence, Number.MAX_SAFE_INTEGER]) {
          expect(set.covering(one, limit)).toBe(covering(all, one, limit));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("fragments are in order, without overlap, and come back from their bytes", () => {
  fc.assert(
    fc.property(ranges, (all) => {
      const set = setOf(all);
      const { fragments } = set;
      fragments.forEach(({ start, end, sequences }, i) => {
        expect(isBefore(start, end)).toBe(true);
        const next = fragments[i + 1];
        if (next !== undefined) expect(compareBytes(end as Uint8Array, next.start)).toBeLessThan(1);
        const newestFirst = [...new Set(sequences)].sort((a, b) => b - a);
        expect(sequences).toEqual(newestFirst);
      });
      expect(set.count).toBe(fragments.reduce((sum, { sequences }) => sum + sequences.length, 0));
      const again = RangeTombstones.decode(set.encode());
      expect(again?.fragments).toEqual(fragments);
      expect(again?.count).toBe(set.count);
    }),
    { numRuns: 500 },
  );
});

test("bytes that are cut off or too long are no set", () => {
  const bytes = setOf([{ start: Uint8Array.of(1), end: Uint8Array.of(9), sequence: 5 }]).encode();
  for (let length = 0; length < bytes.length; length++) {
    expect(RangeTombstones.decode(bytes.slice(0, length))).toBeUndefined();
  }
  expect(RangeTombstones.decode(Uint8Array.from([...bytes, 0]))).toBeUndefined();
});
