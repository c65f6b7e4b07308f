/** What a scan reads of a table: as much at a time as it will surely need, and nothing twice. */
import { describe, expect, test } from "vitest";
import { BlockCache } from "../../../src/engine/block-cache.ts";
import type { OpenTable } from "../../../src/engine/open-table.ts";
import { ReadAhead } from "../../../src/engine/read-ahead.ts";
import { TableCache } from "../../../src/engine/table-cache.ts";
import type { CodecName } from "../../../src/options.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { Random, seeds } from "../../support/random.ts";
import { pathOfTable, TABLE_DIRECTORY, writeTable } from "../../support/table-fixture.ts";

const BLOCKS = 500;
const VALUE_BYTES = 60;

interface Rig {
  readonly fs: MemoryFileSystem;
  readonly open: OpenTable;
  readonly cache: BlockCache;
  reads: number;
}

/** A table with one entry in a block, whose value says which. */
async function rigOf(cacheBytes: number, codec: CodecName = "none"): Promise<Rig> {
  const fs = new MemoryFileSystem();
  const entries = Array.from({ length: BLOCKS }, (_, i) => ({
    key: Uint8Array.of(i >> 8, i & 255),
    sequence: 1,
    kind: 1,
    timeMs: 0,
    value: new Uint8Array(VALUE_BYTES).fill(i),
  }));
  const meta = writeTable(fs, entries, { blockBytes: 1, codec });
  const cache = new BlockCache(cacheBytes);
  const options = { fs, directory: TABLE_DIRECTORY, openMax: 10, cacheBytes, blocks: cache };
  const open = await new TableCache(options).acquire(meta);
  expect(open.table.index.length).toBe(BLOCKS);
  const rig = { fs, open, cache, reads: 0 };
  fs.onOperation = (kind) => {
    if (kind === "read") rig.reads++;
  };
  return rig;
}

async function read(source: ReadAhead, block: number): Promise<void> {
  const bytes = source.cached(block) ?? (await source.load(block));
  expect(Buffer.from(bytes).includes(Buffer.alloc(VALUE_BYTES, block))).toBe(true);
}

const ascending = Array.from({ length: BLOCKS }, (_, i) => i);

describe.each(["none", "lz4", "zstd"] as const)("codec %s", (codec) => {
  test.each([
    ["forwards", ascending],
    ["backwards", ascending.toReversed()],
  ])("a long scan %s takes few reads", async (_way, order) => {
    const rig = await rigOf(2000, codec);
    const source = new ReadAhead(rig.open);
    for (const block of order) await read(source, block);
    // 1, 4, 16, 64, and then the most at a time.
    expect(rig.reads).toBeLessThanOrEqual(7);
    expect(rig.cache.misses).toBe(BLOCKS);
  });
});

test("a scan of one block reads that one alone, and of two, few more", async () => {
  const rig = await rigOf(2 ** 20);
  await read(new ReadAhead(rig.open), 100);
  expect(rig.cache.misses).toBe(1);
  const source = new ReadAhead(rig.open);
  await read(source, 200);
  await read(source, 201);
  expect(rig.cache.misses).toBe(1 + 1 + 4);
});

test("what was read ahead is cached where there is room, and drives out nothing where not", async () => {
  const roomy = await rigOf(2 ** 20);
  for (const pass of [0, 1]) {
    const source = new ReadAhead(roomy.open);
    for (const block of ascending) await read(source, block);
    expect(roomy.cache.misses, `pass ${pass}`).toBe(BLOCKS);
  }
  const tight = await rigOf(2 ** 20);
  const points = [3, 50, 77];
  for (const block of points) await tight.open.load(block);
  tight.cache.resize(tight.cache.usedBytes);
  const source = new ReadAhead(tight.open);
  // The first block alone is read as a point read is, which makes room for itself.
  for (const block of [2, ...points]) tight.open.hot[block] = 1;
  for (const block of ascending.slice(1)) await read(source, block);
  const kept = points.filter((block) => tight.open.blocks[block] !== undefined);
  expect(kept.length).toBeGreaterThanOrEqual(2);
  expect(tight.cache.count).toBe(points.length);
});

test.each(seeds(20))("any walk sees every block as it is (seed %i)", async (seed) => {
  const random = new Random(seed);
  const rig = await rigOf(random.pick([1000, 20_000, 2 ** 20]), random.pick(["none", "zstd"]));
  const source = new ReadAhead(rig.open);
  let block = 0;
  for (let walk = 0; walk < 30; walk++) {
    const step = random.pick([-1, 1]);
    if (random.chance(50)) block = random.below(BLOCKS);
    for (let i = random.below(40); i > 0 && block >= 0 && block < BLOCKS; i--, block += step) {
      await read(source, block);
    }
    block = Math.max(0, Math.min(BLOCKS - 1, block));
  }
});

test("damage ahead is told when the scan comes to it", async () => {
  const rig = await rigOf(2000);
  const path = pathOfTable(7);
  const file = await rig.fs.open(path, "write");
  await file.write(Uint8Array.of(0xff), rig.open.table.index.offset(8) + 3);
  await file.close();
  const source = new ReadAhead(rig.open);
  for (let block = 0; block < 8; block++) await read(source, block);
  expect(() => source.cached(8)).toThrow(/\.table at \d+: block checksum/);
  expect(rig.cache.damaged).toBe(1);
  await read(source, 9);
});
