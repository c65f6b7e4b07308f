import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import { Horizons } from "../../../src/compaction/horizons.ts";
import { Stripes } from "../../../src/compaction/stripes.ts";
import {
  KEYSPACE_ID_MAX,
  KeyMapping,
  keyspaceEnd,
  keyspaceOf,
  keyspaceStart,
  NO_KEYSPACE,
} from "../../../src/store.ts";

const keyIn = (id: number, key: string) =>
  (id === NO_KEYSPACE ? KeyMapping.DEFAULT : KeyMapping.of(id)).toStored(
    Buffer.from(key),
  ) as Uint8Array;

const horizons = new Horizons(100, [
  [2, 10],
  [3, 200],
  [256, 50],
  [KEYSPACE_ID_MAX, 5],
]);

test("each keyspace has its own horizon, or that of the rest", () => {
  const ids = [NO_KEYSPACE, 0, 1, 2, 3, 4, 256, KEYSPACE_ID_MAX];
  expect(ids.map((id) => horizons.of(id))).toEqual([100, 100, 100, 10, 200, 100, 50, 5]);
  expect(horizons.most).toBe(200);
});

test("a range within one keyspace has that one's, up to the keyspace's very end", () => {
  for (const id of [2, 3, 256, KEYSPACE_ID_MAX]) {
    const bounds = [keyspaceStart(id), keyspaceEnd(id) as Uint8Array] as const;
    expect(horizons.leastIn(...bounds), String(id)).toBe(horizons.of(id));
    expect(horizons.mostIn(keyIn(id, "a"), keyIn(id, "z"))).toBe(horizons.of(id));
    expect(horizons.isWithinOwn(...bounds)).toBe(true);
  }
  // The last key before keyspace 256, as tables have it for a range that ends there.
  const cut = Uint8Array.of(0, 0, 0, 1);
  expect(compareBytes(cut, keyspaceStart(256))).toBeLessThan(0);
  expect(horizons.ownIn(keyIn(4, "a"), cut)).toEqual([]);
});

test("a range over several has the one that keeps the most, and the one that keeps the least", () => {
  expect(horizons.leastIn(keyIn(2, "a"), keyIn(3, "a"))).toBe(10);
  expect(horizons.mostIn(keyIn(2, "a"), keyIn(3, "a"))).toBe(200);
  expect(horizons.leastIn(keyIn(3, "a"), keyIn(NO_KEYSPACE, "\0"))).toBe(5);
  expect(horizons.leastIn(keyIn(NO_KEYSPACE, "\0"), undefined)).toBe(100);
  // As old stores have them: all keys.
  expect(horizons.leastIn(new Uint8Array(), undefined)).toBe(5);
  expect(horizons.leastIn(new Uint8Array(), keyIn(1, "a"))).toBe(100);
});

const id = fc.constantFrom(NO_KEYSPACE, 1, 2, 3, 4, 255, 256, 257, KEYSPACE_ID_MAX);
const stored = fc.tuple(id, fc.string({ minLength: 1, maxLength: 2 })).map(([one, key]) => ({
  id: one,
  key: keyIn(one, key),
}));

test("no key of a range is kept less by its own keyspace than the range's horizons tell", () => {
  fc.assert(
    fc.property(fc.tuple(stored, stored, stored), (three) => {
      const [low, middle, high] = three.toSorted((a, b) => compareBytes(a.key, b.key));
      const own = horizons.of(middle!.id);
      expect(horizons.leastIn(low!.key, high!.key)).toBeLessThanOrEqual(own);
      expect(horizons.mostIn(low!.key, high!.key)).toBeGreaterThanOrEqual(own);
    }),
  );
});

test("stripes are those of the key's keyspace", () => {
  const stripes = new Stripes([5], 100, horizons.own);
  const at = (key: Uint8Array, sequence: number) => {
    stripes.enterKey(key);
    return stripes.of(sequence);
  };
  expect(stripes.hasKeyspaces).toBe(true);
  expect(at(keyIn(NO_KEYSPACE, "k"), 50)).toBe(1);
  expect(at(keyIn(2, "k"), 10)).toBe(1);
  expect(at(keyIn(2, "k"), 11)).toBe(2);
  expect(at(keyIn(2, "l"), 13)).toBe(4);
  expect(at(keyIn(1, "l"), 13)).toBe(1);
  expect(at(keyIn(3, "l"), 150)).toBe(1);
  expect(at(keyIn(3, "l"), 4)).toBe(0);
  expect(keyspaceOf(keyIn(3, "l"))).toBe(stripes.keyspace);
  stripes.enterRange(keyspaceStart(2), keyIn(3, "x"));
  expect([stripes.of(10), stripes.of(11)]).toEqual([1, 2]);
  // After a range each key is entered anew.
  expect(at(keyIn(3, "l"), 150)).toBe(1);
});
