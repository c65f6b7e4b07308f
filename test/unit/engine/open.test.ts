/** What an open costs: the manifest and the log, whatever the size of the data. */
import { expect, test } from "vitest";
import { expectFilled, filledDisk, namesOf, openTiny } from "../../crash/filled-disk.ts";

test("an open reads no table, and the first read of a key opens but those that may hold it", async () => {
  const fs = await filledDisk();
  const tables = (await namesOf(fs, "table")).length;
  expect(tables).toBeGreaterThan(3);
  const touched = new Set<string>();
  fs.onOperation = (_kind, path) => {
    if (path.endsWith(".table")) touched.add(path);
  };
  const db = await openTiny(fs);
  expect([...touched]).toEqual([]);
  expect(db.stats().cache.openTables).toBe(0);
  await db.get("key0000");
  expect(touched.size).toBeLessThanOrEqual(2);
  fs.onOperation = undefined;
  await expectFilled(db);
  await db.close();
});
