import { expect, test } from "vitest";
import { KIND, trailerLow } from "../../../src/key.ts";
import { ArenaPool } from "../../../src/memtable/arena-pool.ts";
import { Memtable } from "../../../src/memtable/memtable.ts";

const key = Uint8Array.of(1, 2, 3);

test("hands out a memtable that was given back, empty", () => {
  const pool = new ArenaPool(4096, 2);
  const memtable = pool.take();
  memtable.insert(key, 0, 3, trailerLow(1, KIND.PUT), 0, 1, key, 0, 3);
  pool.give(memtable);
  expect(pool.memoryBytes).toBe(memtable.memoryBytes);
  const again = pool.take();
  expect(again.arena).toBe(memtable.arena);
  expect(again.isEmpty).toBe(true);
  expect(pool.memoryBytes).toBe(0);
  expect(pool.take().arena).not.toBe(memtable.arena);
});

test("keeps no more than its limit", () => {
  const pool = new ArenaPool(4096, 2);
  const memtables = [pool.take(), pool.take(), pool.take()];
  for (const memtable of memtables) pool.give(memtable);
  expect(pool.memoryBytes).toBe(2 * Memtable.create(4096).memoryBytes);
});

test("makes a larger memtable where asked to, and does not keep it", () => {
  const pool = new ArenaPool(4096, 2);
  const large = pool.take(10_001);
  expect(large.arenaBytes).toBeGreaterThanOrEqual(10_001);
  pool.give(large);
  expect(pool.memoryBytes).toBe(0);
});
