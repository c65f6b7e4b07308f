/**
 * Writes that waited for room ran in the middle of the rotation that made it: out of order, and logged in the
 * segment of the memtable before theirs, which was given up while they were still needed.
 */
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import { InlineBackground } from "../../src/engine/inline-background.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";

async function openSlow(fs: MemoryFileSystem): Promise<{ db: Database; runSteps: () => void }> {
  const steps: (() => void)[] = [];
  const background = new InlineBackground(fs.sync, (step) => steps.push(step));
  const settings = { ...TINY_SETTINGS, immutableMemtablesMax: 1 };
  const db = await Database.open("/db", { ...settings, fs, background });
  const runSteps = () => {
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) step();
  };
  return { db, runSteps };
}

test.each([
  { what: "a rotation that a waiting write needs", flush: false },
  { what: "a rotation that a flush asks for", flush: true },
])("waiting writes keep their order through $what", async ({ flush }) => {
  const fs = new MemoryFileSystem();
  const { db, runSteps } = await openSlow(fs);
  const value = new Uint8Array(900);
  const writes = Array.from({ length: 20 }, (_, i) => db.put(`key${i}`, value));
  const flushed = flush ? db.flush() : undefined;
  let done = false;
  const all = Promise.all([...writes, flushed]).finally(() => {
    done = true;
  });
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    runSteps();
  }
  await all;
  const versions = (await Promise.all(writes)).map(({ version }) => version);
  expect(versions).toEqual(writes.map((_, i) => i + 1));

  const image = fs.killImage();
  await using found = await Database.open("/db", {
    ...TINY_SETTINGS,
    fs: image,
    background: "inline",
  });
  expect((await Array.fromAsync(found.scan())).length).toBe(writes.length);
});
