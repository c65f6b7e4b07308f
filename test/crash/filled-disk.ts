/** A database whose content is known, for tests that harm it. */
import { expect } from "vitest";
import { Database } from "../../src/engine/database.ts";
import type { OpenOptions } from "../../src/engine/open-options.ts";
import type { FileSystem } from "../../src/fs/file-system.ts";
import { type FileName, parseFileName } from "../../src/fs/names.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { Random } from "../support/random.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";

const IN_TABLES = 100;
/** Few enough to fit the memtable, so that they are in the log alone. */
const IN_LOG = 10;
export const FILLED_KEYS = IN_TABLES + IN_LOG;

export const keyOf = (i: number) => `key${String(i).padStart(4, "0")}`;
export const bytesOf = (i: number) => new Random(i).bytes(40);

export function openTiny(fs: FileSystem, options: OpenOptions = {}): Promise<Database> {
  // Without log segments that feeds alone need, which may be harmed without harm.
  const settings = { ...TINY_SETTINGS, writeDelayMaxMs: 1, feedRetentionBytes: 0 };
  return Database.open("/db", { ...settings, fs, background: "inline", ...options });
}

export async function fill(db: Database): Promise<void> {
  for (let i = 0; i < IN_TABLES; i++) await db.put(keyOf(i), bytesOf(i), { durability: "none" });
  await db.compact();
  for (let i = IN_TABLES; i < FILLED_KEYS; i++) await db.put(keyOf(i), bytesOf(i));
}

/** The disk of a filled database that was closed. */
export async function filledDisk(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  const db = await openTiny(fs);
  await fill(db);
  await db.close();
  return fs;
}

export async function expectFilled(db: Database): Promise<void> {
  for (let i = 0; i < FILLED_KEYS; i++) {
    expect(await db.get(keyOf(i)), keyOf(i)).toEqual(bytesOf(i));
  }
  expect((await Array.fromAsync(db.scan())).length).toBeGreaterThanOrEqual(FILLED_KEYS);
}

export async function namesOf(fs: FileSystem, kind: FileName["kind"]): Promise<string[]> {
  return (await fs.list("/db")).filter((name) => parseFileName(name)?.kind === kind);
}

export async function contentOf(fs: FileSystem, path: string): Promise<Buffer> {
  const file = await fs.open(path, "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0);
  await file.close();
  return bytes;
}

export async function overwrite(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fs.open(path, "write");
  await file.write(bytes, 0);
  await file.close();
}
