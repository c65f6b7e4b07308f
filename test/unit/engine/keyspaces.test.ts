/** Keyspaces of the engine: what stays over a reopen, what they cost, and how they are laid out in tables. */
import { describe, expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { assertNoOldZeroKeys } from "../../../src/engine/old-keys.ts";
import { openEngine } from "../../../src/engine/open-engine.ts";
import { MANIFEST_FORMAT } from "../../../src/version/manifest.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

function openOn(fs: MemoryFileSystem, more: object = {}): Promise<Database> {
  return Database.open("/db", { ...TINY_SETTINGS, fs, background: "inline", ...more });
}

const tableBytes = (db: Database) => db.stats().levels.reduce((sum, { bytes }) => sum + bytes, 0);

test("keyspaces, their settings and entries are there after a reopen, from the log or from tables", async () => {
  const fs = new MemoryFileSystem();
  for (const isFlushed of [false, true]) {
    let db = await openOn(fs);
    const name = isFlushed ? "flushed" : "logged";
    const keyspace = await db.keyspace(name, { ttlMs: 1_000_000, codec: "lz4" });
    await keyspace.put("k", name);
    if (isFlushed) await db.flush();
    const before = await db.keyspaces();
    await db.close();
    db = await openOn(fs, { readOnly: true });
    const again = await db.keyspace(name, { create: false });
    expect(Buffer.from((await again.get("k")) as Uint8Array).toString()).toBe(name);
    const told = (keyspaces: typeof before) => keyspaces.map(({ bytes: _, ...rest }) => rest);
    expect(told(await db.keyspaces())).toEqual(told(before));
    await expect(db.keyspace("another")).rejects.toMatchObject({ code: "READ_ONLY" });
    await expect(db.dropKeyspace(name)).rejects.toMatchObject({ code: "READ_ONLY" });
    expect(Buffer.from((await again.get("k")) as Uint8Array).toString()).toBe(name);
    await db.close();
  }
});

test("an id is never given twice, also where the newest keyspace was dropped before a reopen", async () => {
  const fs = new MemoryFileSystem();
  const seen = new Set<number>();
  for (let i = 0; i < 4; i++) {
    const db = await openOn(fs);
    const { id } = await db.openKeyspace("a");
    expect(seen.has(id)).toBe(false);
    seen.add(id);
    await db.dropKeyspace("a");
    if (i === 2) await db.compact();
    await db.close();
  }
});

test("the space of what was dropped comes back with a compaction", async () => {
  const db = await openOn(new MemoryFileSystem());
  const [kept, dropped] = [await db.keyspace("kept"), await db.keyspace("dropped")];
  for (let i = 0; i < 300; i++) {
    await dropped.put(`k${i}`, "x".repeat(100), { durability: "none" });
    if (i % 30 === 0) await kept.put(`k${i}`, "y", { durability: "none" });
  }
  await db.compact();
  const before = tableBytes(db);
  await db.dropKeyspace("dropped");
  await db.compact();
  expect(tableBytes(db)).toBeLessThan(before / 5);
  expect(await kept.count()).toBe(10);
  await db.close();
});

test("thousands cost a record each: made, listed with sizes, and there again after a reopen", async () => {
  const fs = new MemoryFileSystem();
  const options = { fs, background: "inline" } as const;
  const count = 5000;
  let db = await Database.open("/db", options);
  const names = Array.from({ length: count }, (_, i) => `tenant ${String(i).padStart(4, "0")}`);
  const keyspaces = await Promise.all(names.map((name) => db.keyspace(name)));
  await db.batch(
    keyspaces.map((keyspace, i) => ({ type: "put", keyspace, key: "k", value: `${i}`.repeat(50) })),
  );
  await db.flush();
  await db.close();
  db = await Database.open("/db", options);
  const listed = await db.keyspaces();
  expect(listed.map(({ name }) => name)).toEqual(names);
  const bytes = listed.reduce((sum, keyspace) => sum + keyspace.bytes, 0);
  expect(bytes).toBeGreaterThan(tableBytes(db) / 2);
  expect(bytes).toBeLessThanOrEqual(tableBytes(db));
  for (const i of [0, 1, 2500, 4999]) {
    const keyspace = await db.keyspace(names[i] as string, { create: false });
    expect((await Array.fromAsync(keyspace.scan())).length).toBe(1);
  }
  await db.close();
});

test("sizes are about what a keyspace has", async () => {
  const db = await openOn(new MemoryFileSystem(), { codecs: ["none"] });
  const sizes = { small: 20, large: 400 };
  for (const [name, entries] of Object.entries(sizes)) {
    const keyspace = await db.keyspace(name);
    for (let i = 0; i < entries; i++) {
      await keyspace.put(`k${i}`, "x".repeat(90), { durability: "none" });
      await db.put(`k${i}`, "of the store", { durability: "none" });
    }
  }
  await db.compact();
  const bytes = Object.fromEntries((await db.keyspaces()).map((one) => [one.name, one.bytes]));
  for (const [name, entries] of Object.entries(sizes)) {
    expect(bytes[name]).toBeGreaterThan(entries * 90 * 0.8);
    expect(bytes[name]).toBeLessThan(entries * 90 * 2);
  }
  await db.close();
});

test("a keyspace's codec is that of its tables, at all levels, and of nobody else's", async () => {
  const fs = new MemoryFileSystem();
  const db = await openOn(fs, {
    codecs: ["none"],
    tableBytes: 64 * 1024,
    memtableBytes: 64 * 1024,
    blockBytes: 1024,
  });
  const [packed, plain] = [
    await db.keyspace("packed", { codec: "zstd" }),
    await db.keyspace("plain"),
  ];
  const fill = async () => {
    for (let i = 0; i < 200; i++) {
      for (const keyspace of [packed, plain]) {
        await keyspace.put(`k${i}`, "the same again and again ".repeat(8), { durability: "none" });
      }
    }
  };
  const sizes = async () =>
    Object.fromEntries((await db.keyspaces()).map(({ name, bytes }) => [name, bytes])) as {
      packed: number;
      plain: number;
    };
  await fill();
  await db.flush();
  const flushed = await sizes();
  expect(flushed.packed).toBeLessThan(flushed.plain / 4);
  await db.compact();
  const compacted = await sizes();
  expect(compacted.packed).toBeLessThan(compacted.plain / 4);
  await db.alterKeyspace("packed", { codec: null });
  await db.alterKeyspace("plain", { codec: "lz4" });
  await fill();
  await db.compact();
  const altered = await sizes();
  expect(altered.plain).toBeLessThan(altered.packed / 4);
  expect((await db.verify()).problems).toEqual([]);
  await db.close();
});

describe("a database from before there were keyspaces", () => {
  const refused = expect.objectContaining({ code: "UNSUPPORTED_FORMAT" });

  test.each([
    ["in the log alone", false],
    ["in tables", true],
  ])("is refused where it has keys that begin with a zero byte, %s", async (_, isFlushed) => {
    const engine = await openEngine("/db", { fs: new MemoryFileSystem(), background: "inline" });
    const { tree, writes, commits, maintenance } = engine;
    const check = (format: number) =>
      assertNoOldZeroKeys(format, tree.version, tree.memtables).then(
        () => undefined,
        (error: unknown) => error,
      );
    await writes.put("a", "", undefined);
    expect(await check(1)).toBeUndefined();
    await writes.put(Uint8Array.of(0, 0xff, 0), "", undefined);
    if (isFlushed) {
      await commits.rotate();
      await maintenance.flushed();
    }
    expect(await check(1)).toEqual(refused);
    expect(await check(MANIFEST_FORMAT)).toBeUndefined();
    await engine.close();
  });
});
