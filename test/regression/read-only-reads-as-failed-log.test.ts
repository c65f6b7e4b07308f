/** A database that was opened read-only told that its log had failed, which alarms and `/readyz` go by. */
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";

test("a database that was opened read-only has no failure of its log", async () => {
  const options = { fs: new MemoryFileSystem(), background: "inline" } as const;
  await (await Database.open("/db", options)).close();
  await using database = await Database.open("/db", { ...options, readOnly: true });
  await expect(database.put("k", "v")).rejects.toMatchObject({ code: "READ_ONLY" });
  expect(database.stats().log.failure).toBeNull();
});
