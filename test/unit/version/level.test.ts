/** A sorted level against an array: what it holds, what it finds, and which edits it refuses. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import type { TableMeta } from "../../../src/table/table-meta.ts";
import { Level } from "../../../src/version/level.ts";
import { type KeySpan, keySpan, overlaps, rangeKey, tableOf } from "../../support/table-metas.ts";

const CORRUPTION = expect.objectContaining({ code: "CORRUPTION" });

interface Change {
  readonly adds: readonly KeySpan[];
  /** Places in the level of what is removed. */
  readonly removes: readonly number[];
}
const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.record({
    adds: fc.array(keySpan, { maxLength: 3 }),
    removes: fc.array(fc.nat(), { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 25 },
);

const byKey = (a: TableMeta, b: TableMeta) => compareBytes(a.smallest, b.smallest);

/** Does the changes one by one to a level and to an array, and calls `check` with both after each. */
function run(steps: readonly Change[], check: (level: Level, model: TableMeta[]) => void): void {
  let level = Level.EMPTY;
  let model: TableMeta[] = [];
  let number = 0;
  for (const { adds, removes } of steps) {
    const gone = new Set(removes.flatMap((pick) => model[pick % model.length]?.number ?? []));
    const added = adds.map(({ smallest, largest }) => tableOf(++number, smallest, largest));
    const next = model.filter((table) => !gone.has(table.number));
    let fits = true;
    for (const table of added) {
      fits &&= !next.some((other) => overlaps(other, table));
      next.push(table);
    }
    const before = [...level.files];
    if (fits) {
      const after = level.with(added, [...gone]);
      expect(level.files).toEqual(before);
      level = after;
      model = next.sort(byKey);
    } else {
      expect(() => level.with(added, [...gone])).toThrow(CORRUPTION);
      expect(level.files).toEqual(before);
    }
    check(level, model);
  }
}

test("holds what was added and not removed, in key order; overlap is refused", () => {
  fc.assert(
    fc.property(changes, (steps) => {
      run(steps, (level, model) => expect(level.files).toEqual(model));
    }),
    { numRuns: 150 },
  );
});

test("finds the table that covers a key, and those that overlap a range", () => {
  fc.assert(
    fc.property(changes, fc.array(rangeKey), fc.array(keySpan), (steps, keys, spans) => {
      run(steps, (level, model) => {
        for (const key of keys) {
          const at = model.findIndex((table) => compareBytes(table.largest, key) >= 0);
          expect(level.find(key)).toBe(at === -1 ? model.length : at);
          const covering = model.find((table) => overlaps(table, { smallest: key, largest: key }));
          expect(level.tableFor(key)).toBe(covering);
        }
        for (const span of spans) {
          const { smallest, largest } = span;
          const found = model.filter((table) => overlaps(table, span));
          expect(level.overlapping(smallest, largest)).toEqual(found);
          const from = model.filter((table) => compareBytes(table.largest, smallest) >= 0);
          expect(level.overlapping(smallest, undefined)).toEqual(from);
          const to = model.filter((table) => compareBytes(table.smallest, largest) <= 0);
          expect(level.overlapping(undefined, largest)).toEqual(to);
        }
        expect(level.overlapping(undefined, undefined)).toEqual(model);
      });
    }),
    { numRuns: 100 },
  );
});

test("tables that share one key overlap", () => {
  const level = Level.EMPTY.with([tableOf(1, "c", "f")], []);
  for (const [smallest, largest] of [
    ["a", "c"],
    ["f", "h"],
    ["d", "e"],
    ["a", "z"],
    ["c", "f"],
    ["c", "c"],
  ] as const) {
    expect(() => level.with([tableOf(2, smallest, largest)], []), `${smallest}-${largest}`).toThrow(
      expect.objectContaining({
        code: "CORRUPTION",
        message: "an edit adds table 2, which overlaps table 1",
      }),
    );
  }
  expect(level.with([tableOf(2, "a", "bz"), tableOf(3, "f\0", "z")], []).files).toHaveLength(3);
});

test("two tables of one edit may not overlap either, but one may take a removed one's place", () => {
  expect(() => Level.EMPTY.with([tableOf(1, "a", "c"), tableOf(2, "b", "d")], [])).toThrow(
    CORRUPTION,
  );
  const level = Level.EMPTY.with([tableOf(1, "a", "m")], []);
  expect(level.with([tableOf(2, "a", "m")], [1]).files).toEqual([tableOf(2, "a", "m")]);
});

test("what is not there cannot be removed, nor anything twice", () => {
  const level = Level.EMPTY.with([tableOf(1, "a", "b"), tableOf(2, "c", "d")], []);
  const refused = (number: number) =>
    expect.objectContaining({
      code: "CORRUPTION",
      message: `an edit removes table ${number}, which is not there`,
    });
  expect(() => level.with([], [3])).toThrow(refused(3));
  expect(() => level.with([], [1, 1])).toThrow(refused(1));
  expect(() => Level.EMPTY.with([tableOf(1, "a", "b")], [1])).toThrow(refused(1));
  expect(level.with([], [2, 1]).files).toEqual([]);
});
