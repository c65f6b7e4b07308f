/** A database that is only read: nothing on the disk changes, and damage stops no more than it must. */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import type { FileSystem, Lock } from "../../../src/fs/file-system.ts";
import { ioFailure } from "../../../src/fs/io-failure.ts";
import {
  bytesOf,
  contentOf,
  expectFilled,
  FILLED_KEYS,
  fill,
  filledDisk,
  keyOf,
  namesOf,
  openTiny,
  overwrite,
} from "../../crash/filled-disk.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";

const READ_ONLY = { readOnly: true };

async function fingerprint(fs: FileSystem): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await fs.list("/db")).sort()) {
    if (!name.startsWith("LOCK")) hash.update(name).update(await contentOf(fs, `/db/${name}`));
  }
  return hash.digest("hex");
}

/** A disk as a killed process leaves it, with entries in the log alone. */
async function killedDisk(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  const db = await openTiny(fs);
  await fill(db);
  const image = fs.killImage();
  await db.close();
  return image;
}

test("reads everything, log included, and leaves every file as it was", async () => {
  const fs = await killedDisk();
  const before = await fingerprint(fs);
  const db = await openTiny(fs, READ_ONLY);
  await expectFilled(db);
  expect(db.getSync(keyOf(0))).toEqual(bytesOf(0));
  expect(db.stats().recovery).toMatchObject({ operations: 10, damage: [] });
  expect((await db.verify()).problems).toEqual([]);
  await using snapshot = await db.snapshot();
  expect(await snapshot.get(keyOf(1))).toEqual(bytesOf(1));
  await db.close();
  expect(await fingerprint(fs)).toBe(before);
  expect(fs.openFiles).toBe(0);
});

test("every call that would change something fails with READ_ONLY", async () => {
  const db = await openTiny(await killedDisk(), READ_ONLY);
  const calls = [
    db.put("a", "1"),
    db.delete("a"),
    db.batch([{ type: "put", key: "a", value: "1" }]),
    db.flush(),
    db.compact(),
  ];
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: "READ_ONLY" });
  expect(await db.get("a")).toBeUndefined();
  await db.close();
  await expect(db.put("a", "1")).rejects.toMatchObject({ code: "CLOSED" });
});

test("owns the directory as any open does", async () => {
  const fs = await filledDisk();
  const db = await openTiny(fs, READ_ONLY);
  await expect(openTiny(fs)).rejects.toMatchObject({ code: "LOCKED" });
  await db.close();
  await (await openTiny(fs)).close();
});

test("makes no database where there is none", async () => {
  const fs = new MemoryFileSystem();
  await expect(openTiny(fs, READ_ONLY)).rejects.toMatchObject({ code: "NOT_A_DATABASE" });
  expect(await fs.exists("/db")).toBe(false);
  await fs.makeDirectory("/db");
  await expect(openTiny(fs, READ_ONLY)).rejects.toMatchObject({ code: "NOT_A_DATABASE" });
});

describe("in spite of damage", () => {
  test("of a damaged log everything before the damage is there, and the rest is told", async () => {
    const fs = await killedDisk();
    const paths = (await namesOf(fs, "log")).map((name) => `/db/${name}`);
    const contents = await Promise.all(paths.map((path) => contentOf(fs, path)));
    const lost = Buffer.from(bytesOf(FILLED_KEYS - 3));
    const which = contents.findIndex((content) => content.includes(lost));
    const [path = "", bytes = lost] = [paths[which], contents[which]];
    bytes[bytes.indexOf(lost)]! ^= 1;
    await overwrite(fs, path, bytes);
    await expect(openTiny(fs)).rejects.toMatchObject({ code: "CORRUPTION" });

    const db = await openTiny(fs, READ_ONLY);
    const values = await db.getMany(Array.from({ length: FILLED_KEYS }, (_, i) => keyOf(i)));
    expect(values.slice(0, -3)).toEqual(
      Array.from({ length: FILLED_KEYS - 3 }, (_, i) => bytesOf(i)),
    );
    expect(values.slice(-3)).toEqual([undefined, undefined, undefined]);
    const { damage } = db.stats().recovery;
    expect(damage).toHaveLength(1);
    expect(damage[0]).toMatch(new RegExp(`^${path} at \\d+: \\d+ bytes are damaged$`));
    await db.close();
  });

  test("a missing table is CORRUPTION for the reads that need it, and told", async () => {
    const fs = await filledDisk();
    const [name] = await namesOf(fs, "table");
    await fs.remove(`/db/${name}`);
    const db = await openTiny(fs, READ_ONLY);
    const outcomes = await Promise.allSettled(
      Array.from({ length: FILLED_KEYS }, (_, i) => db.get(keyOf(i))),
    );
    const right = outcomes.filter(({ status }) => status === "fulfilled");
    expect(right.length).toBeGreaterThan(0);
    expect(right.length).toBeLessThan(FILLED_KEYS);
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") expect(outcome.value).toEqual(bytesOf(i));
      else expect(outcome.reason).toMatchObject({ code: "CORRUPTION" });
    }
    expect(db.stats().recovery.damage).toEqual([
      `/db/${name} at 0: the file is missing; the manifest names it`,
    ]);
    await db.close();
  });
});

test("who may not write the directory reads it without a lock", async () => {
  class Unwritable extends MemoryFileSystem {
    override lock(path: string): Promise<Lock> {
      const cause = Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
      return Promise.reject(ioFailure("lock", path, cause));
    }
  }
  const fs = new Unwritable();
  await copyFiles(await filledDisk(), fs);
  await expect(openTiny(fs)).rejects.toMatchObject({ code: "IO_ERROR" });
  const db = await openTiny(fs, READ_ONLY);
  await expectFilled(db);
  await db.close();
});

async function copyFiles(source: FileSystem, target: FileSystem): Promise<void> {
  await target.makeDirectory("/db");
  for (const name of await source.list("/db")) {
    const file = await target.open(`/db/${name}`, "create");
    await file.write(await contentOf(source, `/db/${name}`), 0);
    await file.close();
  }
}

test("on a real disk, too", async () => {
  const directory = await mkdtemp(join(tmpdir(), "varve-read-only-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const writer = await Database.open(directory);
  await writer.put("a", "1");
  await writer.close();
  const before = (await readdir(directory)).sort();
  await using db = await Database.open(directory, READ_ONLY);
  expect(new TextDecoder().decode(await db.get("a"))).toBe("1");
  expect((await readdir(directory)).filter((name) => name !== "LOCK").sort()).toEqual(before);
});
