/** What a scan that has ended leaves behind for the sake of its shape must hold nothing large. */
import { afterEach, expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { KeptShapes } from "../../../src/kept-shapes.ts";
import { Memtable } from "../../../src/memtable/memtable.ts";
import { MemtableCursor } from "../../../src/memtable/memtable-cursor.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";

const opened: Database[] = [];

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});

test("a retired memtable cursor lets go of the memtable's bytes", () => {
  const memtable = Memtable.create(1024 * 1024);
  const cursor = new MemtableCursor(memtable);
  expect(cursor.key.buffer.byteLength).toBeGreaterThan(1024 * 1024 - 1);
  cursor.retire(new KeptShapes());
  expect(cursor.key.buffer.byteLength).toBeLessThan(64 * 1024);
  expect(cursor.value.buffer.byteLength).toBeLessThan(64 * 1024);
});

test("scans that were kept for their shape answer as the others do, before and after their end", async () => {
  const database = await Database.open("/db", { fs: new MemoryFileSystem(), background: "inline" });
  opened.push(database);
  await database.batch(["a", "b", "c"].map((key) => ({ type: "put", key, value: key })));
  await database.flush();
  await database.put("d", "d");
  // More than one in `SHAPE_SAMPLE`, so that some of them are kept.
  for (let i = 0; i < 40; i++) {
    const scan = database.scan();
    const keys = (await scan.nextMany(10)).map(([key]) => Buffer.from(key).toString());
    expect(keys).toEqual(["a", "b", "c", "d"]);
    expect(await scan.nextMany(10)).toEqual([]);
    expect(await scan.next()).toEqual({ done: true, value: undefined });
    await scan.return();
  }
  expect(database.stats().openScans).toBe(0);
});
