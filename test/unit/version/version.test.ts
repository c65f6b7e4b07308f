/** A version against plain arrays: what each level holds, in which order it is read, and what it sums up to. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import { LEVELS } from "../../../src/options.ts";
import type { TableMeta } from "../../../src/table/table-meta.ts";
import type { VersionEdit } from "../../../src/version/edit.ts";
import { Version } from "../../../src/version/version.ts";
import { type KeySpan, keySpan, overlaps, rangeKey, tableOf } from "../../support/table-metas.ts";

const CORRUPTION = expect.objectContaining({ code: "CORRUPTION" });

interface Step {
  readonly adds: readonly {
    readonly level: number;
    readonly span: KeySpan;
    readonly bytes: number;
  }[];
  readonly removes: readonly { readonly level: number; readonly pick: number }[];
}
const someLevel = fc.constantFrom(0, 0, 1, 2, LEVELS - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    adds: fc.array(fc.record({ level: someLevel, span: keySpan, bytes: fc.nat(5000) }), {
      maxLength: 4,
    }),
    removes: fc.array(fc.record({ level: someLevel, pick: fc.nat() }), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 20 },
);

type Levels = readonly TableMeta[][];

function sum(tables: readonly TableMeta[], of: (table: TableMeta) => number): number {
  return tables.reduce((total, table) => total + of(table), 0);
}

/** The edit, and what the levels are after it; `undefined` where it does not fit. */
function plan(
  step: Step,
  levels: Levels,
  from: number,
): { edit: VersionEdit; after: Levels | undefined } {
  const removed = new Map<number, number>();
  for (const { level, pick } of step.removes) {
    const table = levels[level]![pick % levels[level]!.length];
    if (table !== undefined) removed.set(table.number, level);
  }
  const after = levels.map((tables) => tables.filter(({ number }) => !removed.has(number)));
  let fits = true;
  const added = step.adds.map(({ level, span, bytes }, i) => {
    const number = from + i;
    const rest = {
      fileBytes: bytes,
      entries: bytes % 7,
      tombstones: bytes % 3,
      expiring: bytes % 5,
      rangeDeletes: bytes % 2,
      hidden: bytes % 4,
    };
    const table = tableOf(number, span.smallest, span.largest, rest);
    fits &&= level === 0 || !after[level]!.some((other) => overlaps(other, table));
    after[level]!.push(table);
    return { level, table };
  });
  after.forEach((tables, level) => {
    tables.sort((a, b) =>
      level === 0 ? b.largestSequence - a.largestSequence : compareBytes(a.smallest, b.smallest),
    );
  });
  const edit = { added, removed: [...removed].map(([number, level]) => ({ level, number })) };
  return { edit, after: fits ? after : undefined };
}

function run(all: readonly Step[], check: (version: Version, levels: Levels) => void): void {
  let version = Version.EMPTY;
  let levels: Levels = Array.from({ length: LEVELS }, () => []);
  let number = 1;
  for (const step of all) {
    const { edit, after } = plan(step, levels, number);
    number += edit.added.length;
    if (after === undefined) expect(() => version.apply(edit)).toThrow(CORRUPTION);
    else {
      const before = version;
      version = before.apply(edit);
      // The old version is its readers' still.
      levels.forEach((tables, level) => {
        expect(before.files(level)).toEqual(tables);
      });
      levels = after;
    }
    check(version, levels);
  }
}

test("edits add and remove, level by level, or are refused as a whole", () => {
  fc.assert(
    fc.property(steps, (all) => {
      run(all, (version, levels) => {
        levels.forEach((tables, level) => {
          expect(version.files(level), `level ${level}`).toEqual(tables);
        });
        expect(version.level0).toEqual(levels[0]);
      });
    }),
    { numRuns: 100 },
  );
});

test("totals are the sums of what the tables say", () => {
  fc.assert(
    fc.property(steps, (all) => {
      run(all, (version, levels) => {
        levels.forEach((tables, level) => {
          expect(version.totals(level)).toEqual({
            files: tables.length,
            bytes: sum(tables, ({ fileBytes }) => fileBytes),
            entries: sum(tables, ({ entries }) => entries),
            tombstones: sum(tables, ({ tombstones }) => tombstones),
            expiring: sum(tables, ({ expiring }) => expiring),
            rangeDeletes: sum(tables, ({ rangeDeletes }) => rangeDeletes),
            hidden: sum(tables, ({ hidden }) => hidden),
          });
        });
      });
    }),
    { numRuns: 50 },
  );
});

test("a read asks level 0 newest first, then one table of each deeper level", () => {
  fc.assert(
    fc.property(steps, fc.array(rangeKey), fc.array(keySpan), (all, keys, spans) => {
      run(all, (version, levels) => {
        for (const key of keys) {
          const span = { smallest: key, largest: key };
          const found = levels.flatMap((tables) => tables.filter((table) => overlaps(table, span)));
          expect(version.tablesFor(key)).toEqual(found);
        }
        for (const span of spans) {
          levels.forEach((tables, level) => {
            const found = tables.filter((table) => overlaps(table, span));
            expect(version.overlapping(level, span.smallest, span.largest)).toEqual(found);
          });
        }
        expect(version.overlapping(0, undefined, undefined)).toEqual(levels[0]);
      });
    }),
    { numRuns: 50 },
  );
});

test("one edit makes a version out of nothing", () => {
  fc.assert(
    fc.property(steps, (all) => {
      run(all, (version) => {
        const again = Version.EMPTY.apply(version.asEdit());
        for (let level = 0; level < LEVELS; level++) {
          expect(again.files(level)).toEqual(version.files(level));
          expect(again.totals(level)).toEqual(version.totals(level));
        }
      });
    }),
    { numRuns: 50 },
  );
});

test("tables of level 0 may overlap, and a table may move down in one edit", () => {
  const tables = [1, 2, 3].map((number) => tableOf(number, "a", "z"));
  const version = Version.EMPTY.apply({
    added: tables.map((table) => ({ level: 0, table })),
    removed: [],
  });
  expect(version.level0.map(({ number }) => number)).toEqual([3, 2, 1]);
  const oldest = tables[0]!;
  const moved = version.apply({
    added: [{ level: 6, table: oldest }],
    removed: [{ level: 0, number: 1 }],
  });
  expect(moved.tablesFor(oldest.smallest).map(({ number }) => number)).toEqual([3, 2, 1]);
  expect([moved.totals(0).files, moved.totals(6).files]).toEqual([2, 1]);
});

test("a table that is not there, or is on another level, cannot be removed", () => {
  const added = [
    { level: 0, table: tableOf(1, "a", "b") },
    { level: 2, table: tableOf(2, "a", "b") },
  ];
  const version = Version.EMPTY.apply({ added, removed: [] });
  for (const [level, number] of [
    [0, 2],
    [0, 3],
    [1, 2],
    [2, 1],
    [2, 3],
    [6, 1],
  ] as const) {
    expect(() => version.apply({ added: [], removed: [{ level, number }] })).toThrow(CORRUPTION);
  }
  expect(version.files(0)).toHaveLength(1);
});

test("there are sorted levels from 1 to the last", () => {
  for (let level = 1; level < LEVELS; level++) expect(Version.EMPTY.level(level).files).toEqual([]);
  for (const level of [-1, 0, LEVELS, 0.5]) {
    expect(() => Version.EMPTY.level(level)).toThrow(RangeError);
  }
});
