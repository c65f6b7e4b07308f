/** The write amplification of leveled compaction, by hand for round sizes, with levels as Varve makes them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  fillAmplification,
  levelSizes,
  overwriteAmplification,
} from "../../../bench/scale/theory.ts";
import { levelTargets } from "../../../src/compaction/targets.ts";
import { resolveSettings } from "../../../src/options.ts";
import { Version } from "../../../src/version/version.ts";
import { tableOf } from "../../support/table-metas.ts";

const MIB = 1024 * 1024;
const sizing = { level0Bytes: 64 * MIB, levelBytes: 64 * MIB, levelMultiplier: 10 };

test.each([
  // Log, flush and the byte itself, then as much of the base level, or less of it where it is smaller.
  [64, 3 + 1],
  [16, 3 + 1 / 4],
  // A further level of ten times the one above costs ten more.
  [640, 3 + 1 + 10],
  [6400, 3 + 1 + 10 + 10],
  [1280, 3 + 0.2 + 10 + 10],
])("overwrites in %i MiB write %d bytes for each", (mib, times) => {
  expect(overwriteAmplification(mib * MIB, sizing)).toBeCloseTo(times);
});

test("a fill writes log and level 0 only, until that is full", () => {
  expect(fillAmplification(64 * MIB, sizing)).toBeCloseTo(2);
  // From 64 to 128 MiB there are two levels below it, of which the base has 9.6 MiB on average.
  expect(fillAmplification(128 * MIB, sizing)).toBeCloseTo((2 + (3 + 9.6 / 64 + 10)) / 2, 1);
});

test("levels are as large as the compaction makes them", () => {
  const settingsOf = fc.record({
    levelBytes: fc.integer({ min: 1024, max: 2 ** 30 }),
    levelMultiplier: fc.integer({ min: 2, max: 100 }),
  });
  fc.assert(
    fc.property(settingsOf, fc.integer({ min: 1, max: 2 ** 44 }), (options, liveBytes) => {
      const table = tableOf(1, "a", "z", { fileBytes: liveBytes });
      const version = Version.EMPTY.apply({ added: [{ level: 6, table }], removed: [] });
      const targets = levelTargets(version, resolveSettings(options));
      const want = targets.bytes.slice(targets.baseLevel);
      const sizes = levelSizes(liveBytes, { ...options, level0Bytes: 1 });
      expect(sizes.length).toBe(want.length);
      // The last level's target is at least `levelBytes`, whatever it holds.
      expect(sizes.at(-1)).toBe(liveBytes);
      sizes.slice(0, -1).forEach((bytes, i) => {
        expect(bytes / (want[i] ?? 0)).toBeCloseTo(1);
      });
    }),
  );
});
