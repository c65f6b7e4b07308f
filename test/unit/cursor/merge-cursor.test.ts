import fc from "fast-check";
import { expect, test } from "vitest";
import { MergeCursor, mergeCursors } from "../../../src/cursor/merge-cursor.ts";
import { CURSOR, type EntryCursor } from "../../../src/entry-cursor.ts";
import { BlockingCursor, unblock } from "../../support/blocking-cursor.ts";
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

/** Deals sorted entries out to children, in runs, as the levels of a database hold them. */
function deal(sorted: readonly ModelEntry[], count: number, seed: number): ModelEntry[][] {
  const random = new Random(seed);
  const children: ModelEntry[][] = Array.from({ length: count }, () => []);
  let child = random.pick(children);
  for (const entry of sorted) {
    if (random.chance(60)) child = random.pick(children);
    child.push(entry);
  }
  return children;
}

async function walk(cursor: EntryCursor, reverse: boolean): Promise<(ModelEntry | undefined)[]> {
  const walked: (ModelEntry | undefined)[] = [];
  if (reverse) cursor.last();
  else cursor.first();
  for (await unblock(cursor); cursor.state === CURSOR.VALID; await unblock(cursor)) {
    walked.push(entryAt(cursor));
    if (reverse) cursor.prev();
    else cursor.next();
  }
  return walked;
}

const children = fc.integer({ min: 1, max: 7 });

test("moves as one sorted array, whatever its children do and however they block", async () => {
  await fc.assert(
    fc.asyncProperty(
      modelEntries,
      modelMoves,
      children,
      fc.nat(),
      fc.constantFrom(0, 0, 20, 60),
      async (entries, moves, count, seed, blockPercent) => {
        const sorted = sortEntries(entries);
        const cursors = deal(sorted, count, seed).map(
          (part, i) => new BlockingCursor(part, seed + i, { blockPercent, failPercent: 10 }),
        );
        const merge = new MergeCursor(cursors);
        const model = new ModelCursor(sorted);
        for (const move of moves) {
          if (!startMove(merge, move)) continue;
          if (blockPercent === 0) expect(merge.state).not.toBe(CURSOR.BLOCKED);
          await unblock(merge);
          model.move(move);
          expect(entryAt(merge)).toEqual(model.entry);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("walks everything in both directions", async () => {
  await fc.assert(
    fc.asyncProperty(modelEntries, children, fc.nat(), async (entries, count, seed) => {
      const sorted = sortEntries(entries);
      const obstacles = { blockPercent: 10, failPercent: 0 };
      const merge = mergeCursors(
        deal(sorted, count, seed).map((part, i) => new BlockingCursor(part, seed + i, obstacles)),
      );
      expect(await walk(merge, false)).toEqual(sorted);
      expect((await walk(merge, true)).reverse()).toEqual(sorted);
    }),
  );
});

test("blocked children are loaded together", async () => {
  const obstacles = { blockPercent: 100, failPercent: 0 };
  const cursors = [1, 2, 3].map((seed) => new BlockingCursor([], seed, obstacles));
  let loading = 0;
  let loadingMax = 0;
  for (const cursor of cursors) {
    cursor.load = async () => {
      loadingMax = Math.max(loadingMax, ++loading);
      await null;
      loading--;
    };
  }
  const merge = new MergeCursor(cursors);
  merge.first();
  await merge.load();
  expect(loadingMax).toBe(3);
});

test("a failed load is told once no child is loading, and the move can be finished later", async () => {
  const entry = { key: Uint8Array.of(1), sequence: 1, kind: 1, timeMs: 0, value: Uint8Array.of() };
  const [failing, slow] = [1, 2].map((seed) => {
    return new BlockingCursor(seed === 1 ? [entry] : [], seed, { blockPercent: 0, failPercent: 0 });
  }) as [BlockingCursor, BlockingCursor];
  const merge = new MergeCursor([failing, slow]);
  failing.first = slow.first = function (this: BlockingCursor) {
    this.state = CURSOR.BLOCKED;
  };
  let isSlowDone = false;
  slow.load = async () => {
    for (let turn = 0; turn < 10; turn++) await null;
    slow.state = CURSOR.END;
    isSlowDone = true;
  };
  failing.load = () => Promise.reject(new Error("the disk said no"));
  merge.first();
  await expect(merge.load()).rejects.toThrow("the disk said no");
  expect(isSlowDone).toBe(true);
  expect(merge.state).toBe(CURSOR.BLOCKED);
  failing.load = async () => {
    failing.state = CURSOR.END;
    failing.seek(entry.key, 0xffffffff, 0x1fffffff);
  };
  await merge.load();
  expect(entryAt(merge)).toEqual(entry);
});

test("one child is its own merge, and none is an empty one", () => {
  const only = new BlockingCursor([], 1, { blockPercent: 0, failPercent: 0 });
  expect(mergeCursors([only])).toBe(only);
  const none = mergeCursors([]);
  none.first();
  expect(none.state).toBe(CURSOR.END);
  none.seekBefore(Uint8Array.of(1), 0, 0);
  expect(none.state).toBe(CURSOR.END);
});
