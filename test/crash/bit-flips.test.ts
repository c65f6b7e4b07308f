/**
 * One bit flipped at every byte of a small database's files in turn: to open it and read everything either
 * gives the right answer or says what is wrong; never a wrong value, and never an error of another kind.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import { VarveError } from "../../src/errors.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";

/** Without log segments that feeds alone need, in which a flipped bit harms nothing here. */
const OPTIONS = { ...TINY_SETTINGS, feedRetentionBytes: 0, background: "inline" as const };
const decoder = new TextDecoder();

async function contentOf(db: Database): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for await (const [key, value] of db.scan()) content[decoder.decode(key)] = decoder.decode(value);
  // Point reads take another way through filter, index and block than the scan does.
  for (const key of Object.keys(content)) {
    const value = await db.get(key);
    if (value === undefined || decoder.decode(value) !== content[key]) content[key] = "get differs";
  }
  return content;
}

/** Tables in two levels, a memtable that is in the log alone, and a clean close. */
async function makeDatabase(fs: MemoryFileSystem): Promise<Record<string, string>> {
  const db = await Database.open("/db", { ...OPTIONS, fs });
  for (let i = 0; i < 24; i++) await db.put(`key:${i % 16}`, `value ${i} ${"x".repeat(i % 7)}`);
  await db.compact();
  for (let i = 0; i < 8; i++) await db.put(`key:${i}`, `newer ${i}`);
  await db.delete("key:3");
  await db.flush();
  for (let i = 0; i < 4; i++) await db.put(`key:${i * 5}`, `newest ${i}`);
  await db.delete("key:7");
  const content = await contentOf(db);
  await db.close();
  return content;
}

async function flip(fs: MemoryFileSystem, path: string, at: number): Promise<void> {
  const file = await fs.open(path, "write");
  const byte = new Uint8Array(1);
  await file.read(byte, at);
  byte[0]! ^= 1 << (at % 8);
  await file.write(byte, at);
  await file.sync();
  await file.close();
}

/** What the database holds, or the code of what it says instead. */
async function openAndRead(fs: MemoryFileSystem): Promise<unknown> {
  let db: Database | undefined;
  try {
    db = await Database.open("/db", { ...OPTIONS, fs });
    return await contentOf(db);
  } catch (error) {
    if (error instanceof VarveError) return error.code;
    throw error;
  } finally {
    await db?.close();
  }
}

describe("a flipped bit", () => {
  const disk = new MemoryFileSystem();
  let content: Record<string, string>;
  let names: string[];

  beforeAll(async () => {
    content = await makeDatabase(disk);
    names = await disk.list("/db");
  });

  test("the database has every kind of file, and reads back unharmed", async () => {
    expect(names.join(" ")).toMatch(/\.manifest .*\.log .*\.table .*\.table CURRENT/);
    expect(await openAndRead(disk.killImage())).toEqual(content);
  });

  test.each(["log", "manifest", "table", "CURRENT"])(
    "in any byte of any %s is right or told",
    async (kind) => {
      let told = 0;
      let harmless = 0;
      for (const name of names.filter((one) => one.endsWith(kind))) {
        const path = `/db/${name}`;
        const file = await disk.open(path, "read");
        const bytes = await file.size();
        await file.close();
        for (let at = 0; at < bytes; at++) {
          const damaged = disk.killImage();
          await flip(damaged, path, at);
          const outcome = await openAndRead(damaged);
          if (typeof outcome === "string") {
            expect(["CORRUPTION", "UNSUPPORTED_FORMAT"], `${name} at ${at}`).toContain(outcome);
            told++;
          } else {
            expect(outcome, `${name} at ${at}`).toEqual(content);
            harmless++;
          }
        }
      }
      expect(told).toBeGreaterThan(harmless);
    },
  );
});
