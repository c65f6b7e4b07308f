/** Level targets follow the last level's real size, and say where level 0 goes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  codecOfLevel,
  compactionDebt,
  LAST_LEVEL,
  levelTargets,
} from "../../../src/compaction/targets.ts";
import { LEVELS, resolveSettings, type Settings } from "../../../src/options.ts";
import { Version } from "../../../src/version/version.ts";
import { tableOf } from "../../support/table-metas.ts";

const MIB = 1024 * 1024;

/** A version with one table of so many bytes in each level; none where there are none. */
function versionOf(bytes: readonly number[]): Version {
  const added = bytes.flatMap((fileBytes, level) =>
    fileBytes === 0 ? [] : [{ level, table: tableOf(level + 1, "a", "z", { fileBytes }) }],
  );
  return Version.EMPTY.apply({ added, removed: [] });
}

const settingsOf = (options: Partial<Settings> = {}) =>
  resolveSettings({ levelBytes: 64 * MIB, levelMultiplier: 10, ...options });

test("an empty database compacts level 0 into the last level", () => {
  expect(levelTargets(Version.EMPTY, settingsOf())).toEqual({
    baseLevel: LAST_LEVEL,
    bytes: [0, 0, 0, 0, 0, 0, 64 * MIB],
  });
});

test.each([
  [64, 6, []],
  [65, 5, [6.5]],
  [640, 5, [64]],
  [641, 4, [64.1, 6.41]],
  [6400, 4, [640, 64]],
  [64_000, 3, [6400, 640, 64]],
  [64_000_000_000, 1, [6_400_000_000, 640_000_000, 64_000_000, 6_400_000, 640_000]],
])("%i MiB in the last level make level %i the base", (lastMib, baseLevel, above) => {
  const targets = levelTargets(versionOf([0, 0, 0, 0, 0, 0, lastMib * MIB]), settingsOf());
  expect(targets.baseLevel).toBe(baseLevel);
  expect(targets.bytes[LAST_LEVEL]).toBe(lastMib * MIB);
  above.forEach((mib, i) => {
    const want = Math.max(mib, 6.4) * MIB;
    expect(targets.bytes[LAST_LEVEL - 1 - i]).toBeCloseTo(want, 0);
  });
  for (let level = 0; level < baseLevel; level++) expect(targets.bytes[level]).toBe(0);
});

const anySettings = fc
  .record({
    levelBytes: fc.integer({ min: 1024, max: 2 ** 30 }),
    levelMultiplier: fc.integer({ min: 2, max: 100 }),
  })
  .map(settingsOf);
const anyBytes = fc.array(fc.nat(2 ** 44), { minLength: LEVELS, maxLength: LEVELS });

test("each level from the base on is a multiple of the one above, and none is too small", () => {
  fc.assert(
    fc.property(anyBytes, anySettings, (bytes, settings) => {
      const { levelBytes, levelMultiplier } = settings;
      const targets = levelTargets(versionOf(bytes), settings);
      const { baseLevel } = targets;
      expect(baseLevel).toBeGreaterThanOrEqual(1);
      expect(baseLevel).toBeLessThanOrEqual(LAST_LEVEL);
      expect(targets.bytes[LAST_LEVEL]).toBe(Math.max(bytes[LAST_LEVEL]!, levelBytes));
      for (let level = 0; level < LEVELS; level++) {
        const target = targets.bytes[level]!;
        if (level < baseLevel) expect(target).toBe(0);
        else expect(target).toBeGreaterThanOrEqual(levelBytes / levelMultiplier);
        // Rounding aside, nine tenths of the data, say, may be in the last level.
        if (level > baseLevel) {
          expect(targets.bytes[level - 1]! * levelMultiplier).toBeLessThanOrEqual(target * 1.0001);
        }
      }
      // The base level is the first that is worth having: one above would be smaller than the first size.
      if (baseLevel > 1) expect(targets.bytes[baseLevel]!).toBeLessThanOrEqual(levelBytes);
    }),
    { numRuns: 500 },
  );
});

test("codecs follow the depth below level 0, whatever levels stay empty", () => {
  const settings = settingsOf({ codecs: ["none", "lz4", "zstd"] });
  const codecs = (lastMib: number) => {
    const targets = levelTargets(versionOf([0, 0, 0, 0, 0, 0, lastMib * MIB]), settings);
    return Array.from({ length: LEVELS }, (_, level) => codecOfLevel(level, targets, settings));
  };
  expect(codecs(1)).toEqual(["none", "lz4", "lz4", "lz4", "lz4", "lz4", "lz4"]);
  expect(codecs(640)).toEqual(["none", "lz4", "lz4", "lz4", "lz4", "lz4", "zstd"]);
  expect(codecs(64_000)).toEqual(["none", "lz4", "lz4", "lz4", "zstd", "zstd", "zstd"]);
});

test("debt is what levels hold over their targets, and a level 0 that is due", () => {
  const settings = settingsOf({ level0CompactAt: 1 });
  expect(compactionDebt(Version.EMPTY, settings)).toBe(0);
  // The last level owes nothing: there is nowhere to go.
  expect(compactionDebt(versionOf([0, 0, 0, 0, 0, 0, 9000 * MIB]), settings)).toBe(0);
  // 640 MiB below: level 5 may have 64, level 4 none.
  expect(compactionDebt(versionOf([0, 0, 0, 0, 0, 60 * MIB, 640 * MIB]), settings)).toBe(0);
  expect(compactionDebt(versionOf([0, 0, 0, 0, 0, 70 * MIB, 640 * MIB]), settings)).toBe(6 * MIB);
  expect(compactionDebt(versionOf([0, 0, 0, 0, 5 * MIB, 0, 640 * MIB]), settings)).toBe(5 * MIB);
  expect(compactionDebt(versionOf([7 * MIB, 0, 0, 0, 0, 0, 0]), settings)).toBe(7 * MIB);
  const later = settingsOf({ level0CompactAt: 2 });
  expect(compactionDebt(versionOf([7 * MIB, 0, 0, 0, 0, 0, 0]), later)).toBe(0);
});
