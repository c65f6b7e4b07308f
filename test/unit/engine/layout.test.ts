/** The layout of the tree: that it is the tree, and that tasks are in it for as long as they run and no longer. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import { Database } from "../../../src/engine/database.ts";
import { InlineBackground } from "../../../src/engine/inline-background.ts";
import type { TreeLayout } from "../../../src/engine/layout.ts";
import { spaceAmplification } from "../../../src/engine/space-amplification.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { Random } from "../../support/random.ts";
import { eventually } from "../../support/test-server.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

const KIB = 1024;

/** A database whose background goes a step when it is told to. */
async function openStepwise(settings = {}) {
  const fs = new MemoryFileSystem();
  const steps: (() => void)[] = [];
  const mode = { isHeld: false };
  const goOn = () => {
    for (const step of steps.splice(0)) step();
  };
  const background = new InlineBackground(fs.sync, (step) => {
    steps.push(step);
    if (!mode.isHeld) setImmediate(goOn);
  });
  const database = await Database.open("/db", { ...TINY_SETTINGS, ...settings, fs, background });
  onTestFinished(async () => {
    mode.isHeld = false;
    goOn();
    await database.close();
  });
  const release = () => {
    mode.isHeld = false;
    goOn();
  };
  const hold = () => {
    mode.isHeld = true;
  };
  return { database, steps, hold, goOn, release };
}

const numbersOf = ({ levels }: TreeLayout) =>
  levels.flatMap(({ tables }) => tables.map(({ number }) => number));

/** What must hold of a layout at any moment. */
function assertSound(layout: TreeLayout): void {
  const numbers = numbersOf(layout);
  expect(new Set(numbers).size).toBe(numbers.length);
  for (const { level, tables, bytes } of layout.levels) {
    expect(bytes).toBe(tables.reduce((sum, { fileBytes }) => sum + fileBytes, 0));
    for (const [i, table] of tables.entries()) {
      expect(compareBytes(table.smallest, table.largest)).toBeLessThanOrEqual(0);
      const next = tables[i + 1];
      if (level === 0 || next === undefined) continue;
      expect(compareBytes(table.largest, next.smallest)).toBeLessThan(0);
    }
  }
  for (const { tables, bytesDone, bytesTotal } of layout.running) {
    expect(numbers).toEqual(expect.arrayContaining([...tables]));
    expect(bytesDone).toBeGreaterThanOrEqual(0);
    expect(bytesDone).toBeLessThanOrEqual(bytesTotal);
  }
  expect(layout.recent.length).toBeLessThanOrEqual(20);
}

test("while it is written to, each layout is one moment of a tree", async () => {
  const { database, goOn } = await openStepwise();
  const random = new Random(7);
  const kinds = new Set<string>();
  let edits = 0;
  for (let i = 0; i < 1500; i++) {
    await database.put(`key ${random.below(500)}`, `value ${i}`.padEnd(60, "."));
    if (i % 3 === 0) goOn();
    const layout = database.layout();
    assertSound(layout);
    expect(layout.edits).toBeGreaterThanOrEqual(edits);
    edits = layout.edits;
    for (const { kind } of [...layout.running, ...layout.recent]) kinds.add(kind);
  }
  await database.flush();
  const { levels } = database.stats();
  const layout = database.layout();
  expect(layout.levels.map(({ tables }) => tables.length)).toEqual(
    levels.map(({ files }) => files),
  );
  expect(kinds).toContain("flush");
  expect(kinds).toContain("compaction");
});

test("a layout with the same number of edits has the same levels, and another one after a flush", async () => {
  const { database } = await openStepwise();
  await database.put("a", "1");
  const before = database.layout();
  await database.put("b", "1");
  expect(database.layout().edits).toBe(before.edits);
  expect(database.layout().levels).toEqual(before.levels);
  expect(database.layout().memtables.active.entries).toBe(2);
  await database.flush();
  expect(database.layout().edits).toBeGreaterThan(before.edits);
  expect(numbersOf(database.layout())).toHaveLength(1);
});

test("a flush is in the layout while it runs, and leaves it when it is done", async () => {
  const { database, steps, hold, release } = await openStepwise();
  for (let i = 0; i < 20; i++) await database.put(`key ${i}`, "value");
  hold();
  const flushed = database.flush();
  await eventually(() => steps.length > 0);
  const { running, memtables } = database.layout();
  expect(running).toMatchObject([{ kind: "flush", sourceLevel: null, targetLevel: 0, tables: [] }]);
  expect(running[0]!.bytesTotal).toBeGreaterThan(0);
  expect(running[0]!.bytesDone).toBe(0);
  expect(memtables.waiting).toBe(1);
  release();
  await flushed;
  const after = database.layout();
  expect(after.running).toEqual([]);
  const [table] = after.levels[0]!.tables;
  expect(after.recent).toMatchObject([
    { id: running[0]!.id, kind: "flush", targetLevel: 0, bytes: table!.fileBytes },
  ]);
});

test("a compaction is in the layout with its tables and how far it is, and leaves it when it is done", async () => {
  const { database, steps, hold, goOn, release } = await openStepwise({
    memtableBytes: 512 * KIB,
    memoryBudget: 16 * 1024 * KIB,
    level0CompactAt: 100,
    levelBytes: 8 * 1024 * KIB,
    tableBytes: 64 * KIB,
  });
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 4000; i++) await database.put(`key ${i}`, `value ${round}`);
    await database.flush();
  }
  const inputs = numbersOf(database.layout());
  hold();
  const compacted = database.compact();
  await eventually(() => steps.length > 0);
  const before = database.layout();
  expect(before.running).toMatchObject([{ kind: "compaction", sourceLevel: 0, bytesDone: 0 }]);
  expect([...before.running[0]!.tables].sort()).toEqual([...inputs].sort());
  const done: number[] = [];
  for (let i = 0; i < 3; i++) {
    goOn();
    done.push(database.layout().running[0]!.bytesDone);
  }
  expect(done[0]).toBeGreaterThan(0);
  expect(done[2]).toBeGreaterThan(done[0]!);
  expect(done[2]).toBeLessThanOrEqual(before.running[0]!.bytesTotal);
  expect(numbersOf(database.layout())).toEqual(inputs);
  release();
  await compacted;
  const after = database.layout();
  assertSound(after);
  expect(after.running).toEqual([]);
  expect(numbersOf(after).some((number) => inputs.includes(number))).toBe(false);
  const { targetLevel, bytes } = after.recent.find(({ kind }) => kind === "compaction")!;
  expect(bytes).toBe(after.levels[targetLevel]!.bytes);
});

test("a worker thread tells how far it is", async () => {
  const directory = await mkdtemp(join(tmpdir(), "varve-layout-"));
  const database = await Database.open(directory, {
    durability: "none",
    level0CompactAt: 100,
    backgroundBytesPerSecond: 512 * KIB,
  });
  onTestFinished(async () => {
    await database.close();
    await rm(directory, { recursive: true });
  });
  for (let round = 0; round < 2; round++) {
    const puts = Array.from({ length: 20_000 }, (_, i) =>
      database.put(`key ${i}`, `value ${round}`.padEnd(20, ".")),
    );
    await Promise.all(puts);
    await database.flush();
  }
  const compacted = database.compact();
  const shares = new Set<number>();
  await eventually(() => {
    for (const { kind, bytesDone, bytesTotal } of database.layout().running) {
      if (kind === "compaction") shares.add(bytesDone / bytesTotal);
    }
    return [...shares].filter((share) => share > 0 && share < 1).length >= 3;
  });
  await compacted;
  assertSound(database.layout());
  expect(database.layout().running).toEqual([]);
});

test("an ingest is in the layout while pairs come, and then among the recent ones, with its level", async () => {
  const { database } = await openStepwise();
  const pairs = Array.from({ length: 300 }, (_, i) => [`key ${1000 + i}`, "v".repeat(40)] as const);
  const seen: number[] = [];
  async function* slowly() {
    for (const pair of pairs) {
      yield [pair];
      const task = database.layout().running.find(({ kind }) => kind === "ingest");
      if (task !== undefined) seen.push(task.bytesTotal);
      assertSound(database.layout());
    }
  }
  await database.ingest(slowly());
  expect(seen.length).toBeGreaterThan(100);
  expect(seen.at(-1)).toBeGreaterThan(seen[0]!);
  const { running, recent, levels } = database.layout();
  expect(running).toEqual([]);
  expect(recent.at(-1)).toMatchObject({ kind: "ingest", targetLevel: 6, bytes: levels[6]!.bytes });
});

test("what fails leaves the layout and is not among what was done", async () => {
  const { database } = await openStepwise();
  async function* failing() {
    yield [["a", "1"]] as const;
    throw new Error("no more");
  }
  await expect(database.ingest(failing())).rejects.toThrow("no more");
  expect(database.layout()).toMatchObject({ running: [], recent: [] });
});

test("targets are told for all levels but the first, and keyspaces by name", async () => {
  const { database } = await openStepwise();
  await database.keyspace("orders");
  const { levels, keyspaces, memtables } = database.layout();
  expect(levels.map(({ level }) => level)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(levels[0]!.targetBytes).toBeNull();
  for (const { targetBytes } of levels.slice(1)) expect(targetBytes).toBeGreaterThanOrEqual(0);
  expect(keyspaces).toEqual([{ id: expect.any(Number), name: "orders" }]);
  expect(memtables.active.bytes).toBeLessThanOrEqual(memtables.active.capacity);
});

test("the estimate of space amplification tells garbage from data, and nothing of an empty tree", () => {
  const level = (bytes: number, entries = bytes / 10, tombstones = 0, hidden = 0) => ({
    bytes,
    entries,
    tombstones,
    hidden,
  });
  expect(spaceAmplification([level(0), level(0)])).toBe(0);
  expect(spaceAmplification([level(0), level(1000)])).toBe(1);
  expect(spaceAmplification([level(100), level(1000)])).toBeCloseTo(1.1);
  expect(spaceAmplification([level(0), level(1000, 100, 0, 50)])).toBeCloseTo(2);
  expect(spaceAmplification([level(0), level(1000, 100, 100, 0)])).toBeCloseTo(100);
});
