/** A cursor over a table goes where one over a sorted array goes, whichever blocks are in memory. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { CURSOR } from "../../../src/entry-cursor.ts";
import { trailerHigh, trailerLow } from "../../../src/key.ts";
import { TableCursor } from "../../../src/table/table-cursor.ts";
import { unblock } from "../../support/blocking-cursor.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import {
  entryAt,
  ModelCursor,
  type ModelEntry,
  type ModelMove,
  modelEntries,
  modelMoves,
  sortEntries,
  startMove,
} from "../../support/model-entries.ts";
import { FitfulBlockSource, openTable, sourceOf, writeTable } from "../../support/table-fixture.ts";

/** From a block an entry to a block for all; from whole keys alone to one whole key a block. */
const shape = fc.record({
  blockBytes: fc.constantFrom(1, 64, 200, 100_000),
  codec: fc.constantFrom("none" as const, "lz4" as const, "zstd" as const),
});
const someEntries = modelEntries.filter((entries) => entries.length > 0).map(sortEntries);
const missPercent = fc.constantFrom(0, 20, 60, 100);

function cursorOver(
  sorted: readonly ModelEntry[],
  options: Parameters<typeof writeTable>[2],
  seed: number,
  miss: number,
): TableCursor {
  const fs = new MemoryFileSystem();
  const table = openTable(fs, writeTable(fs, sorted, options));
  const failPercent = miss === 0 ? 0 : 20;
  return new TableCursor(
    table,
    new FitfulBlockSource(sourceOf(fs, table), seed, miss, failPercent),
  );
}

/** The entry, and its trailer as unsigned halves, as those who compare it need them. */
function expectAt(cursor: TableCursor, entry: ModelEntry | undefined, what?: string): void {
  expect(entryAt(cursor), what).toEqual(entry);
  if (entry === undefined) return;
  expect(cursor.trailerLow).toBe(trailerLow(entry.sequence, entry.kind));
  expect(cursor.trailerHigh).toBe(trailerHigh(entry.sequence));
}

test("goes where a sorted array goes", async () => {
  await fc.assert(
    fc.asyncProperty(
      someEntries,
      modelMoves,
      shape,
      fc.nat(),
      missPercent,
      async (sorted, moves, options, seed, miss) => {
        const cursor = cursorOver(sorted, options, seed, miss);
        const model = new ModelCursor(sorted);
        for (const move of moves) {
          if (!startMove(cursor, move)) continue;
          if (miss === 0) expect(cursor.state).not.toBe(CURSOR.BLOCKED);
          await unblock(cursor);
          model.move(move);
          expectAt(cursor, model.entry);
        }
      },
    ),
    { numRuns: 150 },
  );
});

/** All entries from one end to the other. */
async function walk(cursor: TableCursor, start: "first" | "last"): Promise<ModelEntry[]> {
  const found: ModelEntry[] = [];
  cursor[start]();
  await unblock(cursor);
  for (let entry = entryAt(cursor); entry !== undefined; entry = entryAt(cursor)) {
    found.push(entry);
    if (start === "first") cursor.next();
    else cursor.prev();
    await unblock(cursor);
  }
  return found;
}

test("walks everything in both directions", async () => {
  await fc.assert(
    fc.asyncProperty(
      someEntries,
      shape,
      fc.nat(),
      missPercent,
      async (sorted, options, seed, miss) => {
        const cursor = cursorOver(sorted, options, seed, miss);
        expect(await walk(cursor, "first")).toEqual(sorted);
        expect(await walk(cursor, "last")).toEqual(sorted.toReversed());
      },
    ),
  );
});

test("seeks to and before every entry and every gap", async () => {
  await fc.assert(
    fc.asyncProperty(
      someEntries,
      shape,
      fc.nat(),
      missPercent,
      async (sorted, options, seed, miss) => {
        const cursor = cursorOver(sorted, options, seed, miss);
        const model = new ModelCursor(sorted);
        for (const { key, sequence, kind } of sorted) {
          for (const at of [sequence - 1, sequence, sequence + 1]) {
            for (const type of ["seek", "seekBefore"] as const) {
              const move: ModelMove = { type, target: { key, sequence: at, kind } };
              startMove(cursor, move);
              await unblock(cursor);
              model.move(move);
              expectAt(cursor, model.entry);
            }
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});

/** Versions of one key over many blocks, between two other keys. */
function manyVersions(versions: number): ModelEntry[] {
  const [before, key, after] = ["a", "b", "c"].map((text) => Uint8Array.from(Buffer.from(text)));
  const value = new Uint8Array(30).fill(7);
  return sortEntries([
    { key: before!, sequence: 5, kind: 1, timeMs: 0, value },
    ...Array.from({ length: versions }, (_, i) => ({
      key: key!,
      sequence: 10 + i,
      kind: 1,
      timeMs: 0,
      value,
    })),
    { key: after!, sequence: 6, kind: 1, timeMs: 0, value },
  ]);
}

test("one key's versions go on over any number of blocks", async () => {
  const sorted = manyVersions(40);
  const cursor = cursorOver(sorted, { blockBytes: 64 }, 1, 50);
  const model = new ModelCursor(sorted);
  for (let sequence = 8; sequence < 52; sequence++) {
    for (const type of ["seek", "seekBefore"] as const) {
      const move: ModelMove = { type, target: { key: Buffer.from("b"), sequence, kind: 255 } };
      startMove(cursor, move);
      await unblock(cursor);
      model.move(move);
      expectAt(cursor, model.entry, `${type} ${sequence}`);
    }
  }
});

test("keys and values of any size", async () => {
  const sizes = [1, 127, 128, 255, 256, 257, 1000, 16_384, 65_536];
  const sorted = sortEntries(
    sizes.flatMap((bytes, i) => [
      {
        key: new Uint8Array(bytes).fill(9),
        sequence: i + 1,
        kind: 1,
        timeMs: 0,
        value: new Uint8Array(bytes),
      },
      { key: Uint8Array.of(9, i), sequence: 100 + i, kind: 1, timeMs: 0, value: new Uint8Array(0) },
    ]),
  );
  for (const blockBytes of [64, 4096, 200_000]) {
    const cursor = cursorOver(sorted, { blockBytes }, 1, 30);
    expect(await walk(cursor, "first")).toEqual(sorted);
    expect(await walk(cursor, "last")).toEqual(sorted.toReversed());
  }
});

test("turns round at every entry", async () => {
  await fc.assert(
    fc.asyncProperty(someEntries, shape, async (sorted, options) => {
      const cursor = cursorOver(sorted, options, 1, 0);
      cursor.first();
      for (let i = 1; i < sorted.length; i++) {
        cursor.next();
        cursor.prev();
        expectAt(cursor, sorted[i - 1]);
        cursor.next();
        expectAt(cursor, sorted[i]);
      }
    }),
    { numRuns: 50 },
  );
});
