import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import type { KeyBounds } from "../../../src/cursor/bounds.ts";
import { mergeCursors } from "../../../src/cursor/merge-cursor.ts";
import { VisibleCursor } from "../../../src/cursor/visible-cursor.ts";
import { CURSOR } from "../../../src/entry-cursor.ts";
import { VarveError } from "../../../src/errors.ts";
import { KIND } from "../../../src/key.ts";
import { BlockingCursor, unblock } from "../../support/blocking-cursor.ts";
import {
  type ModelEntry,
  modelEntries,
  modelKey,
  sortEntries,
} from "../../support/model-entries.ts";
import { Random } from "../../support/random.ts";

type Shown = [key: Uint8Array, value: Uint8Array];

/** What a reader sees, worked out the plain way. */
function visible(sorted: readonly ModelEntry[], snapshot: number, bounds: KeyBounds): Shown[] {
  const newest = new Map<string, ModelEntry>();
  for (const entry of sorted) {
    const name = Buffer.from(entry.key).toString("hex");
    if (entry.sequence <= snapshot && !newest.has(name)) newest.set(name, entry);
  }
  return [...newest.values()]
    .filter(({ key }) => bounds.lower === undefined || compareBytes(key, bounds.lower) >= 0)
    .filter(({ key }) => bounds.upper === undefined || compareBytes(key, bounds.upper) < 0)
    .filter(({ kind }) => kind === KIND.PUT)
    .map(({ key, value }) => [key, value]);
}

async function scan(cursor: VisibleCursor): Promise<Shown[]> {
  const shown: Shown[] = [];
  cursor.start();
  for (await unblock(cursor); cursor.state === CURSOR.VALID; await unblock(cursor)) {
    shown.push([
      Uint8Array.from(cursor.key.subarray(cursor.keyStart, cursor.keyEnd)),
      Uint8Array.from(cursor.value.subarray(cursor.valueStart, cursor.valueEnd)),
    ]);
    cursor.next();
  }
  return shown;
}

/** Some keys get dozens of versions, so that the cursor seeks past them. */
const hotEntries: fc.Arbitrary<ModelEntry[]> = fc
  .array(fc.record({ key: fc.integer({ min: 1, max: 4 }), isDelete: fc.boolean() }), {
    minLength: 60,
    maxLength: 200,
    size: "max",
  })
  .map((writes) =>
    writes.map(({ key, isDelete }, i) => ({
      key: Uint8Array.of(key),
      sequence: i + 1,
      kind: isDelete ? KIND.DELETE : KIND.PUT,
      timeMs: 0,
      value: Uint8Array.of(i),
    })),
  );

const bound = fc.option(modelKey, { nil: undefined });

test("shows each key's newest visible version within bounds, in both directions", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(modelEntries, hotEntries),
      fc.oneof(fc.nat(200), fc.constant(Number.MAX_SAFE_INTEGER)),
      fc.record({ lower: bound, upper: bound }),
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(),
      fc.constantFrom(0, 0, 30),
      async (entries, snapshot, bounds, reverse, count, seed, blockPercent) => {
        const sorted = sortEntries(entries);
        const random = new Random(seed);
        const parts: ModelEntry[][] = Array.from({ length: count }, () => []);
        for (const entry of sorted) random.pick(parts).push(entry);
        const merged = mergeCursors(
          parts.map((part, i) => {
            return new BlockingCursor(part, seed + i, { blockPercent, failPercent: 5 });
          }),
        );
        const want = visible(sorted, snapshot, bounds);
        const cursor = new VisibleCursor(merged, snapshot, bounds, reverse, () => 0);
        expect(await scan(cursor)).toEqual(reverse ? want.reverse() : want);
      },
    ),
    { numRuns: 1000 },
  );
});

const at = (key: number, sequence: number, kind: number): ModelEntry => ({
  key: Uint8Array.of(key),
  sequence,
  kind,
  timeMs: 0,
  value: Uint8Array.of(sequence),
});
const unbounded = { lower: undefined, upper: undefined };
const open = (entries: ModelEntry[], snapshot: number, reverse: boolean) =>
  new VisibleCursor(
    new BlockingCursor(sortEntries(entries), 1, { blockPercent: 0, failPercent: 0 }),
    snapshot,
    unbounded,
    reverse,
    () => 0,
  );

test.each([false, true])("counts what it does not show (reverse: %s)", async (reverse) => {
  const entries = [
    at(1, 1, KIND.PUT),
    at(1, 2, KIND.PUT),
    at(2, 3, KIND.DELETE),
    at(3, 4, KIND.PUT),
    at(3, 9, KIND.PUT),
  ];
  const cursor = open(entries, 5, reverse);
  expect(await scan(cursor)).toHaveLength(2);
  expect(cursor.skipped).toBe(3);
});

test.each([false, true])(
  "does not walk through a key's many versions (reverse: %s)",
  async (reverse) => {
    const entries = Array.from({ length: 5000 }, (_, i) => at(1, i + 1, KIND.PUT));
    for (const snapshot of [1, 2500, 5000]) {
      const cursor = open([...entries, at(2, 6000, KIND.PUT)], snapshot, reverse);
      expect(await scan(cursor)).toHaveLength(1);
      expect(cursor.skipped).toBeLessThan(60);
    }
  },
);

test.each([false, true])("an unknown kind is corruption (reverse: %s)", (reverse) => {
  const cursor = open([at(1, 1, 77)], 5, reverse);
  expect(() => cursor.start()).toThrow(VarveError);
  expect(() => open([at(1, 1, 77)], 5, reverse).start()).toThrow(
    "key 01 (hex) has unknown kind 77",
  );
});

test("keys longer than the first buffer are shown whole", async () => {
  const long = new Random(3).bytes(50);
  const key = Uint8Array.from(Array.from({ length: 40 }, () => [...long]).flat());
  const entry = { key, sequence: 1, kind: KIND.PUT, timeMs: 0, value: long };
  for (const reverse of [false, true]) {
    const child = new BlockingCursor([entry], 1, { blockPercent: 0, failPercent: 0 });
    child.key = new Uint8Array(4096);
    expect(await scan(new VisibleCursor(child, 1, unbounded, reverse, () => 0))).toEqual([
      [key, long],
    ]);
  }
});
