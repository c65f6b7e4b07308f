/** Scans over much that is not there any more: in bounded steps, between which the event loop turns. */
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";

const KEYS = 60_000;
const key = (i: number) => `key:${String(i).padStart(6, "0")}`;

async function withTombstones(): Promise<Database> {
  const db = await Database.open("/db", { fs: new MemoryFileSystem(), background: "inline" });
  const operations = Array.from({ length: KEYS }, (_, i) => i);
  await db.batch(operations.map((i) => ({ type: "put", key: key(i), value: "" })));
  await db.batch(operations.map((i) => ({ type: "delete", key: key(i) })));
  await db.put("key:a", "first");
  await db.put("key", "before");
  return db;
}

/** How often the event loop turned meanwhile. */
async function turnsOf(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await new Promise(setImmediate);
    turns++;
  }
  await done;
  return turns;
}

test.each([false, true])(
  "a page stops after so many skips, and goes on from there (reverse: %s)",
  async (reverse) => {
    await using db = await withTombstones();
    const found: string[] = [];
    let pages = 0;
    let cursor: Uint8Array | undefined;
    do {
      const page = await db.page({ reverse, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...page.entries.map(([one]) => Buffer.from(one).toString()));
      cursor = page.cursor;
      pages++;
    } while (cursor !== undefined);
    expect(found).toEqual(reverse ? ["key:a", "key"] : ["key", "key:a"]);
    // Two versions of each key, in pages of 10,000 skips.
    expect(pages).toBeGreaterThanOrEqual(12);
    expect(pages).toBeLessThan(20);
  },
);

test.each([false, true])(
  "a scan and a count let the event loop turn (reverse: %s)",
  async (reverse) => {
    await using db = await withTombstones();
    expect(await turnsOf(Array.fromAsync(db.scan({ gte: "key:", reverse })))).toBeGreaterThan(10);
    expect(await turnsOf(db.count({ gte: "key:" }))).toBeGreaterThan(10);
    expect(await db.count()).toBe(2);
  },
);
