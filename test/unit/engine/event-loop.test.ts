import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";

test("whoever awaits one unsynced put after another lets the event loop turn", async () => {
  const directory = await mkdtemp(join(tmpdir(), "varve-turns-"));
  const db = await Database.open(directory, { durability: "none" });
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  for (let i = 0; i < 5000; i++) await db.put(`key ${i}`, "value");
  clearInterval(timer);
  await db.close();
  await rm(directory, { recursive: true });
  expect(turns).toBeGreaterThan(0);
});
