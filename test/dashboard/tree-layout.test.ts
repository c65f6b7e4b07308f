/** Where the picture puts things, over trees of any shape. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Brick, TreePicture } from "../../dashboard/data/admin-types.ts";
import { brickAt, bricksInOrder, layOutTree, stack } from "../../dashboard/tree/layout.ts";
import { nextBrick } from "../../dashboard/tree/navigate.ts";

let number = 0;
function brick(x0: number, x1: number, bytes = 1000): Brick {
  number++;
  const keys = { smallest: `k${x0}`, largest: `k${x1}` };
  return { number, bytes, entries: 10, tombstones: 0, ...keys, x0, x1, count: 1 };
}

function picture(levels: readonly (readonly Brick[])[]): TreePicture {
  return {
    version: 1,
    levels: Array.from({ length: 7 }, (_, level) => {
      const tables = levels[level] ?? [];
      const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
      return { level, bytes, target_bytes: null, tables, tables_total: tables.length };
    }),
    memtables: { active: { entries: 0, bytes: 0, capacity: 1 }, waiting: 0 },
    running: [],
    recent: [],
  };
}

/** Neighbours that do not overlap, as they lie in a level below 0. */
const anyLevel = fc
  .uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 2, maxLength: 60 })
  .map((edges) => edges.toSorted((a, b) => a - b))
  .map((edges) =>
    edges.slice(1).map((edge, i) => brick((edges[i] ?? 0) / 1000, edge / 1000, edge * 997)),
  );

test("every table has a place of its own, inside of the band of its level", () => {
  fc.assert(
    fc.property(
      fc.array(anyLevel, { maxLength: 6 }),
      fc.integer({ min: 320, max: 1600 }),
      (deep, width) => {
        const layout = layOutTree(picture([[], ...deep]), width);
        let bottom = layout.water.y + layout.water.height;
        for (const band of layout.bands) {
          expect(band.y).toBeGreaterThanOrEqual(bottom);
          bottom = band.y + band.height;
          expect(band.bricks).toHaveLength(band.picture.tables.length);
          for (const placed of band.bricks) {
            expect(placed.y).toBeGreaterThanOrEqual(band.y);
            expect(placed.y + placed.height).toBeLessThanOrEqual(bottom + 0.001);
            expect(placed.width).toBeGreaterThanOrEqual(2);
            expect(placed.x).toBeGreaterThanOrEqual(layout.gutter);
          }
        }
        expect(layout.height).toBeGreaterThanOrEqual(bottom);
      },
    ),
  );
});

test("tables of level 0 that overlap lie on one another, the newer above", () => {
  const old = brick(0, 0.6);
  const beside = brick(0.6, 1);
  const over = brick(0.3, 0.9);
  const top = brick(0, 1);
  expect(stack([top, old, over, beside])).toEqual([2, 0, 1, 0]);
  const [level0] = layOutTree(picture([[old, beside, over, top]]), 1000).bands;
  const ys = level0!.bricks.map(({ y }) => y);
  expect(ys[0]).toBe(ys[1]);
  expect(ys[2]).toBeLessThan(ys[0]!);
  expect(ys[3]).toBeLessThan(ys[2]!);
});

test("a larger table is thicker, and a wider key range is wider", () => {
  const layout = layOutTree(picture([[], [brick(0, 0.25, 100), brick(0.25, 1, 900)]]), 1000);
  const [small, large] = layout.bands[1]!.bricks;
  expect(large!.height).toBeGreaterThan(small!.height);
  expect(large!.width / small!.width).toBeCloseTo(3, 1);
});

test("a compaction flows from its inputs to its inputs below, as far as it is", () => {
  const source = brick(0.2, 0.4);
  const target = brick(0.1, 0.5);
  const tree = {
    ...picture([[], [source], [target, brick(0.5, 1)]]),
    running: [
      {
        id: 1,
        kind: "compaction" as const,
        source_level: 1,
        target_level: 2,
        tables: [source.number, target.number],
        bytes_total: 200,
        bytes_done: 50,
        started_at: 0,
      },
    ],
  };
  const layout = layOutTree(tree, 1000);
  const [flow] = layout.flows;
  expect(flow!.progress).toBe(0.25);
  expect(flow!.from.x0).toBeCloseTo(layout.gutter + 0.2 * layout.water.width);
  expect(flow!.to.x0).toBeCloseTo(layout.gutter + 0.1 * layout.water.width);
  expect(flow!.to.y).toBeGreaterThan(flow!.from.y);
  const inputs = layout.bands.flatMap(({ bricks }) => bricks).filter(({ isInput }) => isInput);
  expect(inputs.map((placed) => placed.brick)).toEqual([source, target]);
});

test("a brick is found where it is drawn", () => {
  const layout = layOutTree(picture([[], [brick(0, 0.5), brick(0.5, 1)]]), 1000);
  for (const placed of layout.bands[1]!.bricks) {
    expect(brickAt(layout, placed.x + 3, placed.y + 3)).toBe(placed);
  }
  expect(brickAt(layout, 5, 5)).toBeUndefined();
});

test("arrow keys come to every brick of every level, and stay at the edges", () => {
  const layout = layOutTree(
    picture([[brick(0, 1), brick(0, 1)], [], [brick(0, 0.5), brick(0.5, 1)]]),
    1000,
  );
  const seen = new Set<number>();
  let at = nextBrick(layout, undefined, "ArrowRight");
  for (const key of [
    "ArrowRight",
    "ArrowRight",
    "ArrowDown",
    "Home",
    "ArrowRight",
    "ArrowRight",
    "ArrowDown",
  ]) {
    if (at !== undefined) seen.add(at.brick.number);
    at = nextBrick(layout, at, key);
    expect(at).toBeDefined();
  }
  expect(seen.size).toBe(4);
  expect(nextBrick(layout, at, "ArrowUp")?.level).toBe(0);
  expect(nextBrick(layout, at, "x")).toBeUndefined();
  expect(nextBrick(layOutTree(picture([]), 1000), undefined, "Home")).toBeUndefined();
  expect(bricksInOrder(layout, 2)).toHaveLength(2);
});
