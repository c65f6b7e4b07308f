/** Space comes back when nothing is written, and only then, and only where it is worth it. */
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

const LAST_LEVEL = 6;

async function open() {
  const clock = new ManualClock();
  const fs = new MemoryFileSystem();
  const settings = { ...TINY_SETTINGS, feedRetentionBytes: 0 };
  const db = await Database.open("/db", { ...settings, fs, clock, background: "inline" });
  return { clock, fs, db };
}

async function turns(count = 200): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

/** Lets time pass in which nothing is written. */
async function rest(clock: ManualClock, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 500) {
    clock.advance(500);
    await turns();
  }
}

/** One after the other; the clock goes on where a write has to wait for its turn. */
async function write(db: Database, clock: ManualClock, round: number, keys = 200): Promise<void> {
  let isDone = false;
  const writes = (async () => {
    for (let i = 0; i < keys; i++) await db.put(`key ${i}`, `value ${round}:${i}`.padEnd(60, "."));
    isDone = true;
  })();
  while (!isDone) {
    await turns(10);
    clock.advance(1);
  }
  await writes;
}

const upperTables = (db: Database) =>
  db.stats().levels.reduce((sum, { files }, level) => sum + (level < LAST_LEVEL ? files : 0), 0);

async function logBytes(fs: MemoryFileSystem): Promise<number> {
  let bytes = 0;
  for (const name of (await fs.list("/db")).filter((one) => one.endsWith(".log"))) {
    const file = await fs.open(`/db/${name}`, "read");
    bytes += await file.size();
    await file.close();
  }
  return bytes;
}

test("a database that rests has everything in its last level, and next to no log", async () => {
  const { clock, fs, db } = await open();
  for (let round = 0; round < 4; round++) await write(db, clock, round);
  await turns();
  expect(upperTables(db) + db.stats().memtables.active.entries).toBeGreaterThan(0);
  const before = await logBytes(fs);
  await rest(clock, 5000);
  expect(upperTables(db)).toBe(0);
  expect(db.stats().memtables.active.entries).toBe(0);
  expect(await logBytes(fs)).toBeLessThan(before);
  for (let i = 0; i < 200; i++) {
    const value = await db.get(`key ${i}`);
    expect(Buffer.from(value ?? []).toString()).toBe(`value 3:${i}`.padEnd(60, "."));
  }
  // The log grows again as it is used.
  await write(db, clock, 4);
  await write(db, clock, 5);
  await db.close();
  const again = await Database.open("/db", { ...TINY_SETTINGS, fs, background: "inline" });
  expect(Buffer.from((await again.get("key 7")) ?? []).toString()).toContain("value 5:7");
  await again.close();
});

test("while somebody writes, nothing is tidied up", async () => {
  const { clock, db } = await open();
  await write(db, clock, 0);
  await db.flush();
  await turns();
  const before = db.stats().background.compactions;
  for (let i = 0; i < 20; i++) {
    await db.put("a", `${i}`);
    clock.advance(900);
    await turns(5);
  }
  expect(db.stats().memtables.active.entries).toBeGreaterThan(0);
  expect(db.stats().background.compactions).toBe(before);
  await db.close();
});

test("what was written since is too little to rewrite the rest for it", async () => {
  const { clock, db } = await open();
  await write(db, clock, 0, 2000);
  await rest(clock, 5000);
  const compactions = () => db.stats().background.compactions;
  const before = compactions();
  expect(upperTables(db)).toBe(0);
  await db.put("key 1", "once more");
  await rest(clock, 10_000);
  expect(compactions()).toBe(before);
  expect(db.stats().memtables.active.entries).toBe(1);
  await db.close();
});
