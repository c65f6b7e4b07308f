/** What the disk refuses fails the ingest by its name, leaves nothing of it, and costs nothing else. */
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import type { Pair } from "../../src/store.ts";
import { type FaultRule, FaultyFileSystem } from "../support/faulty-file-system.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";

const pairs = Array.from({ length: 400 }, (_, i): Pair => [`k${1000 + i}`, `value ${i}`]);
const isTable = /\.table$/;

async function ingestWith(rule: FaultRule) {
  const memory = new MemoryFileSystem();
  const fs = new FaultyFileSystem(memory);
  const open = () => Database.open("/db", { ...TINY_SETTINGS, fs, background: "inline" });
  const db = await open();
  await db.put("before", "1");
  fs.setRules([rule]);
  const failed = await db.ingest(pairs).then(
    () => undefined,
    (error) => error,
  );
  fs.setRules([]);
  return { db, failed, open, memory };
}

test.each<FaultRule>([
  { kinds: ["create"], path: isTable, nth: 2, fault: "EMFILE" },
  { kinds: ["write"], path: isTable, nth: 3, fault: "EIO" },
  { kinds: ["write"], path: isTable, nth: 3, fault: "ENOSPC" },
  { kinds: ["sync"], path: isTable, nth: 2, fault: "EIO" },
  { kinds: ["syncDirectory"], nth: 1, fault: "EIO" },
])("tables that cannot be written: %j", async (rule) => {
  const { db, failed, memory } = await ingestWith(rule);
  expect(failed).toMatchObject({ name: "VarveError", maybeApplied: false });
  expect((await Array.fromAsync(db.scan())).length).toBe(1);
  await db.ingest(pairs);
  expect((await Array.fromAsync(db.scan())).length).toBe(401);
  const tables = db.stats().levels.reduce((sum, { files }) => sum + files, 0);
  await db.close();
  expect((await memory.list("/db")).filter((name) => isTable.test(name)).length).toBe(tables);
});

test("a manifest that cannot be written: it may have been applied, and the next open tells", async () => {
  const rule: FaultRule = { kinds: ["sync"], path: /\.manifest$/, fault: "EIO" };
  const { db, failed, open } = await ingestWith(rule);
  expect(failed).toMatchObject({ name: "VarveError", maybeApplied: true });
  expect((await Array.fromAsync(db.scan())).length).toBe(1);
  await db.put("after", "1");
  await db.close().catch(() => {});
  const again = await open();
  expect([2, 402]).toContain((await Array.fromAsync(again.scan())).length);
  expect((await again.verify()).problems).toEqual([]);
  await again.close();
});

test("a log that cannot be written: nothing of it is there", async () => {
  const rule: FaultRule = { kinds: ["writeSynced", "write"], path: /\.log$/, fault: "EIO" };
  const { db, failed, open } = await ingestWith(rule);
  expect(failed).toMatchObject({ code: "LOG_FAILED" });
  expect((await Array.fromAsync(db.scan())).length).toBe(1);
  await db.close();
  const again = await open();
  expect((await Array.fromAsync(again.scan())).length).toBe(1);
  await again.close();
});
