/** Deleted ranges: what they cost, and that what they hide goes without being read. */
import { expect, test } from "vitest";
import { toBytes } from "../../../src/bytes/data.ts";
import { Database } from "../../../src/engine/database.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

const KEYS = 2000;
const keyOf = (i: number) => `key:${String(i).padStart(6, "0")}`;

async function filled(): Promise<{ fs: MemoryFileSystem; db: Database }> {
  const fs = new MemoryFileSystem();
  const db = await Database.open("/db", { ...TINY_SETTINGS, fs, background: "inline" });
  for (let i = 0; i < KEYS; i += 100) {
    const puts = Array.from({ length: 100 }, (_, n) => ({
      type: "put" as const,
      key: keyOf(i + n),
      value: "x".repeat(40),
    }));
    await db.batch(puts, { durability: "none" });
  }
  await db.compact();
  return { fs, db };
}

const sumOf = (db: Database, what: "entries" | "files" | "rangeDeletes") =>
  db.stats().levels.reduce((sum, level) => sum + level[what], 0);

test("tables that a range covers whole go with its flush, and are not read", async () => {
  const { db } = await filled();
  const { files, compactions } = { files: sumOf(db, "files"), ...db.stats().background };
  expect(files).toBeGreaterThan(5);
  await db.deleteRange({ gte: keyOf(0), lt: keyOf(KEYS) });
  await db.flush();
  expect(sumOf(db, "entries")).toBe(0);
  expect(db.stats().background.compactions).toBe(compactions);
  expect(await db.scan().nextMany(1)).toEqual([]);
  await db.compact();
  expect(sumOf(db, "files")).toBe(0);
  await db.close();
});

test("tables that a snapshot sees stay until it is closed", async () => {
  const { db } = await filled();
  const snapshot = await db.snapshot();
  await db.deleteRange({ prefix: "key:" });
  await db.compact();
  expect(await Array.fromAsync(snapshot.scan())).toHaveLength(KEYS);
  expect(await db.scan().nextMany(1)).toEqual([]);
  await snapshot.close();
  await expect.poll(() => sumOf(db, "entries"), { timeout: 20_000 }).toBe(0);
  expect(sumOf(db, "rangeDeletes")).toBe(0);
  await db.close();
});

test("a scan goes past a range without reading what is in it", async () => {
  const { db } = await filled();
  await using _snapshot = await db.snapshot();
  await db.deleteRange({ gt: keyOf(0), lt: keyOf(KEYS - 1) });
  const misses = () => db.stats().cache.hits + db.stats().cache.misses;
  for (const reverse of [false, true]) {
    const before = misses();
    const left = (await Array.fromAsync(db.scan({ reverse }))).map(([key]) => String(key));
    expect(left).toHaveLength(2);
    // The blocks at both ends, and a few for the way between.
    expect(misses() - before).toBeLessThan(12);
  }
  await db.close();
});

test("a range comes down to what it hides by itself, and both are gone", async () => {
  const { db } = await filled();
  await db.deleteRange({ gte: keyOf(100), lt: keyOf(KEYS - 100) });
  // Some more writes, so that levels are compacted as they are in life.
  for (let i = 0; i < 3000; i++) {
    await db.put(`other:${i}`, "y".repeat(40), { durability: "none" });
  }
  await db.flush();
  await expect.poll(() => sumOf(db, "rangeDeletes"), { timeout: 20_000 }).toBe(0);
  expect((await Array.fromAsync(db.scan({ prefix: "key:" }))).length).toBe(200);
  await db.close();
});

test("keys that are written again after their range was deleted start afresh", async () => {
  const { db } = await filled();
  await db.put(keyOf(1), "second");
  await db.deleteRange({ prefix: "key:" });
  await db.put(keyOf(1), "again");
  for (const settle of [async () => {}, () => db.flush(), () => db.compact()]) {
    await settle();
    expect(await db.getEntry(keyOf(1))).toMatchObject({ revision: 1 });
    expect(await Array.fromAsync(db.scan())).toHaveLength(1);
    expect(await db.getMany([keyOf(1), keyOf(2)])).toEqual([toBytes("again"), undefined]);
  }
  await db.close();
});

test("very many ranges end the memtable, and cost bounded memory", async () => {
  const { db } = await filled();
  await db.put("k77", "1");
  const ranges = Array.from({ length: 9000 }, (_, i) => ({
    type: "deleteRange" as const,
    gte: `k${i}`,
    lt: `k${i}~`,
  }));
  await db.batch(ranges.slice(0, 5000), { durability: "none" });
  await db.batch(ranges.slice(5000), { durability: "none" });
  await db.put("after", "1");
  expect(db.stats().memtables.active.entries).toBe(1);
  expect(await db.get("k77")).toBeUndefined();
  expect(await db.get(keyOf(7))).toBeDefined();
  await db.close();
});
