/** The picture of the tree: that every table is in it once, in its place. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import type { LayoutTable, TreeLayout } from "../../../src/engine/layout.ts";
import { KeyAxis } from "../../../src/telemetry/key-axis.ts";
import { BRICKS_MAX, drawTables, treePicture } from "../../../src/telemetry/tree-picture.ts";
import { rangeKey, tableOf } from "../../support/table-metas.ts";

function layoutOf(
  levels: readonly (readonly LayoutTable[])[],
  rest: Partial<TreeLayout> = {},
): TreeLayout {
  return {
    edits: 1,
    levels: levels.map((tables, level) => ({
      level,
      bytes: tables.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
      targetBytes: level === 0 ? null : 1000,
      tables,
    })),
    memtables: { active: { entries: 0, bytes: 0, capacity: 100 }, waiting: 0 },
    running: [],
    recent: [],
    keyspaces: [],
    ...rest,
  };
}

/** Tables of one sorted level, made of keys of which each table takes two. */
function sortedLevel(keys: readonly Uint8Array[], first: number, bytes: number): LayoutTable[] {
  const sorted = keys
    .toSorted(compareBytes)
    .filter((key, i, all) => i === 0 || compareBytes(all[i - 1]!, key) !== 0);
  const tables: LayoutTable[] = [];
  for (let i = 0; i + 1 < sorted.length; i += 2) {
    const fileBytes = bytes + i * 100;
    tables.push(tableOf(first + i, sorted[i]!, sorted[i + 1]!, { fileBytes }));
  }
  return tables;
}

const keys = fc.array(rangeKey, { minLength: 2, maxLength: 30 });
const anyLevels = fc
  .tuple(fc.array(fc.tuple(rangeKey, rangeKey), { maxLength: 5 }), keys, keys)
  .map(([ranges, middle, last]) => [
    ranges.map(([a, b], i) =>
      compareBytes(a, b) <= 0 ? tableOf(900 + i, a, b) : tableOf(900 + i, b, a),
    ),
    sortedLevel(middle, 100, 500),
    sortedLevel(last, 200, 5000),
  ]);

test("a picture has every table exactly once, with what it holds", () => {
  fc.assert(
    fc.property(anyLevels, (levels) => {
      const picture = treePicture(layoutOf(levels));
      for (const [level, tables] of levels.entries()) {
        const { tables: bricks, tables_total } = picture.levels[level]!;
        expect(tables_total).toBe(tables.length);
        expect(bricks.map(({ number }) => number)).toEqual(tables.map(({ number }) => number));
        expect(bricks.map(({ bytes }) => bytes)).toEqual(tables.map(({ fileBytes }) => fileBytes));
        for (const { count } of bricks) expect(count).toBe(1);
      }
    }),
  );
});

test("bricks of one level do not overlap, have a width, and lie within the line", () => {
  fc.assert(
    fc.property(anyLevels, (levels) => {
      for (const { level, tables } of treePicture(layoutOf(levels)).levels) {
        for (const [i, { x0, x1 }] of tables.entries()) {
          expect(x0).toBeGreaterThanOrEqual(0);
          expect(x1).toBeLessThanOrEqual(1);
          expect(x1).toBeGreaterThan(x0);
          if (level > 0 && i > 0) expect(x0).toBeGreaterThanOrEqual(tables[i - 1]!.x1);
        }
      }
    }),
  );
});

test("tables of any levels lie above one another just where they have keys in common", () => {
  fc.assert(
    fc.property(anyLevels, (levels) => {
      const axis = new KeyAxis(levels.map((tables) => ({ tables })));
      const all = levels.flat();
      for (const a of all) {
        for (const b of all) {
          const share =
            compareBytes(a.smallest, b.largest) <= 0 && compareBytes(b.smallest, a.largest) <= 0;
          const [at, other] = [axis.placeOf(a), axis.placeOf(b)];
          expect(at.x0 < other.x1 && other.x0 < at.x1).toBe(share);
        }
      }
    }),
  );
});

test("places are by the bytes of the deepest level, and the line is used up", () => {
  const deep = [
    tableOf(1, "a", "c", { fileBytes: 3000 }),
    tableOf(2, "d", "f", { fileBytes: 1000 }),
  ];
  const above = [tableOf(3, "b", "e", { fileBytes: 10 })];
  const { levels } = treePicture(layoutOf([[], above, deep]));
  const [first, second] = levels[2]!.tables;
  expect(first).toMatchObject({ x0: 0, smallest: "a", largest: "c" });
  expect(first!.x1).toBeCloseTo(0.75, 2);
  expect(second!.x1).toBe(1);
  const [brick] = levels[1]!.tables;
  expect(brick!.x0).toBeGreaterThan(0);
  expect(brick!.x0).toBeLessThan(first!.x1);
  expect(brick!.x1).toBeGreaterThan(second!.x0);
  expect(brick!.x1).toBeLessThan(1);
});

test("beyond 400 tables of a level neighbours are one brick, and nothing is lost of their sums", () => {
  const key = (i: number) => `key ${String(i).padStart(6, "0")}`;
  const tables = Array.from({ length: 1234 }, (_, i) =>
    tableOf(i + 1, key(2 * i), key(2 * i + 1), { fileBytes: 100 + i, entries: i, tombstones: 1 }),
  );
  const { tables: bricks, tables_total } = treePicture(layoutOf([[], tables])).levels[1]!;
  expect(bricks).toHaveLength(BRICKS_MAX);
  expect(tables_total).toBe(1234);
  const sum = (of: (brick: (typeof bricks)[number]) => number) =>
    bricks.reduce((total, brick) => total + of(brick), 0);
  expect(sum(({ count }) => count)).toBe(1234);
  expect(sum(({ tombstones }) => tombstones)).toBe(1234);
  expect(sum(({ bytes }) => bytes)).toBe(tables.reduce((all, { fileBytes }) => all + fileBytes, 0));
  for (const [i, brick] of bricks.entries()) {
    if (i > 0) expect(brick.x0).toBeGreaterThanOrEqual(bricks[i - 1]!.x1);
    expect(brick.smallest < brick.largest).toBe(true);
  }
  expect(bricks[0]!.smallest).toBe(key(0));
  expect(bricks.at(-1)!.largest).toBe(key(2467));
});

test("a running task spans its tables, and one without tables has no place", () => {
  const tables = [tableOf(1, "a", "b"), tableOf(2, "c", "d"), tableOf(3, "e", "f")];
  const task = { id: 1, targetLevel: 2, bytesTotal: 10, bytesDone: 4, startedAt: 9 };
  const picture = treePicture(
    layoutOf([[], tables], {
      running: [
        { ...task, kind: "compaction", sourceLevel: 1, tables: [1, 2] },
        { ...task, kind: "flush", sourceLevel: null, targetLevel: 0, tables: [] },
      ],
    }),
  );
  const [a, b] = picture.levels[1]!.tables;
  expect(picture.running).toMatchObject([
    { kind: "compaction", source_level: 1, tables: [1, 2], bytes_total: 10, x0: a!.x0, x1: b!.x1 },
    { kind: "flush", source_level: null, x0: null, x1: null },
  ]);
});

test("an empty tree has seven empty levels", () => {
  const picture = treePicture(layoutOf(Array.from({ length: 7 }, () => [])));
  expect(picture.levels).toHaveLength(7);
  for (const { tables, bytes } of picture.levels) expect([tables, bytes]).toEqual([[], 0]);
});

test("a drawing of before serves as long as the tables are the same", () => {
  const layout = layoutOf([[tableOf(1, "a", "b")]]);
  const drawing = drawTables(layout);
  expect(treePicture(layout, drawing)).toEqual(treePicture(layout));
  expect(treePicture(layout, drawing).levels).toBe(drawing.levels);
});

test("a line of fifty thousand tables is drawn in well under a second", () => {
  const key = (i: number) => String(i).padStart(8, "0");
  const level = (first: number, count: number, step: number) =>
    Array.from({ length: count }, (_, i) =>
      tableOf(first + i, key(i * step), key(i * step + step - 1)),
    );
  const levels = [
    [],
    [],
    [],
    level(1, 500, 1000),
    level(1000, 5000, 100),
    level(10_000, 45_000, 11),
  ];
  const start = performance.now();
  const picture = treePicture(layoutOf(levels));
  expect(picture.levels[5]!.tables_total).toBe(45_000);
  expect(performance.now() - start).toBeLessThan(2000);
});
