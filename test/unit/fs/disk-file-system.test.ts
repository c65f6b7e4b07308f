import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { VarveError } from "../../../src/errors.ts";
import { DiskFileSystem } from "../../../src/fs/disk-file-system.ts";
import { ioFailure, systemCodeOf } from "../../../src/fs/io-failure.ts";

const root = mkdtempSync(join(tmpdir(), "varve-disk-"));
afterAll(() => rmSync(root, { recursive: true }));
const fs = new DiskFileSystem();
const bytes = (text: string) => Buffer.from(text);
const at = (name: string) => join(root, name);

test("what write, writeSynced and the blocking side store is read back by every side", async () => {
  const file = await fs.open(at("a"), "create");
  await file.write(bytes("hello"), 0);
  await file.writeSynced(bytes(" world"), 5);
  await file.writeSynced(bytes("W"), 6);
  await file.sync();
  expect(await file.size()).toBe(11);
  await file.truncate(10);
  await file.close();

  const blocking = fs.sync.open(at("a"), "write");
  blocking.write(bytes("D"), 10);
  blocking.sync();
  expect(blocking.size()).toBe(11);
  const target = Buffer.alloc(20);
  expect(blocking.read(target, 2)).toBe(9);
  expect(target.subarray(0, 9).toString()).toBe("llo WorlD");
  blocking.close();

  const reader = fs.openSync(at("a"), "read");
  expect(reader.readSync(target, 6)).toBe(5);
  expect(await reader.read(target, 6)).toBe(5);
  expect(target.subarray(0, 5).toString()).toBe("WorlD");
  expect(await reader.read(target, 11)).toBe(0);
  reader.closeSync();
});

test("a file that is synced while the thread goes on takes no more calls, and is closed in the end", async () => {
  const file = fs.sync.open(at("later"), "create");
  file.write(bytes("later"), 0);
  const synced = file.syncAndClose();
  expect(() => file.write(bytes("x"), 0)).toThrow("is closed");
  await synced;
  expect(() => file.close()).toThrow("is closed");
  const reader = fs.openSync(at("later"), "read");
  const target = Buffer.alloc(5);
  expect(reader.readSync(target, 0)).toBe(5);
  expect(target.toString()).toBe("later");
  reader.closeSync();
});

test("create refuses a name that exists, read and write one that does not", async () => {
  await (await fs.open(at("b"), "create")).close();
  for (const [name, mode, code] of [
    ["b", "create", "EEXIST"],
    ["none", "read", "ENOENT"],
    ["none", "write", "ENOENT"],
  ] as const) {
    const failure = await fs.open(at(name), mode).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "IO_ERROR", cause: { code } });
    expect(systemCodeOf(failure)).toBe(code);
    expect((failure as Error).message).toContain(at(name));
    expect(() => fs.sync.open(at(name), mode)).toThrow(VarveError);
    expect(() => fs.openSync(at(name), mode)).toThrow(code);
  }
});

test("names: list is sorted, rename replaces, remove removes, exists tells", async () => {
  const directory = at("names/of");
  await fs.makeDirectory(directory);
  await fs.makeDirectory(directory);
  for (const name of ["c", "a", "b"]) writeFileSync(join(directory, name), name);
  await fs.rename(join(directory, "c"), join(directory, "a"));
  await fs.remove(join(directory, "b"));
  await fs.syncDirectory(directory);
  fs.sync.syncDirectory(directory);
  expect(await fs.list(directory)).toEqual(["a"]);
  expect(await fs.exists(join(directory, "a"))).toBe(true);
  expect(await fs.exists(join(directory, "b"))).toBe(false);
  fs.sync.remove(join(directory, "a"));
  await expect(fs.remove(join(directory, "a"))).rejects.toMatchObject({ code: "IO_ERROR" });
  expect(() => fs.sync.remove(join(directory, "a"))).toThrow("ENOENT");
  await expect(fs.list(at("missing"))).rejects.toMatchObject({ code: "IO_ERROR" });
  await expect(fs.syncDirectory(at("missing"))).rejects.toMatchObject({ code: "IO_ERROR" });
});

test("free space and the limit of open files are plausible", async () => {
  expect(await fs.freeBytes(root)).toBeGreaterThan(0);
  expect(fs.openFilesLimit()).toBeGreaterThan(0);
});

test("a full disk or quota is NO_SPACE, everything else IO_ERROR", () => {
  const system = (code: string) => Object.assign(new Error(code), { code });
  expect(ioFailure("write", "/f", system("ENOSPC"))).toMatchObject({ code: "NO_SPACE" });
  expect(ioFailure("write", "/f", system("EDQUOT"))).toMatchObject({ code: "NO_SPACE" });
  expect(ioFailure("write", "/f", system("EIO"))).toMatchObject({ code: "IO_ERROR" });
});

test("a closed file takes no calls", async () => {
  const file = await fs.open(at("closed"), "create");
  await file.close();
  expect(() => file.read(Buffer.alloc(1), 0)).toThrow("closed");
  await expect(file.close()).rejects.toThrow("closed");
});
