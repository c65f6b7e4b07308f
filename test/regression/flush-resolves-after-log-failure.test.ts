/** `flush` resolved when the log failed while it was being rotated, though nothing had become durable. */
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import { FaultyFileSystem } from "../support/faulty-file-system.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";

test("a flush whose log cannot be synced fails with LOG_FAILED", async () => {
  const fs = new FaultyFileSystem(new MemoryFileSystem());
  const db = await Database.open("/db", { fs, background: "inline" });
  await db.put("key", "value", { durability: "none" });

  fs.setRules([{ kinds: ["sync"], path: /\.log$/, fault: "EIO" }]);
  await expect(db.flush()).rejects.toMatchObject({ code: "LOG_FAILED" });
  await db.close();
});
