/** Point reads of one table give, at every sequence, what a sorted array gives. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import { KeyHash } from "../../../src/bytes/key-hash.ts";
import { KIND_SEEK, kindOf, trailerHigh, trailerLow } from "../../../src/key.ts";
import type { BlockSource } from "../../../src/table/block-source.ts";
import type { Table } from "../../../src/table/table.ts";
import { FIND, TableLookup } from "../../../src/table/table-lookup.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import {
  type ModelEntry,
  modelEntries,
  modelKey,
  sortEntries,
} from "../../support/model-entries.ts";
import { FitfulBlockSource, openTable, sourceOf, writeTable } from "../../support/table-fixture.ts";

interface Found {
  readonly kind: number;
  readonly timeMs: number;
  readonly value: Uint8Array;
}

const newLookup = () => new TableLookup({ checks: 0, refused: 0, misses: 0 });

/** The newest version at or below the sequence, loading what blocks. */
function find(
  lookup: TableLookup,
  table: Table,
  source: BlockSource,
  key: Uint8Array,
  sequence: number,
): Found | undefined {
  const hash = new KeyHash();
  hash.update(key);
  const low = trailerLow(sequence, KIND_SEEK);
  const high = trailerHigh(sequence);
  let state = lookup.find(table, source, key, hash, low, high);
  while (state === FIND.BLOCKED) {
    const { blockIndex } = lookup;
    const fetched = source.loadSync(blockIndex);
    state = lookup.findFrom(blockIndex, fetched, table, source, key, hash, low, high);
  }
  if (state === FIND.ABSENT) return undefined;
  return {
    kind: kindOf(lookup.trailerLow),
    timeMs: lookup.timeMs,
    value: Uint8Array.from(lookup.block.subarray(lookup.valueStart, lookup.valueEnd)),
  };
}

function expected(sorted: readonly ModelEntry[], key: Uint8Array, sequence: number) {
  const entry = sorted.find((one) => compareBytes(one.key, key) === 0 && one.sequence <= sequence);
  return entry && { kind: entry.kind, timeMs: entry.timeMs, value: entry.value };
}

const shape = fc.record({
  blockBytes: fc.constantFrom(1, 64, 300, 100_000),
  codec: fc.constantFrom("none" as const, "lz4" as const, "zstd" as const),
  // A filter that lets half of all through, so that the search has to find out.
  filterErrorRate: fc.constantFrom(0.01, 0.5),
});

test("every key at every sequence, absent ones too", () => {
  fc.assert(
    fc.property(
      modelEntries.filter((entries) => entries.length > 0),
      fc.array(modelKey, { maxLength: 20 }),
      shape,
      fc.nat(),
      fc.constantFrom(0, 50, 100),
      (entries, others, options, seed, missPercent) => {
        const sorted = sortEntries(entries);
        const fs = new MemoryFileSystem();
        const table = openTable(fs, writeTable(fs, sorted, options));
        const source = new FitfulBlockSource(sourceOf(fs, table), seed, missPercent);
        const lookup = newLookup();
        const sequences = [0, Number.MAX_SAFE_INTEGER];
        for (const { sequence } of entries) sequences.push(sequence, sequence - 1);
        for (const { key } of [...entries, ...others.map((key) => ({ key }))]) {
          const sequence = sequences[(seed + key.length) % sequences.length]!;
          for (const at of [sequence, ...sequences.slice(0, 20)]) {
            expect(find(lookup, table, source, key, at)).toEqual(expected(sorted, key, at));
          }
        }
      },
    ),
    { numRuns: 50 },
  );
});

const entry = (text: string, sequence: number): ModelEntry => ({
  key: Uint8Array.from(Buffer.from(text)),
  sequence,
  kind: 1,
  timeMs: sequence,
  value: Uint8Array.from(Buffer.from(`${text}@${sequence}`)),
});

test("versions of one key over many blocks: each sequence sees its own", () => {
  const versions = Array.from({ length: 30 }, (_, i) => entry("key", 10 * (i + 1)));
  const sorted = sortEntries([entry("a", 1), entry("kex", 2), ...versions, entry("kez", 3)]);
  const fs = new MemoryFileSystem();
  const table = openTable(fs, writeTable(fs, sorted, { blockBytes: 1 }));
  expect(table.index.length).toBe(sorted.length);
  for (const missPercent of [0, 50, 100]) {
    const source = new FitfulBlockSource(sourceOf(fs, table), 1, missPercent);
    for (let sequence = 0; sequence <= 310; sequence++) {
      const key = Buffer.from("key");
      expect(find(newLookup(), table, source, key, sequence)).toEqual(
        expected(sorted, key, sequence),
      );
    }
  }
});

test("a key before the first, after the last or between blocks is absent", () => {
  const sorted = ["b", "bb", "c", "ccc", "d"].map((text, i) => entry(text, i + 1));
  const fs = new MemoryFileSystem();
  const table = openTable(fs, writeTable(fs, sorted, { blockBytes: 1, filterErrorRate: 0.5 }));
  // Past the filter, which may refuse these: what index and blocks say alone.
  const pass = { ...table, filter: { mayContain: () => true } } as unknown as Table;
  const source = sourceOf(fs, table);
  for (const text of ["a", "ba", "bbb", "bz", "cc", "cccc", "da", "z", "\u00ff\u00ff"]) {
    const key = Buffer.from(text, "latin1");
    expect(find(newLookup(), pass, source, key, Number.MAX_SAFE_INTEGER), text).toBeUndefined();
  }
});

test("a look-up reads one block, and none where the filter refuses the key", () => {
  const sorted = Array.from({ length: 500 }, (_, i) =>
    entry(`key${String(i).padStart(3, "0")}`, 1),
  );
  const fs = new MemoryFileSystem();
  const table = openTable(fs, writeTable(fs, sorted));
  const source = new FitfulBlockSource(sourceOf(fs, table), 1, 100);
  const stats = { checks: 0, refused: 0, misses: 0 };
  const lookup = new TableLookup(stats);
  for (const { key } of sorted) expect(find(lookup, table, source, key, 9)).toBeDefined();
  expect(source.misses).toBe(500);
  expect(stats).toEqual({ checks: 500, refused: 0, misses: 0 });
  // Behind the last key there would be no block to read.
  for (const { key } of sorted.slice(0, -1)) {
    const absent = Buffer.concat([key, Buffer.from("-")]);
    expect(find(lookup, table, source, absent, 9)).toBeUndefined();
  }
  expect(stats.checks).toBe(999);
  expect(stats.refused + stats.misses).toBe(499);
  expect(stats.misses).toBeLessThan(25);
  expect(source.misses).toBe(500 + stats.misses);
});

test("a key in the gap behind a block costs that block alone", () => {
  const sorted = Array.from({ length: 50 }, (_, i) => entry(`${i + 100}:middle`, 1));
  const fs = new MemoryFileSystem();
  const table = openTable(fs, writeTable(fs, sorted, { blockBytes: 1 }));
  const pass = { ...table, filter: { mayContain: () => true } } as unknown as Table;
  const source = new FitfulBlockSource(sourceOf(fs, table), 1, 100);
  for (let i = 100; i < 150; i++) {
    expect(find(newLookup(), pass, source, Buffer.from(`${i}:behind`), 9)).toBeUndefined();
    expect(find(newLookup(), pass, source, Buffer.from(`${i}:z`), 9)).toBeUndefined();
  }
  // All but the key behind the last block, which is in none.
  expect(source.misses).toBe(99);
});
