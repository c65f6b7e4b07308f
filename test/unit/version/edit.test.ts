/** Version edits: read back as they were written, and never made of bytes that are not one. */
import fc from "fast-check";
import { pack, unpack } from "msgpackr";
import { expect, test } from "vitest";
import { LEVELS } from "../../../src/options.ts";
import type { TableMeta } from "../../../src/table/table-meta.ts";
import { decodeEdit, encodeEdit, type VersionEdit } from "../../../src/version/edit.ts";
import { tableOf } from "../../support/table-metas.ts";

const WHERE = "/db/000000001.manifest at 15";
const REFUSED = expect.objectContaining({
  code: "CORRUPTION",
  message: expect.stringContaining(`${WHERE}: not a version edit: `),
});

const count = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.constantFrom(0, 127, 128, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
);
const key = fc.uint8Array({ minLength: 1, maxLength: 40 });
const level = fc.nat(LEVELS - 1);

const hiddenPart = fc.tuple(count, count, fc.array(count, { maxLength: 4 }));

const table: fc.Arbitrary<TableMeta> = fc
  .record({
    number: count,
    fileBytes: count,
    tailBytes: count,
    entries: count,
    tombstones: count,
    smallest: key,
    largest: key,
    smallestSequence: count,
    largestSequence: count,
    rawBytes: count,
    createdAtMs: count,
    oldestMs: count,
    expiring: count,
    halfExpiredMs: count,
    rangeDeletes: count,
    hidden: fc.oneof(fc.constant(0), count),
    quarterHiddenAt: count,
  })
  .chain((any) =>
    any.hidden === 0
      ? fc.constant({ ...any, quarterHiddenAt: 0 })
      : fc.oneof(
          fc.constant(any),
          fc.array(hiddenPart, { maxLength: 4 }).map((hiddenParts) => ({ ...any, hiddenParts })),
        ),
  );

const anyEdit: fc.Arbitrary<VersionEdit> = fc.record(
  {
    added: fc.array(fc.record({ level, table }), { maxLength: 5 }),
    removed: fc.array(fc.record({ level, number: count }), { maxLength: 5 }),
    logFloor: count,
    nextNumber: count,
    lastSequence: count,
    prunedTo: count,
    prunedKeyspaces: fc.array(fc.tuple(count, count), { minLength: 1, maxLength: 4 }),
  },
  { requiredKeys: ["added", "removed"] },
);

test("an edit is read back as it was", () => {
  fc.assert(
    fc.property(anyEdit, (edit) => {
      expect(decodeEdit(encodeEdit(edit), WHERE)).toEqual(edit);
    }),
    { numRuns: 300 },
  );
});

test("a table of which nothing is hidden has the record that it always had", () => {
  const plain = record();
  expect(plain.a[0]![1]).toHaveLength(15);
  const bytes = pack({ ...plain, a: [[1, [...plain.a[0]![1], 7, 900]]] });
  const [added] = decodeEdit(bytes, WHERE).added;
  expect(added?.table).toEqual({ ...tableOf(1, "a", "b"), hidden: 7, quarterHiddenAt: 900 });
});

test("an edit of an earlier version says nothing of keyspaces, and neither does one that has nothing to say", () => {
  const plain = encodeEdit({ added: [], removed: [], prunedTo: 5, prunedKeyspaces: [] });
  expect(unpack(plain)).toEqual({ a: [], r: [], p: 5 });
  expect(decodeEdit(plain, WHERE)).toEqual({ added: [], removed: [], prunedTo: 5 });
});

test.each([
  ["pasts that are no list", { k: 5 }],
  ["a past that is no pair", { k: [[1, 2, 3]] }],
  ["a past below 0", { k: [[1, -2]] }],
])("%s are refused", (_, wrong) => {
  expect(() => decodeEdit(pack({ a: [], r: [], ...wrong }), WHERE)).toThrow(REFUSED);
});

test("a key of the largest size is read back", () => {
  const long = tableOf(1, new Uint8Array(65_536).fill(1), new Uint8Array(65_536).fill(0xff));
  const bytes = encodeEdit({ added: [{ level: 3, table: long }], removed: [] });
  const got = decodeEdit(bytes, WHERE).added[0]!.table;
  expect(Buffer.compare(got.smallest, long.smallest)).toBe(0);
  expect(Buffer.compare(got.largest, long.largest)).toBe(0);
});

test("what was decoded does not hold the record in memory", () => {
  const bytes = encodeEdit({ added: [{ level: 1, table: tableOf(1, "a", "b") }], removed: [] });
  const { added } = decodeEdit(bytes, WHERE);
  bytes.fill(0);
  expect(added[0]?.table).toEqual(tableOf(1, "a", "b"));
  expect(added[0]?.table.smallest.buffer.byteLength).toBe(1);
});

test("bytes that are no edit are CORRUPTION, and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(() => decodeEdit(bytes, WHERE)).toThrow(REFUSED);
    }),
    { numRuns: 1000 },
  );
});

test("an edit with any bit flipped, or cut short, is an edit still or CORRUPTION", () => {
  const bytes = encodeEdit({
    added: [{ level: 1, table: tableOf(1, "a", "b") }],
    removed: [{ level: 0, number: 3 }],
    logFloor: 4,
    nextNumber: 5,
    lastSequence: 6,
  });
  const decodeOrRefuse = (damaged: Uint8Array) => {
    try {
      const { added, removed } = decodeEdit(damaged, WHERE);
      for (const one of [...added, ...removed]) expect(one.level).toBeLessThan(LEVELS);
      for (const one of added) expect(one.table.smallest.length).toBeGreaterThan(0);
    } catch (error) {
      expect(error).toEqual(REFUSED);
    }
  };
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Uint8Array.from(bytes);
    damaged[bit >>> 3]! ^= 1 << (bit & 7);
    decodeOrRefuse(damaged);
  }
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeEdit(bytes.subarray(0, length), WHERE), `${length} bytes`).toThrow(REFUSED);
  }
});

/** The record of an edit with one table, to be spoiled. */
function record(): { a: [number, unknown[]][]; r: unknown[][]; [name: string]: unknown } {
  const edit = { added: [{ level: 1, table: tableOf(1, "a", "b") }], removed: [] };
  return unpack(encodeEdit(edit));
}

test.each([-1, 1.5, Number.NaN, 2 ** 53, "1", null, [], new Uint8Array(2)])(
  "a count that is %s is CORRUPTION, in every field",
  (value) => {
    for (let field = 0; field < 11; field++) {
      // Fields 5 and 6 are the keys.
      if (value instanceof Uint8Array && (field === 5 || field === 6)) continue;
      const spoiled = record();
      spoiled.a[0]![1][field] = value;
      expect(() => decodeEdit(pack(spoiled), WHERE), `field ${field}`).toThrow(REFUSED);
    }
    for (const name of ["l", "n", "s"]) {
      const spoiled = pack({ ...record(), [name]: value });
      expect(() => decodeEdit(spoiled, WHERE), name).toThrow(REFUSED);
    }
    const removed = pack({ ...record(), r: [[0, value]] });
    expect(() => decodeEdit(removed, WHERE)).toThrow(REFUSED);
  },
);

test("a level that there is not, an empty key or a field too many or too few is CORRUPTION", () => {
  const spoil = (change: (edit: ReturnType<typeof record>) => void) => {
    const spoiled = record();
    change(spoiled);
    return pack(spoiled);
  };
  for (const spoiled of [
    spoil((edit) => (edit.a[0]![0] = LEVELS)),
    spoil((edit) => (edit.a[0]![0] = -1)),
    spoil((edit) => (edit.r = [[LEVELS, 1]])),
    spoil((edit) => (edit.a[0]![1][5] = new Uint8Array())),
    spoil((edit) => (edit.a[0]![1][6] = new Uint8Array())),
    spoil((edit) => edit.a[0]![1].push(1)),
    spoil((edit) => edit.a[0]![1].pop()),
    spoil((edit) => (edit.a = undefined as never)),
    spoil((edit) => (edit.r = {} as never)),
    pack([]),
    pack(null),
  ]) {
    expect(() => decodeEdit(spoiled, WHERE)).toThrow(REFUSED);
  }
});
