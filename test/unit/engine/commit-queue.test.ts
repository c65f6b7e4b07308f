/** What the commit queue does with large batches, and with the log when nothing is written. */
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { Random, seeds } from "../../support/random.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

async function open() {
  const clock = new ManualClock();
  const fs = new MemoryFileSystem();
  const db = await Database.open("/db", { fs, clock, background: "inline" });
  return { clock, db, fs };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
}

test("a log that idles is marked as synced once, after the last write", async () => {
  const { clock, db } = await open();
  const written = () => db.stats().bytesWritten.log;
  await db.put("a", "1");
  const afterPut = written();
  clock.advance(600);
  await db.put("b", "2");
  const afterPuts = written();
  expect(afterPuts).toBeGreaterThan(afterPut);
  clock.advance(600);
  await settle();
  expect(written()).toBe(afterPuts);
  clock.advance(1000);
  await settle();
  const marked = written();
  expect(marked).toBeGreaterThan(afterPuts);
  clock.advance(10_000);
  await settle();
  expect(written()).toBe(marked);
  await db.close();
});

test("damage to the last write of a log that idled is CORRUPTION, not a torn tail", async () => {
  const { clock, db, fs } = await open();
  await db.put("key", "value");
  clock.advance(2000);
  await settle();
  const image = fs.killImage();
  await db.close();
  for (const name of await image.list("/db")) {
    if (!name.endsWith(".log")) continue;
    const file = await image.open(`/db/${name}`, "write");
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    const at = bytes.indexOf("value");
    if (at > 0) await file.write(Buffer.from("V"), at);
    await file.close();
  }
  await expect(Database.open("/db", { fs: image, background: "inline" })).rejects.toMatchObject({
    code: "CORRUPTION",
  });
});

test("writes that are never to be synced are not marked either", async () => {
  const { clock, db } = await open();
  await db.put("a", "1", { durability: "none" });
  const written = db.stats().bytesWritten.log;
  clock.advance(10_000);
  await settle();
  expect(db.stats().bytesWritten.log).toBe(written);
  await db.close();
});

test.each(seeds(20))(
  "large batches, which are sorted, give what a map gives (seed %i)",
  async (seed) => {
    const random = new Random(seed);
    const fs = new MemoryFileSystem();
    const settings = { ...TINY_SETTINGS, fs, background: "inline" } as const;
    let db = await Database.open("/db", settings);
    const model = new Map<string, string>();
    let version = 0;
    for (let round = 0; round < 6; round++) {
      const size = random.pick([1, 255, 256, 257, 600]);
      const operations = Array.from({ length: size }, (_, i) => {
        const key = `${random.pick(["", "prefix:"])}${random.below(200)}`;
        if (random.chance(25)) {
          model.delete(key);
          return { type: "delete" as const, key };
        }
        const value = `${round}:${i}`;
        model.set(key, value);
        return { type: "put" as const, key, value };
      });
      // Single writes before and after it are in the same group.
      const [before, batch, after] = await Promise.all([
        db.put("a", `${round}`),
        db.batch(operations),
        db.put("z", `${round}`),
      ]);
      model.set("a", `${round}`).set("z", `${round}`);
      expect([before, batch, after].map((commit) => commit.version)).toEqual([
        version + 1,
        version + 1 + size,
        version + 2 + size,
      ]);
      version += size + 2;
      if (random.chance(30)) {
        await db.close();
        db = await Database.open("/db", settings);
      }
      const entries = await Array.fromAsync(db.scan());
      const texts = entries.map((entry) => entry.map((bytes) => new TextDecoder().decode(bytes)));
      expect(texts).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
      for (const [key, value] of model) {
        expect(new TextDecoder().decode(await db.get(key))).toBe(value);
      }
    }
    await db.close();
  },
);

/** The groups that each of three rounds of synced puts takes, all of a round submitted at once. */
async function groupsOfRounds(puts: number, syncMs: number): Promise<number[]> {
  const { clock, db, fs } = await open();
  fs.onOperation = (kind) => {
    if (kind === "writeSynced") clock.advance(syncMs);
  };
  const rounds: number[] = [];
  for (let round = 0; round < 3; round++) {
    const before = db.stats().writes.groups;
    await Promise.all(Array.from({ length: puts }, (_, i) => db.put(`${i}`, `${round}`)));
    rounds.push(db.stats().writes.groups - before);
  }
  await db.close();
  return rounds;
}

test("many writes go in two halves where syncs are fast, so that one is written while the other comes in", async () => {
  expect(await groupsOfRounds(200, 0)).toEqual([1, 2, 2]);
});

test("few writes share a group, and so do all where syncs are slow", async () => {
  expect(await groupsOfRounds(50, 0)).toEqual([1, 1, 1]);
  expect(await groupsOfRounds(200, 5)).toEqual([1, 1, 1]);
});
