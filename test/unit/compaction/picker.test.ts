/** The picker decides by the version alone, and what it decides keeps the tree's rules. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Horizons } from "../../../src/compaction/horizons.ts";
import {
  type CompactionPlan,
  GRANDPARENT_TABLES_MAX,
  type PickState,
  pickCompaction,
  pickRange,
  rangeOf,
} from "../../../src/compaction/picker.ts";
import { codecOfLevel, LAST_LEVEL, levelTargets } from "../../../src/compaction/targets.ts";
import { LEVELS, resolveSettings, type Settings } from "../../../src/options.ts";
import type { TableMeta } from "../../../src/table/table-meta.ts";
import { Version } from "../../../src/version/version.ts";
import { Random } from "../../support/random.ts";
import { overlaps, tableOf } from "../../support/table-metas.ts";

const KEYS = 60;
const keyOf = (i: number) => `key${String(i).padStart(3, "0")}`;
const NOBODY: PickState = {
  busy: new Set(),
  oldestSnapshot: Number.POSITIVE_INFINITY,
  horizons: Horizons.NONE,
  nowMs: 0,
};

interface Shape {
  readonly version: Version;
  readonly settings: Settings;
  readonly state: PickState;
}

/** A tree of any shape, and tables that are busy, or none. */
function shapeOf(seed: number, percentBusy: number): Shape {
  const random = new Random(seed);
  let number = 0;
  const table = (from: number, to: number): TableMeta => {
    number++;
    const entries = 100 + random.below(900);
    const tombstones = random.chance(20) ? random.below(entries) : 0;
    const fileBytes = 100 + random.below(random.pick([1000, 4000, 12_000]));
    const largestSequence = random.below(1000) * 100 + number;
    const rest = { fileBytes, entries, tombstones, largestSequence };
    return tableOf(number, keyOf(from), keyOf(to), rest);
  };
  const added: { level: number; table: TableMeta }[] = [];
  for (let i = random.below(random.chance(30) ? 25 : 3); i > 0; i--) {
    const from = random.below(KEYS);
    const keys = random.chance(50) ? 4 : KEYS - from;
    added.push({ level: 0, table: table(from, from + random.below(keys)) });
  }
  for (let level = 1; level < LEVELS; level++) {
    if (random.chance(40)) continue;
    for (let at = random.below(20); at < KEYS; ) {
      const to = Math.min(KEYS, at + random.below(12));
      added.push({ level, table: table(at, to) });
      at = to + 1 + random.below(random.chance(50) ? 1 : 15);
    }
  }
  const settings = resolveSettings({
    levelBytes: 1024 * 2 ** random.below(8),
    levelMultiplier: random.pick([2, 4, 10]),
    tableBytes: random.pick([1024, 4096]),
    level0CompactAt: 1 + random.below(4),
    codecs: random.pick([["none"], ["none", "lz4", "zstd"], ["none", "none", "lz4"]] as const),
  });
  const busy = new Set(
    added.filter(() => random.chance(percentBusy)).map((one) => one.table.number),
  );
  const oldestSnapshot = random.chance(70) ? Number.POSITIVE_INFINITY : random.below(100_000);
  return {
    version: Version.EMPTY.apply({ added, removed: [] }),
    settings,
    state: { busy, oldestSnapshot, horizons: Horizons.NONE, nowMs: 0 },
  };
}

const anyShape = fc.tuple(fc.nat(), fc.constantFrom(0, 0, 10, 50)).map(([seed, busy]) => ({
  seed,
  ...shapeOf(seed, busy),
}));

const bytesOf = (tables: readonly TableMeta[]) =>
  tables.reduce((total, { fileBytes }) => total + fileBytes, 0);

/** What any plan has to be, whoever asked for it. */
function expectSound(plan: CompactionPlan, { version, settings, state }: Shape): void {
  const [from, into, ...more] = plan.inputs;
  expect(more).toEqual([]);
  const { level, tables } = from!;
  expect(tables.length).toBeGreaterThan(0);
  for (const input of plan.inputs) {
    for (const table of input.tables) {
      expect(version.files(input.level)).toContain(table);
      expect(state.busy.has(table.number)).toBe(false);
    }
  }
  // Everything of the output level that lies within, in key order, and nothing else.
  const range = rangeOf(tables);
  if (plan.outputLevel !== level) {
    const within = version.files(plan.outputLevel).filter((table) => overlaps(table, range));
    expect(into?.tables ?? []).toEqual(within);
    expect(into?.level ?? plan.outputLevel).toBe(plan.outputLevel);
  } else {
    expect([level, plan.reason]).toEqual([LAST_LEVEL, "tombstones"]);
  }
  if (level === 0) {
    // The oldest: what stays above is newer than what goes down.
    expect(tables).toEqual(version.level0.slice(-tables.length));
    for (let above = 1; above < plan.outputLevel; above++) {
      expect(version.files(above)).toEqual([]);
    }
  } else if (plan.outputLevel !== level) expect(plan.outputLevel).toBe(level + 1);
  if (plan.isMove) expectMovable(plan, version, settings);
}

function expectMovable(plan: CompactionPlan, version: Version, settings: Settings): void {
  const targets = levelTargets(version, settings);
  expect(plan.inputs).toHaveLength(1);
  const [{ level, tables }] = plan.inputs as [CompactionPlan["inputs"][number]];
  expect(tables).toHaveLength(1);
  expect(tables[0]!.tombstones).toBe(0);
  expect(codecOfLevel(level, targets, settings)).toBe(
    codecOfLevel(plan.outputLevel, targets, settings),
  );
  if (plan.outputLevel === LAST_LEVEL) return;
  const below = version.overlapping(plan.outputLevel + 1, tables[0]!.smallest, tables[0]!.largest);
  expect(bytesOf(below)).toBeLessThanOrEqual(GRANDPARENT_TABLES_MAX * settings.tableBytes);
}

/** Each level's urgency, as the documents have it. */
function scoresOf({ version, settings, state }: Shape): number[] {
  const targets = levelTargets(version, settings);
  return Array.from({ length: LAST_LEVEL }, (_, level) => {
    const files = version.files(level);
    if (level === 0) {
      const byBytes = bytesOf(files) / settings.levelBytes / 2;
      return Math.max(files.length / settings.level0CompactAt, byBytes);
    }
    const free = files.filter(({ number }) => !state.busy.has(number));
    return files.length === 0 ? 0 : bytesOf(free) / Math.max(1, targets.bytes[level]!);
  });
}

test("a plan takes all that it overlaps, nothing that is busy, and moves only what may be moved", () => {
  fc.assert(
    fc.property(anyShape, (shape) => {
      const plan = pickCompaction(shape.version, shape.settings, shape.state);
      if (plan === undefined) return;
      expectSound(plan, shape);
      const score = scoresOf(shape)[plan.inputs[0]!.level];
      if (plan.reason !== "tombstones") expect(score).toBeGreaterThanOrEqual(1);
    }),
    { numRuns: 250 },
  );
});

test("the trees of these tests call for every kind of plan", () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 500; seed++) {
    const { version, settings, state } = shapeOf(seed, 0);
    const plan = pickCompaction(version, settings, state);
    if (plan !== undefined) seen.add(`${plan.reason}${plan.isMove ? " move" : ""}`);
  }
  expect([...seen].sort()).toEqual(["level0", "level0 move", "size", "size move", "tombstones"]);
});

test("the same version gives the same plan, and is left as it is", () => {
  fc.assert(
    fc.property(anyShape, ({ version, settings, state, seed }) => {
      const before = version.asEdit();
      const plan = pickCompaction(version, settings, state);
      expect(pickCompaction(version, settings, state)).toEqual(plan);
      const again = shapeOf(seed, 0);
      expect(version.asEdit()).toEqual(before);
      expect(pickCompaction(again.version, again.settings, again.state)).toEqual(
        pickCompaction(version, settings, { ...state, busy: new Set() }),
      );
    }),
    { numRuns: 200 },
  );
});

test("while nothing is busy, the most overfull level goes first; none goes where all are in shape", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const shape = shapeOf(seed, 0);
      const plan = pickCompaction(shape.version, shape.settings, shape.state);
      const scores = scoresOf(shape);
      const most = Math.max(...scores);
      if (most < 1) expect(plan?.reason ?? "tombstones").toBe("tombstones");
      else expect(scores[plan!.inputs[0]!.level]).toBe(most);
    }),
    { numRuns: 250 },
  );
});

test("from a sorted level the table goes that overlaps least of the next, for its size", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const { version, settings, state } = shapeOf(seed, 0);
      const plan = pickCompaction(version, settings, state);
      if (plan?.reason !== "size") return;
      const { level, tables } = plan.inputs[0]!;
      const ratio = (table: TableMeta) =>
        bytesOf(version.overlapping(level + 1, table.smallest, table.largest)) / table.fileBytes;
      const least = Math.min(...version.files(level).map(ratio));
      expect(tables.map(ratio)).toEqual([least]);
    }),
    { numRuns: 250 },
  );
});

test("tombstones are picked where most of a table is, and no snapshot needs them", () => {
  fc.assert(
    fc.property(anyShape, (shape) => {
      const { version, settings, state } = shape;
      const due = (table: TableMeta) =>
        table.tombstones >= 100 &&
        table.tombstones >= table.entries / 2 &&
        table.largestSequence <= state.oldestSnapshot;
      const plan = pickCompaction(version, settings, state);
      if (plan?.reason === "tombstones") expect(plan.inputs[0]!.tables.every(due)).toBe(true);
      if (plan !== undefined || state.busy.size > 0) return;
      for (let level = 1; level < LEVELS; level++) {
        expect(version.files(level).filter(due)).toEqual([]);
      }
    }),
    { numRuns: 250 },
  );
});

test("a range's plan is sound, within the range, and waits only for what is busy", () => {
  const bound = fc.option(
    fc.nat(KEYS).map((i) => Buffer.from(keyOf(i))),
    { nil: undefined },
  );
  fc.assert(
    fc.property(anyShape, bound, bound, (shape, gte, lte) => {
      const { version, settings, state } = shape;
      const plan = pickRange(version, settings, state.busy, gte, lte);
      const above = Array.from({ length: LAST_LEVEL }, (_, level) =>
        version.overlapping(level, gte, lte),
      );
      if (plan === undefined) expect(above.flat()).toEqual([]);
      else if (plan === "wait") expect(state.busy.size).toBeGreaterThan(0);
      else {
        expectSound(plan, shape);
        const { level, tables } = plan.inputs[0]!;
        // From the top, so that nothing newer stays above.
        expect(level).toBe(above.findIndex((some) => some.length > 0));
        if (level > 0) expect(above[level]).toEqual(expect.arrayContaining([...tables]));
        else expect(tables).toEqual(version.level0);
      }
    }),
    { numRuns: 250 },
  );
});

test("an empty tree has nothing to do", () => {
  const settings = resolveSettings({});
  expect(pickCompaction(Version.EMPTY, settings, NOBODY)).toBeUndefined();
  expect(pickRange(Version.EMPTY, settings, new Set(), undefined, undefined)).toBeUndefined();
  expect(() => rangeOf([])).toThrow(RangeError);
});

test("tombstones wait for the snapshots that need them, then go down or vanish in place", () => {
  const settings = resolveSettings({ levelBytes: 1024, levelMultiplier: 2 });
  for (const level of [3, LAST_LEVEL]) {
    const table = tableOf(1, "a", "z", { entries: 150, tombstones: 100, largestSequence: 50 });
    // So much in the last level that the others are in shape.
    const big = { level: LAST_LEVEL, table: tableOf(2, "zz", "zzz", { fileBytes: 2 ** 20 }) };
    const version = Version.EMPTY.apply({ added: [{ level, table }, big], removed: [] });
    const pick = (oldestSnapshot: number) =>
      pickCompaction(version, settings, {
        busy: new Set(),
        oldestSnapshot,
        horizons: Horizons.NONE,
        nowMs: 0,
      });
    expect(pick(49)).toBeUndefined();
    expect(pick(50)).toEqual({
      reason: "tombstones",
      inputs: [{ level, tables: [table] }],
      outputLevel: Math.min(level + 1, LAST_LEVEL),
      isMove: false,
    });
  }
});
