import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import { RunCursor, type TableRun } from "../../../src/cursor/run-cursor.ts";
import { CURSOR, type EntryCursor } from "../../../src/entry-cursor.ts";
import { BlockingCursor, type Obstacles, unblock } from "../../support/blocking-cursor.ts";
import {
  entryAt,
  ModelCursor,
  type ModelEntry,
  modelEntries,
  modelMoves,
  sortEntries,
  startMove,
} from "../../support/model-entries.ts";
import { Random } from "../../support/random.ts";

/** A level whose tables are open or not by seed. */
class FakeRun implements TableRun {
  readonly #tables: readonly (readonly ModelEntry[])[];
  readonly #random: Random;
  readonly #obstacles: Obstacles;
  opened = 0;

  constructor(tables: readonly (readonly ModelEntry[])[], seed: number, obstacles: Obstacles) {
    this.#tables = tables;
    this.#random = new Random(seed);
    this.#obstacles = obstacles;
  }

  get length(): number {
    return this.#tables.length;
  }

  smallest(index: number): Uint8Array {
    return this.#tables[index]![0]!.key;
  }

  find(key: Uint8Array): number {
    const index = this.#tables.findIndex((table) => compareBytes(table.at(-1)!.key, key) >= 0);
    return index === -1 ? this.#tables.length : index;
  }

  open(index: number): EntryCursor | undefined {
    if (this.#random.chance(this.#obstacles.blockPercent)) return undefined;
    return this.#cursor(index);
  }

  async load(index: number): Promise<EntryCursor> {
    await null;
    return this.loadSync(index);
  }

  loadSync(index: number): EntryCursor {
    if (this.#random.chance(this.#obstacles.failPercent)) throw new Error("the disk said no");
    return this.#cursor(index);
  }

  #cursor(index: number): EntryCursor {
    this.opened++;
    return new BlockingCursor(this.#tables[index]!, this.#random.next(), this.#obstacles);
  }
}

/** Cuts sorted entries into tables, never between versions of one key. */
function cut(sorted: readonly ModelEntry[], seed: number): ModelEntry[][] {
  const random = new Random(seed);
  const tables: ModelEntry[][] = [];
  let last: ModelEntry | undefined;
  for (const entry of sorted) {
    const isNewKey = last === undefined || compareBytes(last.key, entry.key) !== 0;
    if (last === undefined || (isNewKey && random.chance(50))) tables.push([]);
    tables.at(-1)!.push(entry);
    last = entry;
  }
  return tables;
}

test("moves as one sorted array, whether tables are open, blocked or failing", async () => {
  await fc.assert(
    fc.asyncProperty(
      modelEntries,
      modelMoves,
      fc.nat(),
      fc.constantFrom(0, 20, 60),
      async (entries, moves, seed, blockPercent) => {
        const sorted = sortEntries(entries);
        const obstacles = { blockPercent, failPercent: 10 };
        const cursor = new RunCursor(new FakeRun(cut(sorted, seed), seed, obstacles));
        const model = new ModelCursor(sorted);
        for (const move of moves) {
          if (!startMove(cursor, move)) continue;
          if (blockPercent === 0) expect(cursor.state).not.toBe(CURSOR.BLOCKED);
          await unblock(cursor);
          model.move(move);
          expect(entryAt(cursor)).toEqual(model.entry);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("opens no table before it comes to it, and none twice in a walk", () => {
  const entries = [1, 2, 3, 4].map((byte) => {
    return { key: Uint8Array.of(byte), sequence: byte, kind: 1, timeMs: 0, value: Uint8Array.of() };
  });
  const tables = entries.map((entry) => [entry]);
  const run = new FakeRun(tables, 1, { blockPercent: 0, failPercent: 0 });
  const cursor = new RunCursor(run);
  expect(run.opened).toBe(0);
  cursor.seek(Uint8Array.of(2), 0xffffffff, 0x1fffffff);
  expect(run.opened).toBe(1);
  cursor.seek(Uint8Array.of(2), 0xffffffff, 0x1fffffff);
  expect(run.opened).toBe(1);
  // Nothing in table 2 is before its smallest key, so it is not asked.
  cursor.seekBefore(Uint8Array.of(2, 1), 0, 0);
  expect(run.opened).toBe(1);
  while (cursor.state === CURSOR.VALID) cursor.next();
  expect(run.opened).toBe(3);
});
