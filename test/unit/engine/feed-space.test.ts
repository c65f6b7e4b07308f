/** What bounds the feed: how many may watch, and the disk, on which log kept for watchers is the first to go. */
import { expect, onTestFinished, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import type { CommitEvent, Watch } from "../../../src/store.ts";
import { FaultyFileSystem } from "../../support/faulty-file-system.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { eventually } from "../../support/test-server.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

const RESERVE = 1_000_000;

/** A database that keeps much for feeds. */
async function openOnVolume() {
  const memory = new MemoryFileSystem();
  const fs = new FaultyFileSystem(memory);
  const clock = new ManualClock();
  const kept = { feedRetentionBytes: 2 ** 30, freeSpaceReserve: RESERVE };
  const options = { ...TINY_SETTINGS, ...kept, fs, clock, background: "inline" as const };
  const db = await Database.open("/db", options);
  onTestFinished(() => db.close());
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 20; i++) await db.put(`k${i}`, "v".repeat(60));
    await db.flush();
  }
  const filesBytes = async () => {
    let sum = 0;
    for (const name of await memory.list("/db")) {
      const file = await memory.open(`/db/${name}`, "read");
      sum += await file.size();
      await file.close();
    }
    return sum;
  };
  const full = await filesBytes();
  return { memory, fs, clock, db, filesBytes, full };
}

async function nextCommit(watch: Watch): Promise<CommitEvent> {
  for (;;) {
    const { value } = await watch.next();
    if (value?.type === "commit") return value;
  }
}

test("on a full disk log that only feeds need goes first, as much as is missing, and writes go on", async () => {
  const { fs, clock, db, filesBytes, full } = await openOnVolume();
  const before = db.stats().feed;
  expect(before.oldestSequence).toBe(0);
  const missing = 2000;
  fs.freeBytes = async () => RESERVE - missing + full - (await filesBytes());
  const watch = db.watch({ since: 0 });
  expect((await nextCommit(watch)).sequence).toBe(1);
  clock.advance(1000);
  // The volume is asked when a put comes.
  await db.put("a", "1");
  await eventually(() => db.stats().feed.retainedBytes < before.retainedBytes);
  await eventually(() => db.stats().feed.watchers === 0);
  const { oldestSequence, retainedBytes } = db.stats().feed;
  expect(before.retainedBytes - retainedBytes).toBeGreaterThanOrEqual(missing);
  expect(retainedBytes).toBeGreaterThan(0);
  const compacted = { code: "COMPACTED", sequence: oldestSequence };
  await expect(watch.next()).rejects.toMatchObject(compacted);
  await expect(db.watch({ since: 0 }).next()).rejects.toMatchObject(compacted);
  const rest = db.watch({ since: oldestSequence });
  expect((await nextCommit(rest)).firstSequence).toBe(oldestSequence + 1);
  await rest.return();
  for (let i = 0; i < 50; i++) {
    clock.advance(1000);
    await db.put(`more:${i}`, "1");
  }
  expect(db.stats().space).toMatchObject({ isLow: false, refused: 0 });
});

test("where that is not enough, puts are refused, and a watch that is caught up goes on", async () => {
  const { fs, memory, clock, db } = await openOnVolume();
  const watch = db.watch();
  await watch.next();
  fs.free = RESERVE - 1;
  clock.advance(1000);
  await db.put("a", "1");
  await eventually(() => db.stats().space.isLow);
  await expect(db.put("b", "1")).rejects.toMatchObject({ code: "NO_SPACE" });
  expect((await nextCommit(watch)).operations).toHaveLength(1);
  const { version } = await db.delete("a");
  expect((await nextCommit(watch)).sequence).toBe(version);
  // One byte was missing: it is asked for anew, segment by segment, for as long as there is nothing else.
  for (let i = 0; db.stats().feed.retainedBytes > 0; i++) {
    expect(i).toBeLessThan(1000);
    clock.advance(500);
    await new Promise(setImmediate);
  }
  await watch.return();
  expect(db.stats().feed.watchers).toBe(0);
  fs.free = RESERVE;
  clock.advance(500);
  await eventually(() => !db.stats().space.isLow);
  await db.put("b", "1");
  await db.close();
  expect(memory.openFiles).toBe(0);
  // What is left is a log as any other.
  await using again = await Database.open("/db", {
    ...TINY_SETTINGS,
    fs: memory,
    background: "inline",
  });
  expect(await again.get("b")).toBeDefined();
  expect(await again.get("a")).toBeUndefined();
});

test("there is a limit to how many watch", async () => {
  const fs = new MemoryFileSystem();
  await using db = await Database.open("/db", { fs, background: "inline", watchesMax: 2 });
  const first = db.watch();
  const second = db.watch({ since: 0 });
  const refused = expect.objectContaining({ code: "OVERLOADED", retryAfterMs: 1000 });
  expect(() => db.watch()).toThrow(refused);
  expect(db.stats().feed.watchers).toBe(2);
  await first.return();
  const third = db.watch();
  expect(() => db.watch()).toThrow(refused);
  await second.return();
  await third.return();
});
