import fc from "fast-check";
import { expect, test } from "vitest";
import type { CompactionPlan } from "../../../src/compaction/picker.ts";
import { placeIngested } from "../../../src/compaction/place-ingested.ts";
import { LEVELS } from "../../../src/options.ts";
import type { TableMeta } from "../../../src/table/table-meta.ts";
import { Version } from "../../../src/version/version.ts";
import { type KeySpan, keySpan, overlaps, tableOf } from "../../support/table-metas.ts";

const LAST = LEVELS - 1;

function versionOf(...tables: (readonly [level: number, table: TableMeta])[]): Version {
  return Version.EMPTY.apply({
    added: tables.map(([level, table]) => ({ level, table })),
    removed: [],
  });
}

function levelsOf(version: Version, plans: readonly CompactionPlan[], ...tables: TableMeta[]) {
  return placeIngested(version, plans, tables).map(({ level }) => level);
}

test("a table goes to the last level where nothing is in its way, else above what is", () => {
  const version = versionOf(
    [LAST, tableOf(1, "b", "c")],
    [3, tableOf(2, "f", "g")],
    [0, tableOf(3, "j", "k")],
    [LAST, tableOf(4, "j", "l")],
  );
  const tables = [
    tableOf(11, "a", "a"),
    tableOf(12, "c", "d"),
    tableOf(13, "e", "h"),
    tableOf(14, "k", "m"),
  ];
  expect(levelsOf(version, [], ...tables)).toEqual([LAST, LAST - 1, 2, 0]);
});

test("what a running compaction may reach across is left alone, up to where it takes from", () => {
  const from = [tableOf(1, "b", "c"), tableOf(2, "p", "q")];
  const version = versionOf([3, from[0]!], [3, from[1]!]);
  const plan: CompactionPlan = {
    reason: "manual",
    inputs: [{ level: 3, tables: from }],
    outputLevel: 4,
    isMove: false,
  };
  const tables = [tableOf(11, "a", "a"), tableOf(12, "f", "g"), tableOf(13, "x", "y")];
  expect(levelsOf(version, [plan], ...tables)).toEqual([LAST, 3, LAST]);
  const fromLevel0 = { ...plan, inputs: [{ level: 0, tables: from }], outputLevel: LAST };
  const level0 = versionOf([0, from[0]!], [0, from[1]!]);
  expect(levelsOf(level0, [fromLevel0], ...tables)).toEqual([LAST, 0, LAST]);
});

test("no table is below or beside anything that it overlaps", () => {
  const placed = fc.array(fc.tuple(fc.integer({ min: 0, max: LAST }), keySpan), { maxLength: 12 });
  fc.assert(
    fc.property(placed, keySpan, (given, span) => {
      const kept: [level: number, span: KeySpan][] = [];
      for (const [level, one] of given) {
        const isFree = kept.every(([other, two]) => other !== level || !overlaps(one, two));
        if (level === 0 || isFree) kept.push([level, one]);
      }
      const tables = kept.map(
        ([level, { smallest, largest }], i) => [level, tableOf(i + 1, smallest, largest)] as const,
      );
      const table = tableOf(100, span.smallest, span.largest);
      const [level = 0] = levelsOf(versionOf(...tables), [], table);
      const above = kept.filter(([other, one]) => other <= level && overlaps(one, span));
      expect(level === 0 || above.length === 0).toBe(true);
      const isDeepest = kept.some(([other, one]) => other === level + 1 && overlaps(one, span));
      const isUnderLevel0 = kept.some(([other, one]) => other === 0 && overlaps(one, span));
      expect(level === LAST || isDeepest || isUnderLevel0).toBe(true);
    }),
  );
});
