/** Keyspaces with a retention of their own in a database that is reopened, read only, repaired, or from before. */
import { join } from "node:path";
import { pack } from "msgpackr";
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import type { OpenOptions } from "../../../src/engine/open-options.ts";
import { CURRENT_NAME, manifestName } from "../../../src/fs/names.ts";
import { type KeyedStore, KeyMapping } from "../../../src/store.ts";
import { encodeEdit } from "../../../src/version/edit.ts";
import { MANIFEST_FORMAT, MANIFEST_RECORD } from "../../../src/version/manifest.ts";
import { type ManifestContent, readManifest } from "../../../src/version/manifest-reader.ts";
import { manifestOf, put } from "../../support/manifest-bytes.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

const DAY = 86_400_000;
const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString();

function open(fs: MemoryFileSystem, options: OpenOptions = {}): Promise<Database> {
  return Database.open("/db", { ...TINY_SETTINGS, fs, background: "inline", ...options });
}

/** Whether, and from where on, the past of a key can be read. */
async function pastOf(store: KeyedStore, at: number): Promise<string | undefined | "gone"> {
  return store.get("k", { at }).then(text, (error: { code: string; sequence: number }) => {
    expect(error.code).toBe("COMPACTED");
    expect(error.sequence).toBeGreaterThan(at);
    return "gone";
  });
}

/** The versions of a first put of each, which was written over and compacted since. */
async function overwritten(db: Database, stores: readonly KeyedStore[]): Promise<number[]> {
  const versions: number[] = [];
  for (const store of stores) versions.push((await store.put("k", "first")).version);
  for (const store of stores) await store.put("k", "second");
  await db.compact();
  return versions;
}

test("neither a keyspace's retention nor the store's cuts the other's short", async () => {
  const db = await open(new MemoryFileSystem(), { retentionMs: DAY });
  const none = await db.keyspace("none", { retentionSequences: 0 });
  const long = await db.keyspace("long", { retentionMs: 30 * DAY });
  const same = await db.keyspace("same");
  const stores = [db, none, long, same];
  const versions = await overwritten(db, stores);
  const pasts = await Promise.all(stores.map((store, i) => pastOf(store, versions[i] as number)));
  expect(pasts).toEqual(["first", "gone", "first", "first"]);
  expect(db.stats().oldestSequence).toBe(0);
  expect((await none.history("k")).map(({ value }) => text(value))).toEqual(["second"]);
  expect((await long.history("k")).map(({ value }) => text(value))).toEqual(["second", "first"]);
  await db.close();
});

test("a keyspace keeps its past where the store keeps none: after a reopen, a crash, and read only", async () => {
  let fs = new MemoryFileSystem();
  let db = await open(fs);
  const audit = await db.keyspace("audit", { retentionMs: 30 * DAY });
  const [first = 0, stores = 0] = await overwritten(db, [audit, db]);
  const check = async () => {
    const again = await db.keyspace("audit", { create: false });
    expect(await pastOf(again, first)).toBe("first");
    expect(await pastOf(db, stores)).toBe("gone");
    const key = KeyMapping.of(1).toStored("k");
    const both = db.stored.getMany([key, "k"], { at: first });
    await expect(both).rejects.toMatchObject({ code: "COMPACTED" });
    expect((await db.stored.getMany([key], { at: first })).map(text)).toEqual(["first"]);
  };
  await check();
  await db.close();
  db = await open(fs);
  await check();
  await db.compact();
  await check();
  fs.crash();
  await db.close().catch(() => undefined);
  fs = fs.crashImage(1);
  db = await open(fs);
  await check();
  await db.close();
  db = await open(fs, { readOnly: true });
  await check();
  await db.close();
});

test("after a repair nobody's past is claimed", async () => {
  const fs = new MemoryFileSystem();
  const db = await open(fs);
  const audit = await db.keyspace("audit", { retentionMs: 30 * DAY });
  const [first = 0] = await overwritten(db, [audit, db]);
  await db.close();
  await Database.repair("/db", fs);
  const again = await open(fs);
  const repaired = await again.keyspace("audit", { create: false });
  expect(await pastOf(repaired, first)).toBe("gone");
  expect(text(await repaired.get("k"))).toBe("second");
  const { version } = await repaired.put("k", "third");
  await repaired.put("k", "fourth");
  await again.compact();
  expect(await pastOf(repaired, version)).toBe("third");
  await again.close();
});

test("one that is altered keeps what is written from then on, and never claims what was gone", async () => {
  const db = await open(new MemoryFileSystem());
  const a = await db.keyspace("a");
  const [early = 0] = await overwritten(db, [a]);
  expect(await pastOf(a, early)).toBe("gone");
  await db.alterKeyspace("a", { retentionMs: DAY });
  expect(await pastOf(a, early)).toBe("gone");
  const [kept = 0] = await overwritten(db, [a, db]);
  expect(await pastOf(a, kept)).toBe("first");
  await db.alterKeyspace("a", { retentionMs: 0 });
  await db.compact();
  await db.flush();
  await db.alterKeyspace("a", { retentionMs: DAY });
  const shorter = await pastOf(a, kept);
  const [later = 0] = await overwritten(db, [a, db]);
  expect(await pastOf(a, later)).toBe("first");
  expect(await pastOf(a, kept)).toBe(shorter);
  await db.alterKeyspace("a", { retentionMs: null });
  await overwritten(db, [a, db]);
  expect(await pastOf(a, later)).toBe("gone");
  await db.close();
});

test("creating and dropping keyspaces leaves nothing behind in the manifest", async () => {
  const fs = new MemoryFileSystem();
  const db = await open(fs);
  for (let i = 0; i < 20; i++) {
    const one = await db.keyspace(`ks ${i}`, { retentionSequences: 1 });
    await overwritten(db, [one, db]);
    await db.dropKeyspace(`ks ${i}`);
  }
  await overwritten(db, [db]);
  await db.close();
  expect((await readManifest(fs, "/db"))?.version.past.keyspaces.length).toBeLessThanOrEqual(1);
});

test("a range that hides whole tables takes the past of its own keyspace alone", async () => {
  const db = await open(new MemoryFileSystem());
  const long = await db.keyspace("long", { retentionMs: 30 * DAY });
  const none = await db.keyspace("none", { retentionMs: 0 });
  const fill = async (store: KeyedStore) => {
    for (let i = 0; i < 100; i++) {
      await store.put(`k${i}`, "x".repeat(100), { durability: "none" });
    }
    return (await store.put("k", "first")).version;
  };
  const versions = [await fill(long), await fill(none)] as const;
  await db.compact();
  const before = db.stats().levels.reduce((sum, { entries }) => sum + entries, 0);
  for (const store of [long, none]) await store.deleteRange({ gte: "" });
  // Those of one are not read; those of the other stay.
  await db.flush();
  await db.compact();
  const after = db.stats().levels.reduce((sum, { entries }) => sum + entries, 0);
  expect(before - after).toBeGreaterThanOrEqual(100);
  expect(await pastOf(long, versions[0])).toBe("first");
  expect(await pastOf(none, versions[1])).toBe("gone");
  expect(await long.count({ at: versions[0] })).toBe(101);
  await db.close();
});

test("a manifest from before there were retentions of keyspaces has one past for all of them", async () => {
  const fs = new MemoryFileSystem();
  let db = await open(fs);
  const audit = await db.keyspace("audit");
  const [first = 0] = await overwritten(db, [audit, db]);
  const { version } = await audit.put("k", "third");
  await db.close();
  const content = await readManifest(fs, "/db");
  const { version: tree, logFloor, lastSequence, nextNumber } = content as ManifestContent;
  const { added, removed, prunedTo = 0 } = tree.asEdit();
  expect(prunedTo).toBeGreaterThan(first);
  const { HEADER, EDIT, SNAPSHOT_END } = MANIFEST_RECORD;
  const edit = encodeEdit({ added, removed, prunedTo, logFloor, lastSequence, nextNumber });
  const records = [
    [HEADER, pack({ version: 2 })],
    [EDIT, edit],
    [SNAPSHOT_END, new Uint8Array()],
  ] as const;
  const name = manifestName(nextNumber);
  await put(fs, join("/db", name), manifestOf(records, nextNumber));
  await put(fs, join("/db", CURRENT_NAME), Buffer.from(`${name}\n`));

  db = await open(fs);
  await db.alterKeyspace("audit", { retentionMs: DAY });
  const again = await db.keyspace("audit");
  await again.put("k", "fourth");
  await db.put("k", "third");
  await db.compact();
  expect(await pastOf(again, first)).toBe("gone");
  expect(await pastOf(again, version)).toBe("third");
  expect(await pastOf(db, version)).toBe("gone");
  await db.close();
  expect((await readManifest(fs, "/db"))?.format).toBe(MANIFEST_FORMAT);
});
