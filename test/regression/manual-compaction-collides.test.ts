/**
 * A manual compaction took neighbouring tables of a level with the gap between them. While it ran, a table
 * could come into that gap from above and go on down, since it overlapped nothing that was busy; the outputs
 * of the manual compaction, which may reach across the gap, then overlapped it, and background work stopped.
 */
import { expect, test } from "vitest";
import { Horizons } from "../../src/compaction/horizons.ts";
import { type CompactionPlan, pickCompaction, pickRange } from "../../src/compaction/picker.ts";
import { resolveSettings } from "../../src/options.ts";
import { Version } from "../../src/version/version.ts";
import { tableOf } from "../support/table-metas.ts";

const SETTINGS = resolveSettings({ levelBytes: 1024, codecs: ["none"] });

function removedBy(plan: CompactionPlan) {
  return plan.inputs.flatMap(({ level, tables }) =>
    tables.map(({ number }) => ({ level, number })),
  );
}

test("the outputs of a manual compaction fit, whatever came down beside it", () => {
  const before = Version.EMPTY.apply({
    added: [
      { level: 5, table: tableOf(1, "a", "b", { tombstones: 1 }) },
      { level: 5, table: tableOf(2, "y", "z", { tombstones: 1 }) },
    ],
    removed: [],
  });
  const manual = pickRange(before, SETTINGS, new Set(), undefined, undefined);
  if (manual === undefined || manual === "wait") throw new Error("there is something to compact");
  const busy = new Set(removedBy(manual).map(({ number }) => number));

  const between = { level: 5, table: tableOf(3, "m", "n", { fileBytes: 10_000 }) };
  const during = before.apply({ added: [between], removed: [] });
  const oldestSnapshot = Number.POSITIVE_INFINITY;
  const size = pickCompaction(during, SETTINGS, {
    busy,
    oldestSnapshot,
    horizons: Horizons.NONE,
    nowMs: 0,
  });
  expect(size?.isMove && size.inputs[0]?.tables).toEqual([between.table]);
  const after = during.apply({ added: [{ ...between, level: 6 }], removed: removedBy(size!) });

  // One output for all inputs, which is as wide as they can be.
  const inputs = manual.inputs.flatMap(({ tables }) => tables);
  const table = tableOf(4, inputs[0]!.smallest, inputs.at(-1)!.largest);
  const added = [{ level: manual.outputLevel, table }];
  expect(after.apply({ added, removed: removedBy(manual) }).files(6)).toHaveLength(2);
});

test("a manual compaction still takes tables together that the next level joins", () => {
  const joined = [1, 2, 3].map((number) => tableOf(number, `${number}0`, `${number}5`));
  const version = Version.EMPTY.apply({
    added: [
      ...joined.map((table) => ({ level: 5, table })),
      { level: 6, table: tableOf(4, "12", "21") },
      { level: 6, table: tableOf(5, "22", "25") },
    ],
    removed: [],
  });
  const plan = pickRange(version, SETTINGS, new Set(), undefined, undefined);
  expect(plan).toMatchObject({
    inputs: [
      { level: 5, tables: joined.slice(0, 2) },
      { level: 6, tables: [{ number: 4 }, { number: 5 }] },
    ],
  });
});
