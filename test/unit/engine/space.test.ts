import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

const RESERVE = 1_000_000;

async function openOnVolume(free: number) {
  const fs = new MemoryFileSystem();
  fs.free = free;
  const clock = new ManualClock();
  const options = { ...TINY_SETTINGS, freeSpaceReserve: RESERVE, fs, clock };
  const db = await Database.open("/db", { ...options, background: "inline" });
  return { fs, clock, db };
}

/** Turns the clock until the volume was asked again. */
async function pass(clock: ManualClock): Promise<void> {
  clock.advance(1000);
  await new Promise(setImmediate);
}

test("a put below the reserve is NO_SPACE, says when to try again, and changes nothing", async () => {
  const { db, fs } = await openOnVolume(RESERVE - 1);
  const before = fs.operations;
  await expect(db.put("a", "1")).rejects.toMatchObject({ code: "NO_SPACE", retryable: true });
  await expect(
    db.batch([
      { type: "delete", key: "a" },
      { type: "put", key: "b", value: "2" },
    ]),
  ).rejects.toMatchObject({ code: "NO_SPACE" });
  expect(fs.operations).toBe(before);
  expect(db.stats()).toMatchObject({ space: { isLow: true, refused: 2 }, sequence: 0 });
  await db.close();
});

test("deletes, flush and compaction go on without space, and puts resume when it is back", async () => {
  const { db, fs, clock } = await openOnVolume(RESERVE);
  await db.put("a", "1");
  await db.put("b", "2");
  fs.free = RESERVE - 1;
  await pass(clock);
  // The volume is asked when a put comes, and not more often than needed; the reserve covers that put.
  await db.put("b", "3");
  await expect(db.put("c", "3")).rejects.toMatchObject({ code: "NO_SPACE" });
  await db.delete("a");
  await db.flush();
  await db.compact();
  expect(await db.get("a")).toBeUndefined();
  fs.free = RESERVE;
  await pass(clock);
  await db.put("c", "3");
  expect(db.stats().space.isLow).toBe(false);
  await db.close();
});

test("a reserve of 0 never refuses", async () => {
  const fs = new MemoryFileSystem();
  fs.free = 0;
  const options = { ...TINY_SETTINGS, freeSpaceReserve: 0, fs };
  const db = await Database.open("/db", { ...options, background: "inline" });
  await db.put("a", "1");
  await db.close();
});
