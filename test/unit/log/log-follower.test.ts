/** How a feed reads the log where that is large, damaged, short, or cannot be written any more. */
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import type { Settings } from "../../../src/options.ts";
import type { CommitEvent, Watch } from "../../../src/store.ts";
import { FaultyFileSystem } from "../../support/faulty-file-system.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

const KEPT = { feedRetentionBytes: 2 ** 30 };

async function commitsOf(watch: Watch, count: number): Promise<CommitEvent[]> {
  const commits: CommitEvent[] = [];
  while (commits.length < count) {
    const { value } = await watch.next();
    if (value?.type === "commit") commits.push(value);
  }
  return commits;
}

function openTiny(fs: MemoryFileSystem, settings: Partial<Settings>): Promise<Database> {
  return Database.open("/db", { ...TINY_SETTINGS, ...settings, fs, background: "inline" });
}

async function logNames(fs: MemoryFileSystem): Promise<string[]> {
  return (await fs.list("/db")).filter((name) => name.endsWith(".log"));
}

test("records and operations that are longer than what is read at a time", async () => {
  const fs = new MemoryFileSystem();
  await using db = await Database.open("/db", { fs, background: "inline" });
  const sizes = [1, 70_000, 20, 500_000, 65_536, 65_527, 3];
  const value = (i: number) => new Uint8Array(sizes[i] ?? 0).fill(i + 1);
  await db.batch(sizes.map((_, i) => ({ type: "put", key: `k${i}`, value: value(i) })));
  for (const i of sizes.keys()) await db.put(`k${i}`, value(i));
  await db.put("after", "");
  await using all = db.watch({ since: 0 });
  const [batch, ...singles] = await commitsOf(all, sizes.length + 2);
  const valuesOf = ({ operations }: CommitEvent) =>
    operations.map((operation) => (operation.type === "put" ? operation.value : undefined));
  expect(batch && valuesOf(batch)).toEqual(sizes.map((_, i) => value(i)));
  expect(singles.slice(0, -1).flatMap(valuesOf)).toEqual(sizes.map((_, i) => value(i)));
  // Large ones that are not watched are passed over.
  await using some = db.watch({ since: 0, prefix: "k6" });
  const told = await commitsOf(some, 2);
  expect(told.flatMap(valuesOf)).toEqual([value(6), value(6)]);
});

test("a segment that is kept for feeds alone and damaged fails the watch, and nothing else", async () => {
  const fs = new MemoryFileSystem();
  let db = await openTiny(fs, KEPT);
  for (let i = 0; i < 40; i++) await db.put(`k${i}`, "v".repeat(40));
  await db.flush();
  await db.put("after", "");
  await db.close();
  const [oldest = ""] = await logNames(fs);
  const file = await fs.open(`/db/${oldest}`, "write");
  const byte = new Uint8Array(1);
  await file.read(byte, 300);
  byte[0]! ^= 1;
  await file.write(byte, 300);
  await file.close();

  const report = await Database.verify("/db", undefined, fs);
  expect(report.retainedSegments).toBe((await logNames(fs)).length - report.logSegments - 1);
  expect(report.problems).toHaveLength(1);
  expect(report.problems[0]?.message).toContain(oldest);
  db = await openTiny(fs, KEPT);
  const read = Array.fromAsync(db.watch({ since: 0 }));
  await expect(read).rejects.toMatchObject({ code: "CORRUPTION" });
  await expect(read).rejects.toThrow(new RegExp(`${oldest} at \\d+`));
  const { sequence } = db.stats();
  await using behind = db.watch({ since: sequence - 1 });
  expect(await commitsOf(behind, 1)).toMatchObject([{ sequence }]);
  await db.close();

  await Database.repair("/db", fs);
  db = await openTiny(fs, KEPT);
  expect(db.stats().feed.oldestSequence).toBe(sequence);
  const gone = db.watch({ since: 0 }).next();
  await expect(gone).rejects.toMatchObject({ code: "COMPACTED", sequence });
  await db.close();
});

test("a tree made anew does not apply again what is kept for feeds", async () => {
  const fs = new MemoryFileSystem();
  let db = await openTiny(fs, KEPT);
  await db.merge("sum", "add", 5);
  await db.flush();
  await db.merge("sum", "add", 2);
  await db.close();
  await fs.remove("/db/CURRENT");
  for (const name of await fs.list("/db")) {
    if (name.endsWith(".manifest")) await fs.remove(`/db/${name}`);
  }
  expect(await Database.repair("/db", fs)).toMatchObject({ operationsRecovered: 1 });
  db = await openTiny(fs, KEPT);
  expect(await db.increment("sum", 0)).toMatchObject({ value: 7n });
  await db.close();
});

test("a log that cannot be written ends watches behind the last commit", async () => {
  const memory = new MemoryFileSystem();
  const fs = new FaultyFileSystem(memory);
  const db = await Database.open("/db", { ...TINY_SETTINGS, fs, background: "inline" });
  await db.put("a", "1");
  await using watch = db.watch({ since: 0 });
  fs.setRules([{ kinds: ["writeSynced"], path: /\.log$/, fault: "EIO" }]);
  await expect(db.put("b", "2")).rejects.toMatchObject({ code: "LOG_FAILED" });
  fs.setRules([]);
  expect(await commitsOf(watch, 1)).toMatchObject([{ sequence: 1 }]);
  await expect(watch.next()).rejects.toMatchObject({ code: "LOG_FAILED" });
  expect((await watch.next()).done).toBe(true);
  await using late = db.watch();
  await late.next();
  await expect(late.next()).rejects.toMatchObject({ code: "LOG_FAILED" });
  await db.close();
});

test("what is kept for feeds is bounded by bytes, and by time", async () => {
  const fs = new MemoryFileSystem();
  const clock = new ManualClock();
  const settings = { ...TINY_SETTINGS, feedRetentionBytes: 10_000, feedRetentionMs: 5000 };
  const db = await Database.open("/db", { ...settings, fs, clock, background: "inline" });
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 20; i++) await db.put(`k${i}`, "v".repeat(60));
    await db.flush();
    expect(db.stats().feed.retainedBytes).toBeLessThanOrEqual(10_000);
  }
  const { retainedBytes, oldestSequence } = db.stats().feed;
  expect(retainedBytes).toBeGreaterThan(5000);
  expect(oldestSequence).toBeGreaterThan(0);
  const names = await logNames(fs);
  clock.advance(6000);
  while (db.stats().feed.retainedBytes > 0) await new Promise(setImmediate);
  expect(db.stats().feed.oldestSequence).toBe(db.stats().sequence);
  await db.close();
  expect((await logNames(fs)).length).toBeLessThan(names.length);
});

test("a reader that is caught up does not mind that the segment it is in goes", async () => {
  const fs = new MemoryFileSystem();
  const db = await openTiny(fs, { feedRetentionBytes: 0 });
  await using watch = db.watch();
  await watch.next();
  for (let round = 0; round < 5; round++) {
    const { version } = await db.put("k", `${round}`);
    expect(await commitsOf(watch, 1)).toMatchObject([{ sequence: version }]);
    await db.flush();
    await db.flush();
  }
  await db.close();
  expect(fs.openFiles).toBe(0);
});

test("a database that is read-only has no feed", async () => {
  const fs = new MemoryFileSystem();
  await (await openTiny(fs, {})).close();
  await using db = await openTiny(fs, { readOnly: true });
  expect(() => db.watch()).toThrow(expect.objectContaining({ code: "READ_ONLY" }));
});
