/** Conditions that nothing was written since: no change is missed, wherever flush and compaction have put it. */
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { Random, seeds } from "../../support/random.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";
import { WallClock } from "../../support/wall-clock.ts";

const CONFLICT = { code: "CONFLICT", retryable: true };

async function opened(fs = new MemoryFileSystem(), clock = new WallClock()): Promise<Database> {
  return Database.open("/db", { ...TINY_SETTINGS, fs, clock, background: "inline" });
}

/** Compacted until nothing is left of what can go. */
async function settle(db: Database): Promise<void> {
  await db.compact();
  await db.compact();
}

test("a delete of which compaction has left no trace is not taken for no change", async () => {
  await using db = await opened();
  const { version: since } = await db.put("k", "1");
  await db.put("other", "1");
  await db.delete("k");
  await settle(db);
  expect(db.stats().levels.reduce((sum, { tombstones }) => sum + tombstones, 0)).toBe(0);
  for (const condition of [
    { key: "k", unchangedSince: since },
    { range: { gte: "k", lte: "k" }, unchangedSince: since },
  ]) {
    await expect(db.put("x", "1", { if: [condition] })).rejects.toMatchObject(CONFLICT);
  }
});

test("what came and went since leaves a trace as long as a snapshot of then is open", async () => {
  await using db = await opened();
  await db.put("other", "1");
  const snapshot = await db.snapshot();
  const unchangedSince = snapshot.sequence;
  await db.put("k", "1");
  await db.delete("k");
  await db.put("r1", "1");
  await db.deleteRange({ prefix: "r" });
  await settle(db);
  const holds = (condition: object) =>
    db.put("x", "1", { if: [{ unchangedSince, ...condition } as never] });
  await expect(holds({ key: "k" })).rejects.toMatchObject(CONFLICT);
  await expect(holds({ key: "r1" })).rejects.toMatchObject(CONFLICT);
  await expect(holds({ range: { prefix: "r" } })).rejects.toMatchObject(CONFLICT);
  await holds({ key: "never" });
  await holds({ key: "other", present: true });
  await holds({ range: { lt: "k" } });
});

test("a key that is there and unchanged holds, however much was compacted since", async () => {
  await using db = await opened();
  const { version: unchangedSince } = await db.put("k", "1");
  for (let i = 0; i < 200; i++) await db.put(`o${i}`, "x".repeat(50));
  await settle(db);
  await db.put("x", "1", { if: [{ key: "k", unchangedSince, present: true }] });
});

test("what was read before the database was opened anew is not vouched for", async () => {
  const fs = new MemoryFileSystem();
  let unchangedSince = 0;
  {
    await using db = await opened(fs);
    ({ version: unchangedSince } = await db.put("k", "1"));
    await db.delete("k");
    await settle(db);
  }
  await using db = await opened(fs);
  const conditions = [
    { key: "k", unchangedSince },
    { range: { prefix: "k" }, unchangedSince },
  ];
  for (const condition of conditions) {
    await expect(db.put("x", "1", { if: [condition] })).rejects.toMatchObject(CONFLICT);
  }
});

test("an entry that has expired since it was read is there no more", async () => {
  const clock = new WallClock();
  await using db = await opened(undefined, clock);
  const { version: unchangedSince } = await db.put("k", "1", { ttlMs: 1000 });
  await db.put("x", "1", { if: [{ key: "k", unchangedSince, present: true }] });
  clock.advance(1000);
  const still = { if: [{ key: "k", unchangedSince, present: true as const }] };
  await expect(db.put("x", "2", still)).rejects.toMatchObject(CONFLICT);
  await db.put("x", "3", { if: [{ key: "k", unchangedSince }] });
});

test("writes that are submitted and not yet visible are changes", async () => {
  await using db = await opened();
  const { version: unchangedSince } = await db.put("k", "1");
  const put = db.put("k", "2");
  const range = { gte: "k", lte: "k" };
  await expect(db.put("x", "1", { if: [{ range, unchangedSince }] })).rejects.toMatchObject(
    CONFLICT,
  );
  await put;
});

test("a memtable that is flushed while it is put in order for a range is left alone", async () => {
  const fs = new MemoryFileSystem();
  await using db = await Database.open("/db", { fs, background: "inline" });
  for (let round = 0; round < 3; round++) {
    const { version: unchangedSince } = await db.put(`before${round}`, "1");
    const fill = (prefix: string) =>
      db.batch(
        Array.from({ length: 20_000 }, (_, i) => ({
          type: "put",
          key: `${prefix}${round}:${(i * 7919) % 20_000}`,
          value: "v",
        })),
      );
    await fill("a");
    const range = { prefix: `a${round}` };
    const refused = expect(
      db.put("x", "1", { if: [{ range, unchangedSince }] }),
    ).rejects.toMatchObject(CONFLICT);
    await db.flush();
    await fill("b");
    await refused;
    for (const prefix of [`a${round}`, `b${round}`]) {
      expect((await Array.fromAsync(db.scan({ prefix }))).length).toBe(20_000);
    }
  }
});

test.each(seeds(60))("no change is missed, and of keys none is made up (seed %i)", async (seed) => {
  const random = new Random(seed);
  await using db = await opened();
  const key = () => `k${String(random.below(30)).padStart(2, "0")}`;
  const changed = new Map<string, number>();
  const write = async () => {
    const dice = random.below(10);
    if (dice < 5) {
      const one = key();
      changed.set(one, (await db.put(one, "x".repeat(random.below(60)))).version);
    } else if (dice < 7) {
      const one = key();
      changed.set(one, (await db.delete(one)).version);
    } else if (dice < 8) {
      const one = key();
      changed.set(one, (await db.merge(one, "append", "y")).version);
    } else {
      const [gte, lt] = [key(), key()].sort() as [string, string];
      const { version } = await db.deleteRange({ gte, lt });
      for (let i = 0; i < 30; i++) {
        const one = `k${String(i).padStart(2, "0")}`;
        if (one >= gte && one < lt) changed.set(one, version);
      }
    }
  };
  for (let round = 0; round < 12; round++) {
    for (let i = random.below(30); i > 0; i--) await write();
    const snapshot = await db.snapshot();
    const unchangedSince = snapshot.sequence;
    for (let i = random.below(12); i > 0; i--) await write();
    if (random.below(3) === 0) await db.flush();
    if (random.below(3) === 0) await settle(db);
    if (random.below(2) === 0) await snapshot.close();
    const one = key();
    const isChanged = (changed.get(one) ?? 0) > unchangedSince;
    const [gte, lt] = [key(), key()].sort() as [string, string];
    const isRangeChanged = [...changed].some(
      ([name, version]) => name >= gte && name < lt && version > unchangedSince,
    );
    const attempt = (condition: object) =>
      db.batch([], { if: [{ ...condition, unchangedSince } as never] }).then(
        () => true,
        (error) => {
          expect(error).toMatchObject(CONFLICT);
          return false;
        },
      );
    const keyHeld = await attempt({ key: one });
    const rangeHeld = await attempt({ range: { gte, lt } });
    if (isChanged) expect(keyHeld).toBe(false);
    if (isRangeChanged) expect(rangeHeld).toBe(false);
    await snapshot.close();
    await using later = await db.snapshot();
    const present = { unchangedSince: later.sequence };
    await db.batch([], { if: [{ key: one, ...present }] });
    await db.batch([], { if: [{ range: { gte, lt }, ...present }] });
  }
});
