import { expect, test, vi } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { tableName } from "../../../src/fs/names.ts";
import { LEVELS, type Settings } from "../../../src/options.ts";
import type { Entry, IngestEvent, Pair, Watch } from "../../../src/store.ts";
import { FaultyFileSystem } from "../../support/faulty-file-system.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";
import { WallClock } from "../../support/wall-clock.ts";

function openAt(fs: MemoryFileSystem, settings: Partial<Settings> = {}): Promise<Database> {
  return Database.open("/db", { ...TINY_SETTINGS, ...settings, fs, background: "inline" });
}

const keyOf = (i: number) => `k${String(i).padStart(6, "0")}`;
const pairsOf = (count: number, value = "v", from = 0): Pair[] =>
  Array.from({ length: count }, (_, i): Pair => [keyOf(from + i), `${value}${from + i}`]);

async function textsOf(scan: AsyncIterable<Entry>): Promise<string[]> {
  const texts: string[] = [];
  for await (const [key, value] of scan) {
    texts.push(`${Buffer.from(key).toString()}=${Buffer.from(value).toString()}`);
  }
  return texts;
}

const textOf = (value: Uint8Array | undefined) => value && Buffer.from(value).toString();
const tablesIn = (fs: MemoryFileSystem) =>
  fs.list("/db").then((names) => names.filter((name) => name.endsWith(".table")));

function levelsOf(db: Database): number[] {
  const { levels } = db.stats();
  return levels.filter(({ files }) => files > 0).map(({ level }) => level);
}

async function* later<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  for (const item of items) {
    await Promise.resolve();
    yield item;
  }
}

test("what is ingested is there, in the last level, without log or memtable", async () => {
  const fs = new MemoryFileSystem();
  const db = await openAt(fs);
  const { version } = await db.ingest(pairsOf(500));
  expect(textOf(await db.get(keyOf(123)))).toBe("v123");
  expect(await textsOf(db.scan())).toEqual(pairsOf(500).map(([k, v]) => `${k}=${v}`));
  expect(levelsOf(db)).toEqual([LEVELS - 1]);
  const entry = await db.getEntry(keyOf(7));
  expect(entry).toMatchObject({ sequence: version, revision: 1 });
  expect((await db.put("a", "1")).version).toBe(version + 1);
  await db.close();
  const again = await openAt(fs);
  expect(textOf(await again.get(keyOf(499)))).toBe("v499");
  expect((await again.put("a", "2")).version).toBe(version + 2);
  expect((await again.verify()).problems).toEqual([]);
  await again.close();
});

test("pairs come singly or many at once, at once or later", async () => {
  const db = await openAt(new MemoryFileSystem());
  const many = [pairsOf(100), [], pairsOf(50, "v", 100)];
  const [single] = pairsOf(1, "v", 150);
  await db.ingest([...many, single!]);
  expect((await textsOf(db.scan())).length).toBe(151);
  await db.ingest(later([pairsOf(10, "w"), ...pairsOf(10, "w", 10)]));
  expect(textOf(await db.get(keyOf(15)))).toBe("w15");
  expect(textOf(await db.get(keyOf(25)))).toBe("v25");
  await db.ingest(new Map([["x", "1"]]));
  expect(textOf(await db.get("x"))).toBe("1");
  await db.close();
});

test("an ingest of nothing writes nothing", async () => {
  const fs = new MemoryFileSystem();
  const db = await openAt(fs);
  const { version } = await db.put("a", "1");
  expect(await db.ingest([])).toEqual({ version });
  expect((await db.put("a", "2")).version).toBe(version + 1);
  expect(await tablesIn(fs)).toEqual([]);
  await db.close();
});

test("it hides what was there, and what is written later hides it", async () => {
  const db = await openAt(new MemoryFileSystem());
  await db.batch(pairsOf(20, "old").map(([key, value]) => ({ type: "put", key, value })));
  await db.flush();
  await db.put(keyOf(3), "in the memtable");
  await db.deleteRange({ gte: keyOf(5), lt: keyOf(9) });
  await db.merge(keyOf(10), "append", "!");
  await db.ingest(pairsOf(10, "new", 2));
  expect(textOf(await db.get(keyOf(1)))).toBe("old1");
  for (let i = 2; i < 12; i++) expect(textOf(await db.get(keyOf(i)))).toBe(`new${i}`);
  await db.merge(keyOf(10), "append", "?");
  await db.delete(keyOf(11));
  await db.deleteRange({ gte: keyOf(2), lt: keyOf(5) });
  expect(textOf(await db.get(keyOf(10)))).toBe("new10?");
  expect(await db.get(keyOf(11))).toBeUndefined();
  expect(await db.get(keyOf(3))).toBeUndefined();
  await db.compact();
  expect(textOf(await db.get(keyOf(10)))).toBe("new10?");
  expect(await textsOf(db.scan({ lt: keyOf(6) }))).toEqual(
    [0, 1].map((i) => `${keyOf(i)}=old${i}`).concat(`${keyOf(5)}=new5`),
  );
  await db.close();
});

test("snapshots and scans that are open see what was there before", async () => {
  const db = await openAt(new MemoryFileSystem());
  await db.put(keyOf(1), "old");
  const snapshot = await db.snapshot();
  const scan = db.scan();
  await db.ingest(pairsOf(300, "new"));
  expect(textOf(await snapshot.get(keyOf(1)))).toBe("old");
  expect(await snapshot.get(keyOf(2))).toBeUndefined();
  expect(await textsOf(scan)).toEqual([`${keyOf(1)}=old`]);
  await db.compact();
  expect(await textsOf(snapshot.scan())).toEqual([`${keyOf(1)}=old`]);
  await snapshot.close();
  expect(textOf(await db.get(keyOf(1)))).toBe("new1");
  expect(await db.getEntry(keyOf(1))).toMatchObject({ revision: 2 });
  await db.close();
});

test.each([
  ["twice", ["a", "b", "b"]],
  ["not in order", ["a", "c", "b"]],
])("a key that comes %s fails it, and nothing is left", async (_, keys) => {
  const fs = new MemoryFileSystem();
  const db = await openAt(fs);
  const { version } = await db.put("z", "1");
  const pairs = keys.map((key): Pair => [key, "x".repeat(3000)]);
  await expect(db.ingest(pairs)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining("pair 2 "),
  });
  expect(await db.get("a")).toBeUndefined();
  await vi.waitFor(async () => expect(await tablesIn(fs)).toEqual([]));
  expect((await db.put("z", "2")).version).toBe(version + 1);
  await db.ingest([["b", "1"]]);
  expect(textOf(await db.get("b"))).toBe("1");
  await db.close();
});

test("bad pairs and options are refused with a code and the pair's place", async () => {
  const db = await openAt(new MemoryFileSystem(), { keyBytesMax: 10, valueBytesMax: 100 });
  const bad = async (pairs: unknown, code: string, text: string, options?: object) =>
    await expect(db.ingest(pairs as Pair[], options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(text),
    });
  await bad(undefined, "INVALID_ARGUMENT", "iterable");
  await bad(7, "INVALID_ARGUMENT", "iterable");
  await bad("abc", "INVALID_ARGUMENT", "iterable");
  await bad([["a", "1"], ["b"]], "INVALID_ARGUMENT", "pair 1");
  await bad([["a", "1"], 5], "INVALID_ARGUMENT", "pair 1");
  await bad([["a", 5]], "INVALID_ARGUMENT", "pair 0");
  await bad([["", "1"]], "KEY_EMPTY", "pair 0");
  await bad([["a".repeat(11), "1"]], "KEY_TOO_LARGE", "pair 0");
  await bad(
    [
      ["a", "1"],
      ["b", "1".repeat(101)],
    ],
    "VALUE_TOO_LARGE",
    "pair 1",
  );
  await bad([["a", "1"]], "INVALID_ARGUMENT", "ttlMs", { ttlMs: 0 });
  await bad([["a", "1"]], "INVALID_ARGUMENT", "signal", { signal: 5 });
  expect(await textsOf(db.scan())).toEqual([]);
  await db.close();
});

test("a source that fails, or a signal, ends it without a trace", async () => {
  const fs = new MemoryFileSystem();
  const db = await openAt(fs);
  async function* failing(): AsyncGenerator<Pair[]> {
    yield pairsOf(300);
    throw new Error("no more");
  }
  await expect(db.ingest(failing())).rejects.toThrow("no more");
  const control = new AbortController();
  let returned = false;
  const endless: AsyncIterable<Pair> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => setImmediate(() => control.abort())),
      return: async () => {
        returned = true;
        return { done: true, value: undefined };
      },
    }),
  };
  const aborted = db.ingest(endless, { signal: control.signal });
  await expect(db.ingest([["a", "1"]])).rejects.toMatchObject({ code: "OVERLOADED" });
  await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
  expect(returned).toBe(true);
  const { signal } = control;
  await expect(db.ingest([["a", "1"]], { signal })).rejects.toMatchObject({ code: "ABORTED" });
  await vi.waitFor(async () => expect(await tablesIn(fs)).toEqual([]));
  await db.close();
  expect(fs.openFiles).toBe(0);
});

test.each([
  ["sync", /\.table$/, 1],
  ["sync", /\.table$/, 3],
  ["write", /\.table$/, 2],
  ["syncDirectory", /\/db$/, 1],
] as const)(
  "where a table cannot be put on the disk (%s of %s, %i) nothing is left of it",
  async (kind, path, nth) => {
    const memory = new MemoryFileSystem();
    const fs = new FaultyFileSystem(memory);
    const db = await Database.open("/db", { ...TINY_SETTINGS, fs, background: "inline" });
    await db.put("a", "1");
    const before = memory.openFiles;
    fs.setRules([{ kinds: [kind], path, nth, fault: "EIO" }]);
    await expect(db.ingest(pairsOf(1500))).rejects.toMatchObject({ code: "IO_ERROR" });
    fs.setRules([]);
    expect(await textsOf(db.scan())).toEqual(["a=1"]);
    expect(db.stats()).toMatchObject({ ingests: { ingests: 0 }, memory: { ingest: 0 } });
    await vi.waitFor(async () => expect(await tablesIn(memory)).toEqual([]));
    expect(memory.openFiles).toBe(before);
    await db.ingest(pairsOf(20));
    expect(await textsOf(db.scan())).toHaveLength(21);
    await db.close();
  },
);

test("stats tell of ingests, and of the memory of the one that runs", async () => {
  const db = await openAt(new MemoryFileSystem());
  const idle = { ingests: 0, entries: 0, bytes: 0, isRunning: false };
  expect(db.stats().ingests).toEqual(idle);
  let most = 0;
  async function* source(): AsyncGenerator<Pair> {
    for (const pair of pairsOf(2000)) {
      const { memory, ingests } = db.stats();
      expect(ingests).toEqual({ ...idle, isRunning: true });
      most = Math.max(most, memory.ingest);
      yield pair;
    }
    // A value that needs memory of its own.
    yield ["z", new Uint8Array(50_000)];
  }
  await db.ingest(source());
  const runBytes = 4096;
  expect(most).toBeGreaterThanOrEqual(runBytes);
  expect(most).toBeLessThanOrEqual(4 * runBytes);
  const { ingests, memory, bytesWritten } = db.stats();
  const bytes = pairsOf(2000).reduce((total, [k, v]) => total + k.length + v.length, 50_001);
  expect(ingests).toEqual({ ingests: 1, entries: 2001, bytes, isRunning: false });
  expect(memory.ingest).toBe(0);
  expect(bytesWritten.user).toBe(bytes);
  const { bytes: stored } = db.stats().levels[LEVELS - 1]!;
  expect(bytesWritten.ingest).toBe(stored);
  expect(bytesWritten.amplification).toBe((bytesWritten.log + stored) / bytes);
  await db.close();
});

test("closing ends an ingest that waits for its source", async () => {
  const fs = new MemoryFileSystem();
  const db = await openAt(fs);
  async function* hanging(): AsyncGenerator<Pair[]> {
    yield pairsOf(300);
    await new Promise(() => {});
  }
  const ingest = db.ingest(hanging());
  const refused = expect(ingest).rejects.toMatchObject({ code: "CLOSED" });
  await vi.waitFor(async () => expect((await tablesIn(fs)).length).toBeGreaterThan(0));
  await db.close();
  await refused;
  expect(await tablesIn(fs)).toEqual([]);
});

test("entries expire all together", async () => {
  const clock = new WallClock();
  const fs = new MemoryFileSystem();
  const db = await Database.open("/db", { ...TINY_SETTINGS, fs, clock, background: "inline" });
  const now = clock.now();
  await db.ingest(pairsOf(100), { ttlMs: 5000 });
  expect(await db.getEntry(keyOf(1))).toMatchObject({ expiresAt: now + 5000, updatedAt: now });
  await db.merge(keyOf(2), "append", "+");
  expect(await db.getEntry(keyOf(2))).toMatchObject({ expiresAt: now + 5000, revision: 2 });
  clock.advance(5000);
  expect(await db.get(keyOf(1))).toBeUndefined();
  expect(await textsOf(db.scan())).toEqual([]);
  await db.compact();
  await vi.waitFor(() => expect(levelsOf(db)).toEqual([]));
  const { version } = await db.put("a", "1");
  await db.close();
  const again = await openAt(fs);
  expect((await again.put("a", "2")).version).toBe(version + 1);
  await again.close();
});

test("no sequence is given again though all that was ingested is gone, and the log with it", async () => {
  const fs = new MemoryFileSystem();
  const db = await openAt(fs, { feedRetentionBytes: 0 });
  const { version } = await db.ingest(pairsOf(10), { expiresAt: 1 });
  await vi.waitFor(() => expect(levelsOf(db)).toEqual([]));
  await db.flush();
  await db.close();
  const again = await openAt(fs);
  expect((await again.put("a", "1")).version).toBe(version + 1);
  await again.close();
  const readOnly = await openAt(fs, { readOnly: true });
  expect(readOnly.stats().recovery.damage).toEqual([]);
  expect(textOf(await readOnly.get("a"))).toBe("1");
  await readOnly.close();
});

test("a watch is told the range, cut to its own, and goes on behind it", async () => {
  const fs = new MemoryFileSystem();
  const db = await openAt(fs, { feedRetentionBytes: 2 ** 20 });
  const first = await db.put(keyOf(2), "before");
  const { version } = await db.ingest(pairsOf(10));
  await db.put(keyOf(5), "after");
  const check = async (watch: Watch) => {
    expect((await watch.next()).value).toEqual({ type: "progress", sequence: first.version });
    const told = (await watch.next()).value as IngestEvent;
    expect(told).toMatchObject({ type: "ingest", sequence: version });
    expect([textOf(told.gte), textOf(told.lt)]).toEqual([keyOf(4), keyOf(8)]);
    expect((await watch.next()).value).toMatchObject({ type: "commit", sequence: version + 1 });
    await watch.return();
  };
  const range = { since: first.version, gte: keyOf(4), lt: keyOf(8) };
  await check(db.watch(range));
  await db.flush();
  await db.close();
  const again = await openAt(fs, { feedRetentionBytes: 2 ** 20 });
  await check(again.watch(range));
  const elsewhere = again.watch({ since: first.version, gte: "x", heartbeatMs: 1 });
  expect((await elsewhere.next()).value).toMatchObject({ sequence: first.version });
  expect((await elsewhere.next()).value).toEqual({ type: "progress", sequence: version + 1 });
  await elsewhere.return();
  await again.close();
});

test("tables go as deep as nothing of their range lies above", async () => {
  const db = await openAt(new MemoryFileSystem());
  await db.ingest(pairsOf(50, "a", 100));
  await db.ingest(pairsOf(50, "b", 300));
  expect(levelsOf(db)).toEqual([LEVELS - 1]);
  await db.ingest([[keyOf(120), "over"]]);
  expect(textOf(await db.get(keyOf(120)))).toBe("over");
  await db.compact();
  expect(levelsOf(db)).toEqual([LEVELS - 1]);
  expect(textOf(await db.get(keyOf(120)))).toBe("over");
  expect(await db.getEntry(keyOf(120))).toMatchObject({ revision: 2 });
  await db.close();
});

test("files that an ingest left behind are removed at open", async () => {
  const fs = new MemoryFileSystem();
  const db = await openAt(fs);
  await db.ingest(pairsOf(10));
  const [name] = await tablesIn(fs);
  await db.close();
  const bytes = new Uint8Array(10);
  const file = await fs.open(`/db/${tableName(900)}`, "create");
  await file.write(bytes, 0);
  await file.close();
  const again = await openAt(fs);
  expect(await tablesIn(fs)).toEqual([name]);
  await again.close();
});
