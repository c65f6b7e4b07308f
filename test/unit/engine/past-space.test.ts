/** The space of the past comes back by itself once nobody may see it any more, with no reads and no writes. */
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import type { Settings } from "../../../src/options.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

const HOUR = 3_600_000;
const KEYS = 100;
const ROUNDS = 6;

async function turns(count = 300): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

async function open(
  settings: Partial<Settings>,
  fs = new MemoryFileSystem(),
  clock = new ManualClock(),
) {
  const options = { ...TINY_SETTINGS, ...settings, fs, clock, background: "inline" as const };
  return { clock, fs, db: await Database.open("/db", options) };
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

async function overwrite(db: Database, rounds = ROUNDS): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < KEYS; i++) {
      await db.put(`key:${i}`, `${round} ${i}`.padEnd(60, "."), { durability: "none" });
    }
  }
  await db.compact();
}

test("versions that the retention has kept go when it is over", async () => {
  const { clock, db } = await open({ retentionMs: 24 * HOUR });
  await driven(clock, overwrite(db));
  expect(entriesIn(db)).toBe(KEYS * ROUNDS);
  const before = bytesIn(db);
  const written = db.stats().bytesWritten.compaction;
  for (let hour = 0; hour < 23; hour++) clock.advance(HOUR);
  await turns();
  expect(entriesIn(db)).toBe(KEYS * ROUNDS);
  // Nothing was compacted that has nothing to give yet.
  expect(db.stats().bytesWritten.compaction).toBe(written);
  clock.advance(2 * HOUR);
  await expect.poll(() => entriesIn(db), { timeout: 10_000 }).toBe(KEYS);
  expect(bytesIn(db)).toBeLessThan(before / 2);
  const rest = await driven(clock, Array.fromAsync(db.scan()));
  expect(rest).toHaveLength(KEYS);
  // And that is the end of it.
  await turns();
  const { compactions } = db.stats().background;
  for (let hour = 0; hour < 100; hour++) clock.advance(HOUR);
  await turns();
  expect(db.stats().background.compactions).toBe(compactions);
  await driven(clock, db.close());
});

test("what was deleted goes, too, with the deletes", async () => {
  const { clock, db } = await open({ retentionMs: HOUR });
  await driven(clock, overwrite(db, 1));
  const remove = async () => {
    for (let i = 0; i < KEYS / 2; i++) await db.delete(`key:${i}`, { durability: "none" });
    await db.deleteRange({ gte: "key:5", lt: "key:9" });
    await db.compact();
  };
  await driven(clock, remove());
  expect(entriesIn(db)).toBe(KEYS + KEYS / 2);
  clock.advance(2 * HOUR);
  const left = (await driven(clock, Array.fromAsync(db.scan()))).length;
  await expect.poll(() => entriesIn(db), { timeout: 10_000 }).toBe(left);
  await driven(clock, db.close());
});

test("after a reopen the time goes on", async () => {
  const { clock, db, fs } = await open({ retentionMs: 24 * HOUR });
  await driven(clock, overwrite(db));
  await driven(clock, db.close());
  const again = await driven(clock, open({ retentionMs: 24 * HOUR }, fs, clock));
  expect(entriesIn(again.db)).toBe(KEYS * ROUNDS);
  for (let hour = 0; hour < 26; hour++) clock.advance(HOUR);
  await expect.poll(() => entriesIn(again.db), { timeout: 10_000 }).toBe(KEYS);
  await driven(clock, again.db.close());
});

test("versions that a snapshot has kept go when it is closed", async () => {
  const { clock, db } = await open({});
  await driven(clock, overwrite(db, 1));
  const snapshot = await db.snapshot();
  await driven(clock, overwrite(db, 1));
  expect(entriesIn(db)).toBe(2 * KEYS);
  await turns();
  expect(entriesIn(db)).toBe(2 * KEYS);
  await snapshot.close();
  await expect.poll(() => entriesIn(db), { timeout: 10_000 }).toBe(KEYS);
  await driven(clock, db.close());
});
