/** The space of what has expired comes back by itself, with no reads and no writes. */
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

async function turns(count = 300): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

async function open() {
  const clock = new ManualClock();
  const fs = new MemoryFileSystem();
  const db = await Database.open("/db", { ...TINY_SETTINGS, fs, clock, background: "inline" });
  return { clock, db };
}

/** Runs until it is done, with the clock going on for writes that have to wait. */
async function driven<Result>(clock: ManualClock, work: Promise<Result>): Promise<Result> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await turns(10);
    clock.advance(1);
  }
  return done;
}

const entriesIn = (db: Database) =>
  db.stats().levels.reduce((sum, { entries }) => sum + entries, 0);
const bytesIn = (db: Database) => db.stats().levels.reduce((sum, { bytes }) => sum + bytes, 0);

async function fill(db: Database, ttlMs: (i: number) => number | undefined): Promise<void> {
  for (let i = 0; i < 400; i++) {
    const ttl = ttlMs(i);
    const options = ttl === undefined ? {} : { ttlMs: ttl };
    await db.put(`key:${i}`, `value ${i}`.padEnd(50, "."), { ...options, durability: "none" });
  }
  await db.compact();
}

test("tables of which much has expired are compacted at the time", async () => {
  const { clock, db } = await open();
  const day = 24 * 3_600_000;
  await driven(
    clock,
    fill(db, (i) => (i % 4 === 0 ? undefined : day)),
  );
  expect(entriesIn(db)).toBe(400);
  const before = bytesIn(db);
  clock.advance(day - 3_600_000);
  await turns();
  expect(entriesIn(db)).toBe(400);
  clock.advance(2 * 3_600_000);
  // A table of which little expires, as the last and smallest may be, is left alone.
  await expect.poll(() => entriesIn(db), { timeout: 10_000 }).toBeLessThan(110);
  expect(bytesIn(db)).toBeLessThan(before / 2);
  const rest = await driven(clock, Array.fromAsync(db.scan()));
  expect(rest).toHaveLength(100);
  await driven(clock, db.close());
});

test("an entry written over one that expired later starts afresh; over one that had not, goes on", async () => {
  const { clock, db } = await open();
  await driven(clock, db.put("early", "1", { ttlMs: 1000 }));
  await driven(clock, db.put("late", "1", { ttlMs: 1_000_000 }));
  await driven(clock, db.flush());
  clock.advance(10_000);
  await driven(clock, db.put("early", "2"));
  await driven(clock, db.put("late", "2"));
  await driven(clock, db.flush());
  const told = async () => {
    const both = [await db.getEntry("early"), await db.getEntry("late")];
    return both.map((entry) => entry?.revision);
  };
  expect(await told()).toEqual([1, 2]);
  clock.advance(2_000_000);
  expect(await told()).toEqual([1, 2]);
  await driven(clock, db.compact());
  expect(await told()).toEqual([1, 2]);
  await driven(clock, db.close());
});

test("an entry that a snapshot saw is absent to it, too, once it has expired", async () => {
  const { clock, db } = await open();
  await driven(clock, db.put("a", "1", { ttlMs: 60_000 }));
  const snapshot = await db.snapshot();
  expect(await snapshot.get("a")).toBeDefined();
  clock.advance(70_000);
  expect(await snapshot.get("a")).toBeUndefined();
  expect(db.getSync("a")).toBeUndefined();
  expect(db.getCached("a")).toBeUndefined();
  expect(await snapshot.scan().nextMany(1)).toEqual([]);
  await snapshot.close();
  await driven(clock, db.close());
});
