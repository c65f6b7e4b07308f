/**
 * The same operations under options drawn at random give the same answers: the model's. Options change how
 * data is laid out, cached, compressed and compacted, and by whom; never what is read.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { CODECS, type Settings } from "../../src/options.ts";
import { DURABILITIES } from "../../src/store.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { ModelRun } from "../support/model-run.ts";
import { Random, seeds } from "../support/random.ts";

const KIB = 1024;

/** Sizes from tiny to ordinary, on a scale where each doubling is as likely as the next. */
function sizeBetween(random: Random, smallest: number, largest: number): number {
  return Math.round(smallest * (largest / smallest) ** (random.below(1001) / 1000));
}

function drawSettings(random: Random): Partial<Settings> {
  return {
    durability: random.pick(DURABILITIES),
    memoryBudget: sizeBetween(random, 64 * KIB, 4096 * KIB),
    memtableBytes: sizeBetween(random, 4 * KIB, 64 * KIB),
    immutableMemtablesMax: 1 + random.below(4),
    openTablesMax: 4 + random.below(60),
    blockBytes: sizeBetween(random, 64, 8 * KIB),
    tableBytes: sizeBetween(random, 1 * KIB, 64 * KIB),
    filterErrorRate: random.pick([0.0001, 0.01, 0.5]),
    codecs: Array.from({ length: 1 + random.below(4) }, () => random.pick(CODECS)),
    level0CompactAt: 1 + random.below(5),
    levelBytes: sizeBetween(random, 1 * KIB, 64 * KIB),
    levelMultiplier: 2 + random.below(9),
    manifestBytes: sizeBetween(random, 1 * KIB, 64 * KIB),
  };
}

test.each(seeds(40))("in memory, in line (seed %i)", async (seed) => {
  const fs = new MemoryFileSystem();
  const settings = drawSettings(new Random(seed + 1_000_000));
  await (await ModelRun.start(seed, "/db", { ...settings, fs, background: "inline" })).run(300);
});

test.each(seeds(6))("on the disk, in worker threads (seed %i)", async (seed) => {
  const directory = await mkdtemp(join(tmpdir(), "varve-metamorphic-"));
  try {
    const settings = drawSettings(new Random(seed + 2_000_000));
    await (await ModelRun.start(seed, directory, { ...settings, background: "threads" })).run(150);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
