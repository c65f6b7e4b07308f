/** Open tables: opened once, closed when nobody needs them, and never more than there may be. */
import { describe, expect, test } from "vitest";
import { BlockCache } from "../../../src/engine/block-cache.ts";
import type { OpenTable } from "../../../src/engine/open-table.ts";
import { TableCache } from "../../../src/engine/table-cache.ts";
import type { FileSystem } from "../../../src/fs/file-system.ts";
import type { TableMeta } from "../../../src/table/table-meta.ts";
import { FaultyFileSystem } from "../../support/faulty-file-system.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { Random, seeds } from "../../support/random.ts";
import { pathOfTable, TABLE_DIRECTORY, writeTable } from "../../support/table-fixture.ts";

const TABLES = 8;

/** A disk with tables 1 to 8, each of some blocks. */
function diskOf(): { fs: MemoryFileSystem; metas: TableMeta[] } {
  const fs = new MemoryFileSystem();
  const metas = Array.from({ length: TABLES }, (_, i) => {
    const entries = Array.from({ length: 20 }, (_entry, at) => ({
      key: Uint8Array.of(i, at),
      sequence: at + 1,
      kind: 1,
      timeMs: 0,
      value: new Uint8Array(30).fill(i),
    }));
    return writeTable(fs, entries, { number: i + 1 });
  });
  return { fs, metas };
}

function cacheOf(fs: FileSystem, openMax: number, cacheBytes = 2 ** 20): TableCache {
  const blocks = new BlockCache(cacheBytes);
  return new TableCache({ fs, directory: TABLE_DIRECTORY, openMax, cacheBytes, blocks });
}

test("readers that need the same table share one opening, and each has a hold of its own", async () => {
  const { fs, metas } = diskOf();
  let opened = 0;
  fs.onOperation = (kind) => {
    if (kind === "open") opened++;
  };
  const cache = cacheOf(fs, 100);
  const tables = await Promise.all([1, 2, 3].map(() => cache.acquire(metas[0]!)));
  expect(new Set(tables).size).toBe(1);
  expect(opened).toBe(1);
  cache.remove(1);
  for (const table of tables) {
    expect(fs.openFiles).toBe(1);
    table.release();
  }
  expect(fs.openFiles).toBe(0);
});

test("a blocking open while another waits gives one table", async () => {
  const { fs, metas } = diskOf();
  const cache = cacheOf(fs, 100);
  const waiting = [cache.acquire(metas[0]!), cache.acquire(metas[0]!)];
  const now = cache.acquireSync(metas[0]!);
  for (const table of await Promise.all(waiting)) expect(table).toBe(now);
  expect(cache.openTables).toBe(1);
  expect(fs.openFiles).toBe(1);
  await cache.close();
  expect(fs.openFiles).toBe(1);
  for (let holds = 3; holds > 0; holds--) now.release();
  expect(fs.openFiles).toBe(0);
});

test.each(seeds(20))(
  "files are open for tables in the cache and those held, no others (seed %i)",
  async (seed) => {
    const random = new Random(seed);
    const { fs, metas } = diskOf();
    const openMax = 1 + random.below(TABLES);
    const cache = cacheOf(fs, openMax, random.pick([1000, 4000, 2 ** 20]));
    const held: OpenTable[] = [];
    const seen = new Set<OpenTable>();
    const inCache = (table: OpenTable) => cache.get(table.table.properties.number) === table;
    for (let step = 0; step < 150; step++) {
      const choice = random.below(10);
      const meta = random.pick(metas);
      if (choice < 3) held.push(await cache.acquire(meta));
      else if (choice < 4) held.push(cache.acquireSync(meta));
      else if (choice < 5) held.push(...(await Promise.all([1, 2].map(() => cache.acquire(meta)))));
      else if (choice < 8) held.splice(random.below(Math.max(1, held.length)), 1)[0]?.release();
      else if (choice < 9) cache.remove(meta.number);
      else cache.resize(random.pick([0, 500, 2000, 2 ** 20]));
      for (const table of held) {
        seen.add(table);
        // Whoever holds a table can read it, whatever has become of it in the cache.
        const block = random.below(table.table.index.length);
        expect(table.loadSync(block)).toEqual(await table.load(block));
      }
      const open = [...seen].filter((table) => inCache(table) || held.includes(table));
      expect(fs.openFiles).toBe(open.length);
      const cached = [...seen].filter(inCache);
      expect(cache.openTables).toBe(cached.length);
      expect(cached.length).toBeLessThanOrEqual(openMax);
      expect(cache.memoryBytes).toBe(
        cached.reduce((total, { table }) => total + table.memoryBytes, 0),
      );
    }
    await cache.close();
    for (const table of held) table.release();
    expect(fs.openFiles).toBe(0);
    expect(cache.memoryBytes).toBe(0);
  },
);

describe("a table that cannot be opened", () => {
  test("is told to all who wait for it, leaves no file open, and can be tried again", async () => {
    const { fs: disk, metas } = diskOf();
    for (const kind of ["open", "read"] as const) {
      const fs = new FaultyFileSystem(disk, [{ kinds: [kind], nth: 1, fault: "EIO" }]);
      const cache = cacheOf(fs, 100);
      const outcomes = await Promise.allSettled([1, 2].map(() => cache.acquire(metas[0]!)));
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: "rejected", reason: { code: "IO_ERROR" } });
      }
      expect(disk.openFiles).toBe(0);
      (await cache.acquire(metas[0]!)).release();
      await cache.close();
      expect(disk.openFiles).toBe(0);
    }
  });

  test("as its file ends early, or is another, is CORRUPTION, blocking or not", async () => {
    const { fs, metas } = diskOf();
    const [meta] = metas as [TableMeta];
    const file = await fs.open(pathOfTable(1), "write");
    await file.truncate(meta.fileBytes - 1);
    await file.close();
    const cache = cacheOf(fs, 100);
    const told = { code: "CORRUPTION", message: expect.stringContaining(pathOfTable(1)) };
    await expect(cache.acquire(meta)).rejects.toMatchObject(told);
    expect(() => cache.acquireSync(meta)).toThrow(expect.objectContaining(told));
    await fs.rename(pathOfTable(2), pathOfTable(1));
    await expect(cache.acquire(meta)).rejects.toMatchObject(told);
    expect(() => cache.acquireSync(meta)).toThrow(expect.objectContaining(told));
    expect(fs.openFiles).toBe(0);
    expect([cache.openTables, cache.memoryBytes]).toEqual([0, 0]);
  });
});
