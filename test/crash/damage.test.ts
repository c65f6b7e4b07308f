/** Files that are damaged, missing, foreign or of the future are told by name, and left as they are. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { pack } from "msgpackr";
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import type { FileSystem } from "../../src/fs/file-system.ts";
import { parseFileName } from "../../src/fs/names.ts";
import { encodeRecordHeader, RECORD_HEADER_BYTES } from "../../src/log/record.ts";
import { FOOTER_BYTES, TABLE_FORMAT } from "../../src/table/table-format.ts";
import { MANIFEST_FORMAT } from "../../src/version/manifest.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import {
  bytesOf,
  contentOf,
  FILLED_KEYS,
  filledDisk,
  keyOf,
  namesOf,
  openTiny,
  overwrite,
} from "./filled-disk.ts";

/** All files with their bytes. */
async function everything(fs: FileSystem): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of await fs.list("/db")) {
    files.set(name, (await contentOf(fs, `/db/${name}`)).toString("latin1"));
  }
  return files;
}

async function expectRefused(fs: MemoryFileSystem, code: string, naming: string): Promise<void> {
  const before = await everything(fs);
  await expect(openTiny(fs)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(naming),
  });
  expect(await everything(fs)).toEqual(before);
  expect(fs.openFiles).toBe(0);
}

test("a flipped bit in a data block is CORRUPTION, with file and offset, for reads of it alone", async () => {
  const fs = await filledDisk();
  const [name] = await namesOf(fs, "table");
  const path = `/db/${name}`;
  const bytes = await contentOf(fs, path);
  bytes[10]! ^= 1;
  await overwrite(fs, path, bytes);
  const db = await openTiny(fs);
  let damaged = 0;
  for (let i = 0; i < FILLED_KEYS; i++) {
    try {
      expect(await db.get(keyOf(i))).toEqual(bytesOf(i));
    } catch (error) {
      expect(error).toMatchObject({ code: "CORRUPTION" });
      expect((error as Error).message).toContain(`${path} at 0`);
      damaged++;
    }
  }
  expect(damaged).toBeGreaterThan(0);
  expect(damaged).toBeLessThan(20);
  await expect(Array.fromAsync(db.scan())).rejects.toMatchObject({ code: "CORRUPTION" });
  await db.put("new", "1");
  await db.close();
});
test("compaction leaves damaged tables as they are, and the rest goes on", async () => {
  const fs = await filledDisk();
  const names = await namesOf(fs, "table");
  const path = `/db/${names[0]}`;
  const bytes = await contentOf(fs, path);
  bytes[10]! ^= 1;
  await overwrite(fs, path, bytes);
  const db = await openTiny(fs);
  // Newer entries over all keys, so that every table is to be compacted.
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < FILLED_KEYS; i++) await db.put(`${keyOf(i)}!`, bytesOf(i));
    await db.flush();
  }
  await expect(db.compact()).rejects.toMatchObject({ code: "CORRUPTION" });
  await expect(db.compact()).rejects.toMatchObject({ code: "CORRUPTION" });
  expect(db.stats().background.failure).toContain(`${path} at 0`);
  expect(await contentOf(fs, path)).toEqual(bytes);

  await db.put("after", "1");
  await db.flush();
  const outcomes = await Promise.allSettled(
    Array.from({ length: FILLED_KEYS }, (_, i) => db.get(keyOf(i))),
  );
  const damaged = outcomes.filter(({ status }) => status === "rejected");
  expect(damaged.length).toBeGreaterThan(0);
  expect(damaged.length).toBeLessThan(20);
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") expect(outcome.value).toEqual(bytesOf(i));
    else expect(outcome.reason).toMatchObject({ code: "CORRUPTION" });
  }
  expect(db.stats().reads.damaged).toBeGreaterThan(0);
  await db.close();
});

test("each table that is missing is named", async () => {
  const whole = await filledDisk();
  const names = await namesOf(whole, "table");
  expect(names.length).toBeGreaterThan(2);
  for (const name of names) {
    const fs = whole.killImage();
    await fs.remove(`/db/${name}`);
    await expectRefused(fs, "CORRUPTION", `/db/${name}`);
  }
});

test("a missing log segment, manifest or CURRENT is named", async () => {
  const whole = await filledDisk();
  const [log] = await namesOf(whole, "log");
  const [manifest] = await namesOf(whole, "manifest");
  for (const name of [log, manifest, "CURRENT"]) {
    const fs = whole.killImage();
    await fs.remove(`/db/${name}`);
    await expectRefused(fs, "CORRUPTION", `/db/${name}`);
  }
});

test("a missing log segment in the middle is named", async () => {
  const fs = await filledDisk();
  for (let i = 0; i < 3; i++) {
    // Background work never runs, so that the segments stay needed.
    const background = { compactionsMax: 0, run: () => new Promise<never>(() => {}) };
    const never = { ...background, close: async () => {} };
    const db = await openTiny(fs, { background: never });
    await db.put("more", String(i));
    await db.close();
  }
  const logs = await namesOf(fs, "log");
  expect(logs.length).toBe(4);
  for (const name of logs.slice(0, -1)) {
    const image = fs.killImage();
    await image.remove(`/db/${name}`);
    await expectRefused(image, "CORRUPTION", `/db/${name}`);
  }
});

test.each(["manifest", "log"] as const)("a flipped bit in a %s is CORRUPTION", async (kind) => {
  const whole = await filledDisk();
  const [name] = await namesOf(whole, kind);
  const path = `/db/${name}`;
  const bytes = await contentOf(whole, path);
  for (let at = 0; at < bytes.length; at += 7) {
    const fs = whole.killImage();
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 1 << (at % 8);
    await overwrite(fs, path, flipped);
    // The last record only says that all before it is whole.
    if (at >= bytes.length - RECORD_HEADER_BYTES) continue;
    await expectRefused(fs, "CORRUPTION", path);
  }
});

test("a second open is LOCKED, with the owner's pid", async () => {
  const fs = new MemoryFileSystem();
  const db = await openTiny(fs);
  await expect(openTiny(fs)).rejects.toMatchObject({
    code: "LOCKED",
    message: expect.stringContaining(`pid ${process.pid}`),
  });
  await db.put("a", "1");
  await db.close();
  await (await openTiny(fs)).close();
});

test("a directory of other files is NOT_A_DATABASE, and stays as it is", async () => {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory("/db");
  const file = await fs.open("/db/notes.txt", "create");
  await file.write(Buffer.from("mine"), 0);
  await file.close();
  await expectRefused(fs, "NOT_A_DATABASE", "notes.txt");
});

test("on a real disk as well", async () => {
  const directory = await mkdtemp(join(tmpdir(), "varve-faults-"));
  try {
    await writeFile(join(directory, "notes.txt"), "mine");
    await expect(Database.open(directory)).rejects.toMatchObject({ code: "NOT_A_DATABASE" });
    expect(await readdir(directory)).toEqual(["notes.txt"]);
    const path = join(directory, "notes.txt");
    await expect(Database.open(path)).rejects.toMatchObject({ code: "IO_ERROR" });
    expect(await readFile(path, "utf8")).toBe("mine");
    const db = await Database.open(join(directory, "made", "db"));
    await expect(Database.open(join(directory, "made", "db"))).rejects.toMatchObject({
      code: "LOCKED",
      message: expect.stringContaining(`pid ${process.pid}`),
    });
    await db.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("a manifest of a newer format is UNSUPPORTED_FORMAT", async () => {
  const fs = await filledDisk();
  const [name] = await namesOf(fs, "manifest");
  const payload = pack({ version: MANIFEST_FORMAT + 1 });
  const record = new Uint8Array(RECORD_HEADER_BYTES + payload.length);
  record.set(payload, RECORD_HEADER_BYTES);
  encodeRecordHeader(record, 0, payload.length, 1, 0, parseFileName(name!)!.number);
  await overwrite(fs, `/db/${name}`, record);
  await expectRefused(fs, "UNSUPPORTED_FORMAT", `/db/${name}`);
});

test("a log segment of a newer format is UNSUPPORTED_FORMAT", async () => {
  const fs = await filledDisk();
  const name = (await namesOf(fs, "log")).at(-1)!;
  const bytes = await contentOf(fs, `/db/${name}`);
  bytes.writeUInt32LE(3, RECORD_HEADER_BYTES);
  const length = bytes.readUInt32LE(4);
  encodeRecordHeader(bytes, 0, length, 1, 0, parseFileName(name)!.number);
  await overwrite(fs, `/db/${name}`, bytes);
  await expectRefused(fs, "UNSUPPORTED_FORMAT", `/db/${name}`);
});

test("a table of a newer format is UNSUPPORTED_FORMAT when it is read", async () => {
  const fs = await filledDisk();
  const [name] = await namesOf(fs, "table");
  const bytes = await contentOf(fs, `/db/${name}`);
  const footer = bytes.length - FOOTER_BYTES;
  bytes.writeUInt32LE(TABLE_FORMAT + 1, footer + 12);
  bytes.writeUInt32LE(crc32(bytes.subarray(footer, footer + 16)), footer + 16);
  await overwrite(fs, `/db/${name}`, bytes);
  const db = await openTiny(fs);
  await expect(Array.fromAsync(db.scan())).rejects.toMatchObject({
    code: "UNSUPPORTED_FORMAT",
    message: expect.stringContaining(`/db/${name}`),
  });
  await db.close();
  expect(await contentOf(fs, `/db/${name}`)).toEqual(bytes);
});
