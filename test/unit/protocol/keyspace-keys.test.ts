/** Keys of callers and stored keys: back and forth, in order, and each in its keyspace alone. */
import fc from "fast-check";
import {
  KEYSPACE_ID_MAX,
  KeyMapping,
  keyspaceEnd,
  keyspaceOf,
  keyspaceStart,
  NO_KEYSPACE,
  SYSTEM_KEYSPACE,
} from "varve-protocol";
import { describe, expect, test } from "vitest";
import { isInRange } from "../../../protocol/keys.ts";

const IDS = [1, 2, 255, 256, 0xffff, 0x10000, 0xfefffffe, KEYSPACE_ID_MAX];
const byte = fc.constantFrom(0, 1, 0x61, 0xfe, 0xff);
const bytes = (minLength: number) =>
  fc.array(byte, { minLength, maxLength: 6 }).map((list) => new Uint8Array(list));
const key = bytes(1);
const mapping = fc
  .constantFrom(NO_KEYSPACE, ...IDS)
  .map((id) => ({ id, keys: id === NO_KEYSPACE ? KeyMapping.DEFAULT : KeyMapping.of(id) }));
const range = fc.record(
  {
    gte: bytes(0),
    gt: bytes(0),
    lt: bytes(0),
    lte: bytes(0),
    prefix: bytes(0),
  },
  { requiredKeys: [] },
);
const stored = (keys: KeyMapping, one: Uint8Array) => keys.toStored(one) as Uint8Array;

describe("a stored key", () => {
  test("leads back to its caller's, and lies in its keyspace", () => {
    fc.assert(
      fc.property(mapping, key, ({ id, keys }, one) => {
        const there = stored(keys, one);
        expect(keys.fromStored(there)).toEqual(one);
        expect(keyspaceOf(there)).toBe(id);
        expect(Buffer.compare(there, keyspaceStart(id))).toBeGreaterThan(0);
        const end = keyspaceEnd(id);
        if (end !== undefined) expect(Buffer.compare(there, end)).toBeLessThan(0);
      }),
    );
  });

  test("stands for one key of one keyspace, in the order of that keyspace's keys", () => {
    fc.assert(
      fc.property(mapping, mapping, key, key, (a, b, one, other) => {
        const order = Buffer.compare(stored(a.keys, one), stored(b.keys, other));
        if (a.id === b.id) expect(Math.sign(order)).toBe(Math.sign(Buffer.compare(one, other)));
        else expect(order).not.toBe(0);
      }),
    );
  });

  test("of a string is that of its UTF-8", () => {
    for (const text of ["a", "\0", "\0a", "größe"]) {
      for (const keys of [KeyMapping.DEFAULT, KeyMapping.of(7)]) {
        expect(Buffer.from(keys.toStored(text))).toEqual(
          Buffer.from(keys.toStored(Buffer.from(text))),
        );
      }
    }
  });

  test("is the caller's own, as it is, in the default keyspace, unless it begins with a zero byte", () => {
    const own = Uint8Array.of(1, 0);
    expect(KeyMapping.DEFAULT.toStored(own)).toBe(own);
    expect(KeyMapping.DEFAULT.toStored("text")).toBe("text");
    expect(KeyMapping.DEFAULT.toStored(Uint8Array.of(0, 1))).toEqual(Uint8Array.of(0, 0xff, 0, 1));
  });
});

test("keyspaces follow one another without overlap: the store's own, those with ids, the default one", () => {
  const ids = [SYSTEM_KEYSPACE, ...IDS, NO_KEYSPACE];
  for (const [i, id] of ids.slice(1).entries()) {
    const end = keyspaceEnd(ids[i] as number) as Uint8Array;
    expect(Buffer.compare(end, keyspaceStart(id))).toBeLessThanOrEqual(0);
  }
  expect(keyspaceEnd(NO_KEYSPACE)).toBeUndefined();
});

test("a stored range has the keys of its keyspace that are in the caller's range, and no other", () => {
  fc.assert(
    fc.property(mapping, mapping, range, key, (a, b, given, one) => {
      const isIn = isInRange(stored(b.keys, one), a.keys.toStoredRange(given));
      expect(isIn).toBe(a.id === b.id && isInRange(one, given));
    }),
    { numRuns: 2000 },
  );
});

test("what is beside the bounds of a range stays", () => {
  const given = { gte: "a", limit: 5, reverse: true };
  expect(KeyMapping.DEFAULT.toStoredRange(given)).toEqual(given);
  expect(KeyMapping.STORED.toStoredRange(given)).toBe(given);
});

test("what is deleted up to the end of a keyspace has no end for its caller", () => {
  const keys = KeyMapping.of(5);
  const event = {
    type: "commit",
    sequence: 2,
    firstSequence: 1,
    time: 0,
    operations: [
      { type: "deleteRange", gte: keyspaceStart(5), lt: keyspaceEnd(5) as Uint8Array },
      {
        type: "deleteRange",
        gte: stored(keys, Buffer.from("a")),
        lt: stored(keys, Buffer.from("b")),
      },
    ],
  } as const;
  const told = keys.fromStoredEvent(event);
  expect(told).toMatchObject({
    operations: [
      { type: "deleteRange", gte: new Uint8Array() },
      { type: "deleteRange", gte: Uint8Array.of(0x61), lt: Uint8Array.of(0x62) },
    ],
  });
  expect(told.type === "commit" && told.operations[0]).not.toHaveProperty("lt");
});
