/** Log segments that a killed process had made ready, and not used, stayed until much later. */
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";

test("an open removes log segments that were never used", async () => {
  let fs = new MemoryFileSystem();
  for (let run = 0; run < 4; run++) {
    const db = await Database.open("/db", { fs, background: "inline" });
    await db.put(`key${run}`, "value");
    fs = fs.killImage();
  }
  await (await Database.open("/db", { fs, background: "inline" })).close();
  const logs = (await fs.list("/db")).filter((name) => name.endsWith(".log"));
  // One for each run that wrote, and that of the last open.
  expect(logs.length).toBe(5);
});
