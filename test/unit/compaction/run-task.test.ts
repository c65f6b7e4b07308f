/** What a flush or a compaction writes is what a model says: every version that counts, once, in order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import type { TaskResult } from "../../../src/compaction/tasks.ts";
import { tableName } from "../../../src/fs/names.ts";
import type { TableMeta } from "../../../src/table/table-meta.ts";
import { readTableMeta } from "../../../src/table/table-reader.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import {
  type ModelEntry,
  modelEntries,
  modelKey,
  sortEntries,
} from "../../support/model-entries.ts";
import { Random } from "../../support/random.ts";
import { pathOfTable } from "../../support/table-fixture.ts";
import { tableOf } from "../../support/table-metas.ts";
import {
  compactTask,
  coveredBy,
  entriesOf,
  flushTask,
  INPUT_NUMBERS,
  outputSettings,
  retained,
  runWhole,
  writeRuns,
} from "../../support/task-fixture.ts";

const someEntries = modelEntries.filter((entries) => entries.length > 0);

/** Snapshots at some of the entries' sequences, and between them. */
function snapshotsOf(entries: readonly ModelEntry[], random: Random): number[] {
  const some = entries.filter(() => random.chance(10));
  return some.map(({ sequence }) => sequence - random.below(2)).sort((a, b) => a - b);
}

const deeperRanges = fc.array(
  fc
    .uniqueArray(modelKey, { maxLength: 8, selector: (key) => key.join() })
    .map((keys) => keys.sort(compareBytes))
    .map((keys) =>
      Array.from({ length: keys.length >> 1 }, (_, i) =>
        tableOf(500 + i, keys[2 * i]!, keys[2 * i + 1]!),
      ),
    ),
  { maxLength: 3 },
);

/** What holds of any result. */
async function expectWhole(fs: MemoryFileSystem, result: TaskResult): Promise<ModelEntry[]> {
  const { added, bytesWritten, entriesRead, entriesDropped } = result;
  const contents = added.map((meta) => entriesOf(fs, meta));
  let before: TableMeta | undefined;
  for (const meta of added) {
    expect(meta.number).toBeGreaterThan(INPUT_NUMBERS);
    expect(await readTableMeta(fs, pathOfTable(meta.number), meta.number)).toEqual(meta);
    // In key order; a user key is in one table alone.
    if (before !== undefined) expect(compareBytes(before.largest, meta.smallest)).toBeLessThan(0);
    before = meta;
  }
  expect(bytesWritten).toBe(added.reduce((total, { fileBytes }) => total + fileBytes, 0));
  const written = contents.flat();
  expect(entriesRead - entriesDropped).toBe(written.length);
  return written;
}

test("a compaction keeps what readers need, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(
      someEntries,
      fc.integer({ min: 1, max: 5 }),
      deeperRanges,
      fc.nat(),
      fc.constantFrom("none" as const, "lz4" as const, "zstd" as const),
      async (entries, count, deeper, seed, codec) => {
        const random = new Random(seed);
        const fs = new MemoryFileSystem();
        const runs = writeRuns(fs, entries, count, random);
        const names = await fs.list("/");
        const snapshots = snapshotsOf(entries, random);
        const output = outputSettings({ codec });
        const { result } = runWhole(compactTask(runs, { snapshots, deeper, output }), fs.sync);
        const want = retained(entries, snapshots, coveredBy(deeper));
        expect(await expectWhole(fs, result)).toEqual(want);
        expect(result.entriesRead).toBe(entries.length);
        // The inputs are read whole, and left as they are.
        const inputBytes = runs.flat().reduce((total, { fileBytes }) => total + fileBytes, 0);
        expect(result.bytesRead).toBe(inputBytes);
        const outputs = result.added.map(({ number }) => tableName(number));
        expect(await fs.list("/")).toEqual([...names, ...outputs].sort());
        expect(sortEntries(runs.flat().flatMap((meta) => entriesOf(fs, meta)))).toEqual(
          sortEntries(entries),
        );
      },
    ),
    { numRuns: 80 },
  );
});

test("a flush keeps what readers need, and every key's newest version, a tombstone too", async () => {
  await fc.assert(
    fc.asyncProperty(
      modelEntries,
      fc.integer({ min: 1, max: 3 }),
      fc.nat(),
      async (entries, count, seed) => {
        const random = new Random(seed);
        const fs = new MemoryFileSystem();
        // One after the other, newest first.
        const memtables = Array.from({ length: count }, (_, i) =>
          entries.filter(
            (_entry, at) => Math.floor((at * count) / entries.length) === count - 1 - i,
          ),
        );
        const snapshots = snapshotsOf(entries, random);
        const { result } = runWhole(flushTask(memtables, { snapshots }), fs.sync);
        expect(await expectWhole(fs, result)).toEqual(retained(entries, snapshots, () => true));
        // A table of level 0 is one, however large.
        expect(result.added.length).toBe(entries.length === 0 ? 0 : 1);
        expect(result.bytesRead).toBe(0);
      },
    ),
    { numRuns: 100 },
  );
});

const VALUE_BYTES = 50;

function sequential(count: number, versions = 1): ModelEntry[] {
  return Array.from({ length: count * versions }, (_, i) => ({
    key: Uint8Array.from(Buffer.from(`key:${String(i % count).padStart(5, "0")}`)),
    sequence: i + 1,
    kind: 1,
    timeMs: 0,
    value: new Uint8Array(VALUE_BYTES).fill(i),
  }));
}

test.each([1024, 4096, 16_384])("outputs are cut when they reach %i bytes", (tableBytes) => {
  const fs = new MemoryFileSystem();
  const runs = writeRuns(fs, sequential(2000), 3, new Random(1));
  const output = outputSettings({ tableBytes });
  const { added } = runWhole(compactTask(runs, { output }), fs.sync).result;
  const last = added.at(-1);
  for (const { fileBytes, number } of added) {
    // The tail is not known before: properties, some of the filter, and the footer come on top.
    expect(fileBytes).toBeLessThan(1.15 * tableBytes + 500);
    if (number !== last?.number) expect(fileBytes).toBeGreaterThan(0.9 * tableBytes);
  }
  expect(added.length).toBeGreaterThan(5);
});

test("one key's versions stay in one table, however large that becomes", () => {
  const fs = new MemoryFileSystem();
  const entries = sequential(4, 100);
  const runs = writeRuns(fs, entries, 2, new Random(1));
  // Every version is needed.
  const snapshots = entries.map(({ sequence }) => sequence);
  const { added } = runWhole(compactTask(runs, { snapshots }), fs.sync).result;
  expect(added.map(({ entries: count }) => count)).toEqual([100, 100, 100, 100]);
  for (const table of added) expect(table.smallest).toEqual(table.largest);
});

test("an output ends before it overlaps more than ten tables' worth of the next level", () => {
  const fs = new MemoryFileSystem();
  const entries = sequential(1000);
  const runs = writeRuns(fs, entries, 1, new Random(1));
  const tableBytes = 4096;
  // A table of the next level for every key, each as large as an output.
  const deeper = [entries.map(({ key }, i) => tableOf(i, key, key, { fileBytes: tableBytes }))];
  const output = outputSettings({ tableBytes });
  const { added } = runWhole(compactTask(runs, { deeper, output }), fs.sync).result;
  for (const table of added) expect(table.entries).toBeLessThanOrEqual(12);
  // And not much sooner.
  expect(added.length).toBeLessThanOrEqual(100);
});

test("deeper levels are not asked of by their gaps: a tombstone between their tables goes", () => {
  const fs = new MemoryFileSystem();
  const entries = sequential(6).map((entry) => ({
    ...entry,
    kind: 0,
    timeMs: 0,
    value: new Uint8Array(),
  }));
  const runs = writeRuns(fs, entries, 1, new Random(1));
  const deeper = [
    [tableOf(1, entries[1]!.key, entries[1]!.key)],
    [tableOf(2, entries[3]!.key, entries[4]!.key)],
  ];
  const { added } = runWhole(compactTask(runs, { deeper }), fs.sync).result;
  expect(added.flatMap((meta) => entriesOf(fs, meta))).toEqual([
    entries[1],
    entries[3],
    entries[4],
  ]);
});

test("a compaction that keeps nothing writes nothing", async () => {
  const fs = new MemoryFileSystem();
  const entries = sequential(10).map((entry) => ({
    ...entry,
    kind: 0,
    timeMs: 0,
    value: new Uint8Array(),
  }));
  const runs = writeRuns(fs, entries, 2, new Random(1));
  const names = await fs.list("/");
  const { result } = runWhole(compactTask(runs), fs.sync);
  expect(result).toMatchObject({ added: [], bytesWritten: 0, entriesRead: 10, entriesDropped: 10 });
  expect(await fs.list("/")).toEqual(names);
});
