import { describe, expect, test } from "vitest";
import type { File } from "../../../src/fs/file-system.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { Random, seeds } from "../../support/random.ts";

const SECTOR = 512;

async function contentOf(fs: MemoryFileSystem, path: string): Promise<Uint8Array> {
  const file = await fs.open(path, "read");
  const bytes = new Uint8Array(await file.size());
  await file.read(bytes, 0);
  return bytes;
}

async function newFile(fs: MemoryFileSystem, path: string): Promise<File> {
  const file = await fs.open(path, "create");
  await fs.syncDirectory("/");
  return file;
}

const filled = (length: number, value: number) => new Uint8Array(length).fill(value);

describe("crash images", () => {
  test.each(seeds(100))(
    "synced bytes stay, bytes never written do not appear (seed %i)",
    async (seed) => {
      const random = new Random(seed);
      const fs = new MemoryFileSystem();
      const file = await newFile(fs, "/f");
      const size = 4 * SECTOR + 100;
      // For each byte: what it may be after a crash.
      const possible = Array.from({ length: 2 * size }, () => new Set([0]));
      let syncedSize = 0;
      let writtenSize = 0;
      for (let step = 1; step <= 20; step++) {
        const position = random.below(size);
        const bytes = filled(1 + random.below(size), step);
        const end = position + bytes.length;
        const kind = random.below(5);
        if (kind <= 1) {
          await file.write(bytes, position);
          for (let i = position; i < end; i++) possible[i]!.add(step);
          writtenSize = Math.max(writtenSize, end);
        } else if (kind === 2) {
          await file.writeSynced(bytes, position);
          for (let i = position; i < end; i++) possible[i] = new Set([step]);
          syncedSize = Math.max(syncedSize, end);
          writtenSize = Math.max(writtenSize, end);
        } else if (kind === 3) {
          await file.sync();
          const now = await contentOf(fs, "/f");
          for (const [i, value] of now.entries()) possible[i] = new Set([value]);
          syncedSize = writtenSize;
        } else {
          const image = await contentOf(fs.crashImage(random.next()), "/f");
          expect(image.length).toBeGreaterThanOrEqual(syncedSize);
          expect(image.length).toBeLessThanOrEqual(writtenSize);
          const wrong = [...image.entries()].filter(([i, value]) => {
            // Zero may stand for what was lost behind the synced size.
            return (i < syncedSize || value !== 0) && !possible[i]!.has(value);
          });
          expect(wrong).toEqual([]);
        }
      }
    },
  );

  test("an unsynced write is kept, lost, or torn at sectors, by seed", async () => {
    const fs = new MemoryFileSystem();
    const file = await newFile(fs, "/f");
    await file.writeSynced(filled(3 * SECTOR, 1), 0);
    await file.write(filled(3 * SECTOR, 2), 0);
    const images = new Set<string>();
    for (let seed = 1; seed <= 200; seed++) {
      const image = await contentOf(fs.crashImage(seed), "/f");
      const sectors = [0, 1, 2].map((i) => new Set(image.subarray(i * SECTOR, (i + 1) * SECTOR)));
      for (const sector of sectors) expect(sector.size).toBe(1);
      images.add(sectors.map((sector) => [...sector][0]).join(""));
    }
    expect([...images].sort()).toEqual(["111", "112", "121", "122", "211", "212", "221", "222"]);
  });

  test("the size goes its own way: less than was written, or zeros", async () => {
    const fs = new MemoryFileSystem();
    const file = await newFile(fs, "/f");
    await file.write(filled(SECTOR, 1), 0);
    const images = new Set<string>();
    for (let seed = 1; seed <= 100; seed++) {
      const image = await contentOf(fs.crashImage(seed), "/f");
      images.add(`${image.length} of ${image[0]}`);
    }
    expect([...images].sort()).toEqual(["0 of undefined", "512 of 0", "512 of 1"]);
  });

  test("names: created and removed ones are kept or lost until the directory is synced", async () => {
    const fs = new MemoryFileSystem();
    await newFile(fs, "/old");
    await fs.open("/new", "create");
    await fs.remove("/old");
    const images = new Set<string>();
    for (let seed = 1; seed <= 100; seed++)
      images.add((await fs.crashImage(seed).list("/")).join());
    expect([...images].sort()).toEqual(["", "new", "new,old", "old"]);
    await fs.syncDirectory("/");
    for (const seed of seeds(20)) expect(await fs.crashImage(seed).list("/")).toEqual(["new"]);
  });

  test("a rename is the old name or the new one, with the file's own content", async () => {
    const fs = new MemoryFileSystem();
    await (await newFile(fs, "/current")).writeSynced(filled(1, 1), 0);
    await (await newFile(fs, "/next")).writeSynced(filled(1, 2), 0);
    await fs.rename("/next", "/current");
    const images = new Set<string>();
    for (let seed = 1; seed <= 100; seed++) {
      const image = fs.crashImage(seed);
      images.add(`${await image.list("/")} ${(await contentOf(image, "/current"))[0]}`);
    }
    expect([...images].sort()).toEqual(["current 2", "current,next 1"]);
  });

  test("a directory that was not synced into its parent may be lost with all it holds", async () => {
    const fs = new MemoryFileSystem();
    await fs.makeDirectory("/a/b");
    await fs.open("/a/b/f", "create");
    await fs.syncDirectory("/a/b");
    const images = new Set<boolean>();
    for (let seed = 1; seed <= 50; seed++) images.add(await fs.crashImage(seed).exists("/a/b/f"));
    expect(images).toEqual(new Set([true, false]));
    await fs.syncDirectory("/a");
    await fs.syncDirectory("/");
    for (const seed of seeds(20)) expect(await fs.crashImage(seed).exists("/a/b/f")).toBe(true);
  });

  test("one seed makes one image, and images are apart from each other", async () => {
    const fs = new MemoryFileSystem();
    const file = await newFile(fs, "/f");
    await file.write(new Random(1).bytes(10 * SECTOR), 0);
    const [one, two] = [fs.crashImage(7), fs.crashImage(7)];
    const before = await contentOf(one, "/f");
    expect(await contentOf(two, "/f")).toEqual(before);
    await (await two.open("/f", "write")).write(filled(10, 99), 0);
    expect(await contentOf(one, "/f")).toEqual(before);
  });

  test("the death of the process alone loses nothing, and makes nothing durable", async () => {
    const fs = new MemoryFileSystem();
    const file = await newFile(fs, "/f");
    await file.write(new Random(1).bytes(10 * SECTOR), 0);
    await fs.rename("/f", "/g");
    const killed = fs.killImage();
    expect(await contentOf(killed, "/g")).toEqual(await contentOf(fs, "/g"));
    for (const seed of seeds(20)) {
      const names = await fs.crashImage(seed).list("/");
      expect(await killed.crashImage(seed).list("/")).toEqual(names);
      const path = `/${names[0]}`;
      expect(await contentOf(killed.crashImage(seed), path)).toEqual(
        await contentOf(fs.crashImage(seed), path),
      );
    }
  });

  test("a sync covers what was written before it was called, and nothing written meanwhile", async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const fs = new MemoryFileSystem({ schedule: () => gate });
    const file = fs.openSync("/f", "create");
    fs.syncDirectorySync("/");
    const blocking = file.blocking();
    blocking.write(filled(SECTOR, 1), 0);
    const synced = file.sync();
    blocking.write(filled(SECTOR, 2), 0);
    open();
    await synced;
    const images = new Set<number>();
    for (let seed = 1; seed <= 50; seed++) {
      images.add((await contentOf(fs.crashImage(seed), "/f"))[0] ?? -1);
    }
    expect([...images].sort()).toEqual([1, 2]);
  });
});

test("what the hook throws is a crash: the operation is half done, and all later ones fail", async () => {
  const fs = new MemoryFileSystem();
  const file = await newFile(fs, "/f");
  fs.onOperation = (kind) => {
    if (kind === "writeSynced") throw new Error("power lost");
  };
  await expect(file.writeSynced(filled(1, 1), 0)).rejects.toThrow("power lost");
  expect(fs.crashed).toBe(true);
  await expect(file.read(filled(1, 1), 0)).rejects.toMatchObject({ code: "IO_ERROR" });
  await expect(fs.list("/")).rejects.toMatchObject({ code: "IO_ERROR" });
  const images = new Set<number>();
  for (let seed = 1; seed <= 50; seed++) {
    images.add((await contentOf(fs.crashImage(seed), "/f")).length);
  }
  expect([...images].sort()).toEqual([0, 1]);
});

test("it behaves as a file system: modes, missing names, open files that were removed, locks", async () => {
  const fs = new MemoryFileSystem();
  const file = await newFile(fs, "/f");
  await expect(fs.open("/f", "create")).rejects.toMatchObject({ cause: { code: "EEXIST" } });
  await expect(fs.open("/none", "read")).rejects.toMatchObject({ cause: { code: "ENOENT" } });
  await expect(fs.open("/no/file", "create")).rejects.toMatchObject({ cause: { code: "ENOENT" } });
  await file.write(filled(3, 1), 0);
  await fs.remove("/f");
  const target = new Uint8Array(5);
  expect(await file.read(target, 1)).toBe(2);
  expect([...target]).toEqual([1, 1, 0, 0, 0]);
  await file.truncate(1);
  expect(await file.size()).toBe(1);
  const reader = fs.sync;
  expect(() => reader.open("/f", "read")).toThrow("ENOENT");
  expect(fs.openFiles).toBe(1);
  await file.close();
  expect(fs.openFiles).toBe(0);

  const lock = await fs.lock("/LOCK");
  await expect(fs.lock("/LOCK")).rejects.toMatchObject({ code: "LOCKED" });
  await (await fs.crashImage(1).lock("/LOCK")).release();
  await lock.release();
  await fs.lock("/LOCK");
});

test("a written Buffer may be used again at once", async () => {
  const fs = new MemoryFileSystem();
  const file = await newFile(fs, "/f");
  const buffer = Buffer.from("written");
  await file.write(buffer, 0);
  buffer.fill("x");
  await file.sync();
  expect(await contentOf(fs.crashImage(1), "/f")).toEqual(new TextEncoder().encode("written"));
});
