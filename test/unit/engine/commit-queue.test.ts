/** What the commit queue does with the log when nothing is written. */
import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";

async function open() {
  const clock = new ManualClock();
  const fs = new MemoryFileSystem();
  const db = await Database.open("/db", { fs, clock, background: "inline" });
  return { clock, db, fs };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
}

test("a log that idles is marked as synced once, after the last write", async () => {
  const { clock, db } = await open();
  const written = () => db.stats().bytesWritten.log;
  await db.put("a", "1");
  const afterPut = written();
  clock.advance(600);
  await db.put("b", "2");
  const afterPuts = written();
  expect(afterPuts).toBeGreaterThan(afterPut);
  clock.advance(600);
  await settle();
  expect(written()).toBe(afterPuts);
  clock.advance(1000);
  await settle();
  const marked = written();
  expect(marked).toBeGreaterThan(afterPuts);
  clock.advance(10_000);
  await settle();
  expect(written()).toBe(marked);
  await db.close();
});

test("damage to the last write of a log that idled is CORRUPTION, not a torn tail", async () => {
  const { clock, db, fs } = await open();
  await db.put("key", "value");
  clock.advance(2000);
  await settle();
  const image = fs.killImage();
  await db.close();
  for (const name of await image.list("/db")) {
    if (!name.endsWith(".log")) continue;
    const file = await image.open(`/db/${name}`, "write");
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    const at = bytes.indexOf("value");
    if (at > 0) await file.write(Buffer.from("V"), at);
    await file.close();
  }
  await expect(Database.open("/db", { fs: image, background: "inline" })).rejects.toMatchObject({
    code: "CORRUPTION",
  });
});

test("writes that are never to be synced are not marked either", async () => {
  const { clock, db } = await open();
  await db.put("a", "1", { durability: "none" });
  const written = db.stats().bytesWritten.log;
  clock.advance(10_000);
  await settle();
  expect(db.stats().bytesWritten.log).toBe(written);
  await db.close();
});
