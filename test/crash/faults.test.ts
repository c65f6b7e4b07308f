/** What the disk refuses fails by its name, and costs nothing that was acknowledged. */
import { describe, expect, test } from "vitest";
import { type FaultRule, FaultyFileSystem } from "../support/faulty-file-system.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import {
  bytesOf,
  expectFilled,
  FILLED_KEYS,
  fill,
  filledDisk,
  keyOf,
  openTiny,
} from "./filled-disk.ts";

describe("the log", () => {
  const faults: { what: string; rule: FaultRule; durability: "always" | "none" }[] = [
    {
      what: "a synced write fails",
      rule: { kinds: ["writeSynced"], path: /\.log$/, fault: "EIO" },
      durability: "always",
    },
    {
      what: "a synced write is torn",
      rule: { kinds: ["writeSynced"], path: /\.log$/, fault: "torn" },
      durability: "always",
    },
    {
      what: "a write fails",
      rule: { kinds: ["write"], path: /\.log$/, fault: "EIO" },
      durability: "none",
    },
    {
      what: "a write is torn",
      rule: { kinds: ["write"], path: /\.log$/, fault: "torn" },
      durability: "none",
    },
    {
      what: "the disk is full",
      rule: { kinds: ["write"], path: /\.log$/, fault: "ENOSPC" },
      durability: "none",
    },
  ];

  test.each(faults)("$what: LOG_FAILED, reads go on, nothing is lost", async (fault) => {
    const memory = new MemoryFileSystem();
    const fs = new FaultyFileSystem(memory);
    const db = await openTiny(fs);
    await fill(db);
    fs.setRules([fault.rule]);
    const { durability } = fault;
    const first = db.put("failed", "1", { durability });
    await expect(first).rejects.toMatchObject({ code: "LOG_FAILED", maybeApplied: true });
    fs.setRules([]);
    const later = db.put("later", "2");
    await expect(later).rejects.toMatchObject({ code: "LOG_FAILED", maybeApplied: false });
    await expect(db.delete(keyOf(0))).rejects.toMatchObject({ code: "LOG_FAILED" });
    await expect(db.flush()).rejects.toMatchObject({ code: "LOG_FAILED" });
    await expectFilled(db);
    expect(await db.get("failed")).toBeUndefined();
    await db.close();
    for (const disk of [memory, memory.killImage(), memory.crashImage(1), memory.crashImage(2)]) {
      const again = await openTiny(disk);
      await expectFilled(again);
      expect(await again.get("later")).toBeUndefined();
      await again.put("later", "3");
      await again.close();
    }
  });

  test("a sync of earlier writes fails: those in flight are answered, and none twice", async () => {
    const memory = new MemoryFileSystem();
    const fs = new FaultyFileSystem(memory);
    const db = await openTiny(fs);
    await fill(db);
    await db.put("unsynced", "0", { durability: "none" });
    fs.setRules([{ kinds: ["sync"], path: /\.log$/, fault: "EIO" }]);
    const inFlight = [db.put("a", "1"), db.put("b", "2", { durability: "none" })];
    await Promise.resolve();
    await Promise.resolve();
    const behind = db.put("c", "3");
    for (const write of inFlight) {
      await expect(write).rejects.toMatchObject({ code: "LOG_FAILED", maybeApplied: true });
    }
    await expect(behind).rejects.toMatchObject({ code: "LOG_FAILED" });
    await expectFilled(db);
    await db.close();
    const again = await openTiny(memory);
    await expectFilled(again);
    expect(await again.get("unsynced")).toBeDefined();
    await again.close();
  });

  test("a failed sync at an interval fails the writes that come later", async () => {
    const fs = new FaultyFileSystem(new MemoryFileSystem());
    const clock = new ManualClock();
    const db = await openTiny(fs, { clock, syncIntervalMs: 100 });
    await db.put("a", "1", { durability: "interval" });
    fs.setRules([{ kinds: ["sync"], path: /\.log$/, fault: "EIO" }]);
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
    const later = db.put("b", "2", { durability: "none" });
    await expect(later).rejects.toMatchObject({ code: "LOG_FAILED", maybeApplied: false });
    expect(await db.get("a")).toBeDefined();
    await db.close();
  });
});

describe("background work", () => {
  const rules: { what: string; rule: FaultRule }[] = [
    {
      what: "the manifest's sync",
      rule: { kinds: ["sync"], path: /\.manifest$/, fault: "EIO" },
    },
    {
      what: "the manifest's write",
      rule: { kinds: ["write"], path: /\.manifest$/, fault: "torn" },
    },
    { what: "a table's making", rule: { kinds: ["create"], path: /\.table$/, fault: "EIO" } },
    { what: "a table's write", rule: { kinds: ["write"], path: /\.table$/, fault: "EIO" } },
    {
      what: "a table's write, torn",
      rule: { kinds: ["write"], path: /\.table$/, fault: "torn" },
    },
    { what: "a table's sync", rule: { kinds: ["sync"], path: /\.table$/, fault: "EIO" } },
    { what: "the directory's sync", rule: { kinds: ["syncDirectory"], fault: "EIO" } },
  ];

  test.each(rules)("$what fails: said in stats, reads go on, nothing is lost", async ({ rule }) => {
    const memory = new MemoryFileSystem();
    const fs = new FaultyFileSystem(memory);
    const db = await openTiny(fs);
    await fill(db);
    fs.setRules([rule]);
    await expect(db.flush()).rejects.toMatchObject({ code: "IO_ERROR" });
    expect(db.stats().background.failure).toMatch(/EIO/);
    await expectFilled(db);
    await db.put("after", "1");
    fs.setRules([]);

    for (const disk of [memory.killImage(), memory.crashImage(1), memory.crashImage(2)]) {
      const again = await openTiny(disk);
      await expectFilled(again);
      expect(await again.get("after")).toBeDefined();
      await again.flush();
      await again.close();
    }
    await db.close().catch((error: unknown) => expect(error).toMatchObject({ code: "IO_ERROR" }));
    const again = await openTiny(memory);
    await expectFilled(again);
    expect(await again.get("after")).toBeDefined();
    await again.close();
  });

  test("writes go on until the memtables are full, then OVERLOADED", async () => {
    const fs = new FaultyFileSystem(new MemoryFileSystem(), [
      { kinds: ["create"], path: /\.table$/, fault: "EIO" },
    ]);
    const db = await openTiny(fs);
    const codes = new Set<string>();
    for (let i = 0; i < 100 && codes.size === 0; i++) {
      await db.put(keyOf(i), new Uint8Array(500)).catch((error) => codes.add(error.code));
    }
    expect([...codes]).toEqual(["OVERLOADED"]);
    await db.close();
  });
});

describe("reads", () => {
  test("a read that the disk refuses is an IO_ERROR for that read alone", async () => {
    const fs = new FaultyFileSystem(await filledDisk());
    const db = await openTiny(fs);
    fs.setRules([{ kinds: ["read"], path: /\.table$/, nth: 1, fault: "EIO" }]);
    await expect(db.get(keyOf(0))).rejects.toMatchObject({ code: "IO_ERROR" });
    fs.setRules([{ kinds: ["open"], path: /\.table$/, nth: 1, fault: "EIO" }]);
    await expect(db.get(keyOf(0))).rejects.toMatchObject({ code: "IO_ERROR" });
    fs.setRules([{ kinds: ["read"], path: /\.table$/, nth: 2, fault: "EIO" }]);
    await expect(Array.fromAsync(db.scan())).rejects.toMatchObject({ code: "IO_ERROR" });
    fs.setRules([]);
    await expectFilled(db);
    await db.put("new", "1");
    expect(db.stats().background.failure).toBeNull();
    expect(db.stats().openScans).toBe(0);
    await db.close();
  });
});

describe("too many open files", () => {
  /** A disk on which only as many files can be open as are now. */
  const limited = (memory: MemoryFileSystem, openMax: number): FaultRule => ({
    kinds: ["open", "create"],
    path: /\.table$/,
    fault: "EMFILE",
    when: () => memory.openFiles >= openMax,
  });

  test("reads close other tables and go on", async () => {
    const memory = await filledDisk();
    const fs = new FaultyFileSystem(memory);
    const db = await openTiny(fs);
    fs.setRules([limited(memory, memory.openFiles + 2)]);
    await expectFilled(db);
    expect(db.stats().cache.openTables).toBeLessThanOrEqual(2);
    for (let i = 0; i < FILLED_KEYS; i++) expect(db.getSync(keyOf(i))).toEqual(bytesOf(i));
    fs.setRules([]);
    await expectFilled(db);
    expect(db.stats().cache.openTables).toBeGreaterThan(2);
    await db.close();
  });

  test("a flush closes tables, and is done a little later", async () => {
    const clock = new ManualClock();
    const memory = await filledDisk();
    const fs = new FaultyFileSystem(memory);
    const db = await openTiny(fs, { clock });
    await expectFilled(db);
    await db.put("new", "1");
    fs.setRules([limited(memory, memory.openFiles)]);
    const open = db.stats().cache.openTables;
    const flushed = db.flush();
    while (db.stats().cache.openTables === open) await new Promise(setImmediate);
    clock.advance(1000);
    await flushed;
    expect(db.stats().background.failure).toBeNull();
    await expectFilled(db);
    await db.close();
  });
});
