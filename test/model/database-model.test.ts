/**
 * The database against a model, with memtables and tables so small that all levels fill.
 * `SEED=n npx vitest run test/model` replays one seed.
 */
import { expect, test } from "vitest";
import { LEVELS } from "../../src/options.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { ModelRun } from "../support/model-run.ts";
import { seeds } from "../support/random.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";

const levelsSeen = new Set<number>();

test.each(seeds(300))("answers as the model does (seed %i)", async (seed) => {
  const fs = new MemoryFileSystem();
  const run = await ModelRun.start(seed, "/db", { ...TINY_SETTINGS, fs, background: "inline" });
  await run.run(260);
  expect(run.levelsSeen.size, "levels that held tables").toBeGreaterThanOrEqual(3);
  for (const level of run.levelsSeen) levelsSeen.add(level);
});

test.skipIf(process.env.SEED !== undefined)("all levels were reached", () => {
  expect([...levelsSeen].sort()).toEqual(Array.from({ length: LEVELS }, (_, level) => level));
});
