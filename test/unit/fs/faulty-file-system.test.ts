import { expect, test } from "vitest";
import { FaultyFileSystem } from "../../support/faulty-file-system.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";

test("rules fail the nth operation of a kind on a path, and no other", async () => {
  const fs = new FaultyFileSystem(new MemoryFileSystem(), [
    { kinds: ["write", "writeSynced"], path: /\.log$/, nth: 2, fault: "ENOSPC" },
    { kinds: ["sync"], fault: "EIO" },
  ]);
  const log = await fs.open("/a.log", "create");
  const table = await fs.open("/a.table", "create");
  const bytes = new Uint8Array(4).fill(1);
  await log.write(bytes, 0);
  await table.write(bytes, 0);
  await table.write(bytes, 4);
  await expect(log.writeSynced(bytes, 4)).rejects.toMatchObject({ code: "NO_SPACE" });
  await log.write(bytes, 4);
  await expect(log.sync()).rejects.toMatchObject({ code: "IO_ERROR" });
  fs.setRules([]);
  await log.sync();
});

test("torn writes store half and fail; short reads return half", async () => {
  const fs = new FaultyFileSystem(new MemoryFileSystem());
  const file = await fs.open("/f", "create");
  fs.setRules([{ kinds: ["write"], nth: 1, fault: "torn" }]);
  await expect(file.write(new Uint8Array(8).fill(1), 0)).rejects.toMatchObject({
    code: "IO_ERROR",
  });
  expect(await file.size()).toBe(4);
  fs.setRules([{ kinds: ["read"], fault: "short" }]);
  expect(await file.read(new Uint8Array(4), 0)).toBe(2);
  expect(fs.sync.open("/f", "read").read(new Uint8Array(4), 0)).toBe(2);
});

test("free space is what the test says", async () => {
  const fs = new FaultyFileSystem(new MemoryFileSystem());
  expect(await fs.freeBytes("/")).toBeGreaterThan(0);
  fs.free = 0;
  expect(await fs.freeBytes("/")).toBe(0);
});
