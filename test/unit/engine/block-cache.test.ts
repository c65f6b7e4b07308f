import { expect, test } from "vitest";
import { BlockCache, type BlockOwner } from "../../../src/engine/block-cache.ts";
import { Random, seeds } from "../../support/random.ts";

const owner = (): BlockOwner => ({
  blocks: [],
  hot: new Uint8Array(20),
  slots: new Int32Array(20),
});

function read(cache: BlockCache, table: BlockOwner, index: number): void {
  if (table.blocks[index] === undefined) cache.insert(table, index, new Uint8Array(100));
  else table.hot[index] = 1;
}

test("keeps blocks until the capacity is reached, then makes room", () => {
  const cache = new BlockCache(1000);
  const table = owner();
  for (let i = 0; i < 3; i++) read(cache, table, i);
  expect(cache.count).toBe(3);
  read(cache, table, 3);
  expect(cache.count).toBe(3);
  expect(cache.usedBytes).toBeLessThanOrEqual(1000);
});

test("a block that was read again outlives one that was not", () => {
  const cache = new BlockCache(1000);
  const table = owner();
  for (let i = 0; i < 3; i++) read(cache, table, i);
  read(cache, table, 0);
  read(cache, table, 3);
  expect(table.blocks[0]).toBeDefined();
  expect(table.blocks[1]).toBeUndefined();
});

test.each(seeds(20))("accounts for exactly what its owners hold (seed %i)", (seed) => {
  const random = new Random(seed);
  const cache = new BlockCache(5000);
  const tables = Array.from({ length: 5 }, owner);
  for (let i = 0; i < 2000; i++) {
    const dice = random.below(100);
    if (dice < 97) read(cache, random.pick(tables), random.below(20));
    else if (dice < 99) cache.removeAll(random.pick(tables));
    else cache.resize(1000 + random.below(8000));
    const held = tables.flatMap((table) => table.blocks.filter((block) => block !== undefined));
    expect(cache.count).toBe(held.length);
    expect(cache.usedBytes).toBe(held.length * 300);
    expect(cache.usedBytes).toBeLessThanOrEqual(Math.max(300, cache.capacityBytes));
  }
});
