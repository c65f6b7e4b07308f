/** The space of a keyspace's past comes back by itself when its own retention is over, whatever the store's is. */
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import type { Settings } from "../../../src/options.ts";
import type { KeyedStore } from "../../../src/store.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

const HOUR = 3_600_000;
const KEYS = 60;
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
  return { clock, fs, db: await driven(clock, Database.open("/db", options)) };
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

async function overwrite(store: KeyedStore, keys = KEYS, rounds = ROUNDS): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < keys; i++) {
      await store.put(`key:${i}`, `${round} ${i}`.padEnd(60, "."), { durability: "none" });
    }
  }
}

/** Until so many entries, and those of the store's own, are left. */
async function comesTo(db: Database, entries: number): Promise<void> {
  await expect.poll(() => entriesIn(db) - entries, { timeout: 10_000 }).toBeLessThanOrEqual(20);
  expect(entriesIn(db)).toBeGreaterThanOrEqual(entries);
}

async function hours(clock: ManualClock, count: number): Promise<void> {
  for (let hour = 0; hour < count; hour++) {
    clock.advance(HOUR);
    await turns(20);
  }
}

/** That time alone changes nothing any more. */
async function rests(db: Database, clock: ManualClock): Promise<void> {
  await turns();
  const { compactions } = db.stats().background;
  await hours(clock, 5);
  expect(db.stats().background.compactions).toBe(compactions);
}

test.each([
  ["large", 60],
  // So that all are in the same few tables.
  ["small", 4],
])("a keyspace that keeps less than the store, and one that keeps more (%s)", async (_, keys) => {
  const { clock, db } = await open({
    retentionMs: 24 * HOUR,
    ...(keys < 10 ? { tableBytes: 64 * 1024, levelBytes: 64 * 1024 } : {}),
  });
  const write = async () => {
    const less = await db.keyspace("less", { retentionMs: HOUR });
    const more = await db.keyspace("more", { retentionMs: 72 * HOUR });
    for (const store of [less, more, db]) await overwrite(store, keys);
    await db.compact();
  };
  await driven(clock, write());
  const all = 3 * keys * ROUNDS;
  expect(entriesIn(db)).toBeGreaterThanOrEqual(all);
  const gone = keys * (ROUNDS - 1);
  await hours(clock, 2);
  await comesTo(db, all - gone);
  await rests(db, clock);
  await hours(clock, 20);
  await comesTo(db, all - 2 * gone);
  await rests(db, clock);
  await hours(clock, 50);
  await comesTo(db, all - 3 * gone);
  await rests(db, clock);
  await driven(clock, db.close());
});

test("a keyspace whose retention is made shorter gives back at once, also after a reopen", async () => {
  const { clock, db, fs } = await open({});
  const write = async () => {
    const audit = await db.keyspace("audit", { retentionMs: 240 * HOUR });
    await overwrite(audit);
    await overwrite(db);
    await db.compact();
  };
  await driven(clock, write());
  await comesTo(db, KEYS + KEYS * ROUNDS);
  await hours(clock, 30);
  await comesTo(db, KEYS + KEYS * ROUNDS);
  await driven(clock, db.close());
  const again = await open({}, fs, clock);
  await hours(clock, 1);
  await comesTo(again.db, KEYS + KEYS * ROUNDS);
  await driven(clock, again.db.alterKeyspace("audit", { retentionMs: 3 * HOUR }));
  await comesTo(again.db, 2 * KEYS);
  const audit = await driven(clock, again.db.keyspace("audit"));
  await expect(audit.get("key:1", { at: 1 })).rejects.toMatchObject({ code: "COMPACTED" });
  await driven(clock, again.db.close());
});

test("what was kept for a keyspace goes with it", async () => {
  const { clock, db } = await open({});
  const write = async () => {
    const audit = await db.keyspace("audit", { retentionMs: 240 * HOUR });
    await overwrite(audit);
    await overwrite(db);
    await audit.deleteRange({ gte: "key:2", lt: "key:3" });
    await db.compact();
  };
  await driven(clock, write());
  await comesTo(db, KEYS + KEYS * ROUNDS);
  await driven(clock, db.dropKeyspace("audit"));
  await driven(clock, db.flush());
  await comesTo(db, KEYS);
  await hours(clock, 2);
  await rests(db, clock);
  await driven(clock, db.close());
});

test("many keyspaces with retentions, of which each is small, give back what they keep", async () => {
  const { clock, db } = await open({ tableBytes: 16 * 1024, levelBytes: 16 * 1024 });
  const count = 60;
  const write = async () => {
    for (let i = 0; i < count; i++) {
      const retentionMs = i % 10 === 0 ? 1000 * HOUR : (1 + (i % 5)) * HOUR;
      const one = await db.keyspace(`ks ${i}`, { retentionMs });
      await overwrite(one, 2);
    }
    await db.compact();
  };
  await driven(clock, write());
  expect(entriesIn(db)).toBeGreaterThanOrEqual(count * 2 * ROUNDS);
  await hours(clock, 8);
  const kept = (count / 10) * 2 * ROUNDS;
  // A table of which less than a quarter is over is not worth it.
  await expect.poll(() => entriesIn(db)).toBeLessThan((kept + count * 2) * 1.8);
  expect(entriesIn(db)).toBeGreaterThanOrEqual(kept);
  await rests(db, clock);
  await driven(clock, db.close());
});
