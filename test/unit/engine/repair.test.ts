/** Verify tells all that is damaged; repair keeps what is sound and tells what was lost. */
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

const OPTIONS = { ...TINY_SETTINGS, background: "inline" as const };
const KEYS = 200;
const keyOf = (i: number) => `key:${String(i).padStart(4, "0")}`;

interface Made {
  readonly fs: MemoryFileSystem;
  readonly names: readonly string[];
}

/** All keys in tables of several levels, the last 20 rewritten in the log alone, key 5 deleted. */
async function makeDatabase(): Promise<Made> {
  const fs = new MemoryFileSystem();
  const db = await Database.open("/db", { ...OPTIONS, fs });
  for (let i = 0; i < KEYS; i++) await db.put(keyOf(i), `first ${i}`);
  await db.compact();
  for (let i = 0; i < KEYS; i += 2) await db.put(keyOf(i), `second ${i}`);
  await db.delete(keyOf(5));
  await db.flush();
  for (let i = KEYS - 20; i < KEYS; i++) await db.put(keyOf(i), `third ${i}`);
  await db.close();
  return { fs, names: await fs.list("/db") };
}

function expected(i: number): string | undefined {
  if (i === 5) return undefined;
  if (i >= KEYS - 20) return `third ${i}`;
  return i % 2 === 0 ? `second ${i}` : `first ${i}`;
}

async function valuesOf(fs: MemoryFileSystem): Promise<(string | undefined)[]> {
  await using db = await Database.open("/db", { ...OPTIONS, fs });
  const values = await db.getMany(Array.from({ length: KEYS }, (_, i) => keyOf(i)));
  return values.map((value) => (value === undefined ? undefined : new TextDecoder().decode(value)));
}

async function damage(fs: MemoryFileSystem, path: string, at: number): Promise<void> {
  const file = await fs.open(path, "write");
  await file.write(new Uint8Array([0xde, 0xad, 0xbe, 0xef]), at);
  await file.sync();
  await file.close();
}

const all = Array.from({ length: KEYS }, (_, i) => expected(i));

test("a sound database verifies, and repair changes nothing of what it holds", async () => {
  const { fs } = await makeDatabase();
  const progress: number[] = [];
  const report = await Database.verify("/db", ({ doneBytes }) => progress.push(doneBytes), fs);
  expect(report.problems).toEqual([]);
  expect(report.tables).toBe(progress.length);
  expect(report.logOperations).toBeGreaterThanOrEqual(20);
  const repaired = await Database.repair("/db", fs);
  expect(repaired).toMatchObject({ manifest: "kept", lost: [], operationsRecovered: 20 });
  expect(await valuesOf(fs)).toEqual(all);
  expect((await Database.verify("/db", undefined, fs)).problems).toEqual([]);
});

test("damaged tables are all told by verify, and put aside by repair with their key ranges", async () => {
  const { fs, names } = await makeDatabase();
  const tables = names.filter((name) => name.endsWith(".table"));
  const [first = "", second = ""] = tables;
  await damage(fs, `/db/${first}`, 20);
  await damage(fs, `/db/${second}`, 20);
  const { problems } = await Database.verify("/db", undefined, fs);
  expect(problems.map(({ file }) => file).sort()).toEqual([`/db/${first}`, `/db/${second}`]);
  expect(problems[0]?.message).toMatch(/at \d+: block checksum/);

  const report = await Database.repair("/db", fs);
  expect(report.tablesKept).toBe(tables.length - 2);
  expect(report.lost).toHaveLength(2);
  expect((await fs.list("/db/lost")).sort()).toEqual([first, second]);
  const decoder = new TextDecoder();
  const isLost = (i: number) =>
    report.lost.some(
      ({ smallest, largest }) =>
        keyOf(i) >= decoder.decode(smallest) && keyOf(i) <= decoder.decode(largest),
    );
  (await valuesOf(fs)).forEach((value, i) => {
    if (!isLost(i)) expect(value).toBe(expected(i));
  });
  expect((await Database.verify("/db", undefined, fs)).problems).toEqual([]);
});

test.each(["manifest", "CURRENT"])(
  "without its %s the tree is made anew from tables and log",
  async (kind) => {
    const { fs, names } = await makeDatabase();
    const name = names.find((one) => one.endsWith(kind)) ?? "";
    await damage(fs, `/db/${name}`, 4);
    await expect(Database.open("/db", { ...OPTIONS, fs })).rejects.toMatchObject({
      code: "CORRUPTION",
    });
    expect((await Database.verify("/db", undefined, fs)).problems).toHaveLength(1);
    const report = await Database.repair("/db", fs);
    expect(report).toMatchObject({ manifest: "rebuilt", operationsRecovered: 20 });
    expect(await valuesOf(fs)).toEqual(all);
    expect((await Database.verify("/db", undefined, fs)).problems).toEqual([]);
  },
);

test("a log damaged in the middle gives up what is whole on both sides", async () => {
  const { fs, names } = await makeDatabase();
  // Those before it are kept for feeds alone.
  const log = names.findLast((name) => name.endsWith(".log")) ?? "";
  await damage(fs, `/db/${log}`, 300);
  await expect(Database.open("/db", { ...OPTIONS, fs })).rejects.toMatchObject({
    code: "CORRUPTION",
  });
  const report = await Database.repair("/db", fs);
  expect(report.operationsRecovered).toBeGreaterThanOrEqual(18);
  expect(report.operationsRecovered).toBeLessThan(20);
  expect(report.lost).toHaveLength(1);
  expect(report.lost[0]?.message).toMatch(/\.log at \d+: \d+ bytes of records were lost/);
  const values = await valuesOf(fs);
  const wrong = values.filter((value, i) => value !== expected(i));
  expect(wrong).toHaveLength(20 - report.operationsRecovered);
  expect(await fs.list("/db/lost")).toEqual([log]);
});

test("a directory without a database is not repaired into one", async () => {
  const fs = new MemoryFileSystem();
  await expect(Database.repair("/none", fs)).rejects.toMatchObject({ code: "NOT_A_DATABASE" });
  await fs.makeDirectory("/empty");
  await expect(Database.repair("/empty", fs)).rejects.toMatchObject({ code: "NOT_A_DATABASE" });
  await expect(Database.verify("/empty", undefined, fs)).rejects.toMatchObject({
    code: "NOT_A_DATABASE",
  });
});

test("a database that is open is neither verified from outside nor repaired", async () => {
  const { fs } = await makeDatabase();
  await using db = await Database.open("/db", { ...OPTIONS, fs });
  await expect(Database.verify("/db", undefined, fs)).rejects.toMatchObject({ code: "LOCKED" });
  await expect(Database.repair("/db", fs)).rejects.toMatchObject({ code: "LOCKED" });
  expect((await db.verify()).problems).toEqual([]);
});

test.each([false, true])(
  "without its manifest what was in the log alone before an ingest is kept (twice: %s)",
  async (isTwice) => {
    const { fs } = await makeDatabase();
    const db = await Database.open("/db", { ...OPTIONS, fs });
    await db.put("not flushed", "1");
    await db.ingest([
      ["o", "ingested"],
      ["p", "ingested"],
    ]);
    if (isTwice) await db.ingest([["o", "once more"]]);
    await db.put("after", "2");
    await db.close();
    await damage(fs, "/db/CURRENT", 4);
    expect(await Database.repair("/db", fs)).toMatchObject({ manifest: "rebuilt" });
    expect(await valuesOf(fs)).toEqual(all);
    await using again = await Database.open("/db", { ...OPTIONS, fs });
    const values = await again.getMany(["not flushed", "o", "p", "after"]);
    expect(values.map((value) => value && Buffer.from(value).toString())).toEqual([
      "1",
      isTwice ? "once more" : "ingested",
      "ingested",
      "2",
    ]);
    expect((await again.put("next", "1")).version).toBeGreaterThan(2 ** 24);
  },
);
