/** The sparse index: separators are short and in order, and a key is found in the block that may hold it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import { BlockIndex, BlockIndexWriter, separatorBetween } from "../../../src/table/block-index.ts";

/** Keys that often differ late, by one, or in length alone. */
const indexKey: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom("", "key:0000:", "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff"),
    fc.array(fc.constantFrom(0, 1, 2, 127, 128, 254, 255), { maxLength: 4 }),
  )
  .map(([prefix, rest]) => Uint8Array.from([...Buffer.from(prefix, "latin1"), ...rest]))
  .filter((key) => key.length > 0);

const sortedKeys = fc
  .uniqueArray(indexKey, { minLength: 1, maxLength: 30, selector: (key) => key.join() })
  .map((keys) => keys.sort(compareBytes));

/** The index of blocks with these separators, whose stored lengths are 10, 11, 12 … */
function encode(separators: readonly Uint8Array[]): { bytes: Uint8Array; dataEnd: number } {
  const writer = new BlockIndexWriter();
  let offset = 0;
  separators.forEach((separator, i) => {
    writer.add(separator, offset, 10 + i);
    offset += 10 + i;
  });
  const { bytes: length } = writer;
  const bytes = Uint8Array.from(writer.finish());
  expect(bytes.length).toBe(length);
  return { bytes, dataEnd: offset };
}

function indexOf(separators: readonly Uint8Array[]): BlockIndex {
  const { bytes, dataEnd } = encode(separators);
  const index = BlockIndex.decode(bytes, dataEnd);
  if (index === undefined) throw new Error("the index is not one");
  return index;
}

test("a separator is at or after the key before it, before the next, and no longer than the first", () => {
  fc.assert(
    fc.property(indexKey, indexKey, (a, b) => {
      fc.pre(compareBytes(a, b) !== 0);
      const [last, next] = compareBytes(a, b) < 0 ? [a, b] : [b, a];
      const before = [Uint8Array.from(last), Uint8Array.from(next)];
      const separator = separatorBetween(last, next);
      expect(compareBytes(last, separator)).toBeLessThanOrEqual(0);
      expect(compareBytes(separator, next)).toBeLessThan(0);
      expect(separator.length).toBeLessThanOrEqual(Math.max(last.length, next.length - 1));
      // It is kept: it must not change with what it was made from.
      expect([last, next]).toEqual(before);
      separator.fill(0);
      expect([last, next]).toEqual(before);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["apple", "banana", "b"],
  ["apple", "b", "apple"],
  ["apple", "cherry", "b"],
  ["user:0001:long", "user:0009", "user:0002"],
  ["user:1", "user:1:name", "user:1"],
  ["user:1:aaaa", "user:2:bbbb", "user:2"],
  ["ab", "abc", "ab"],
  ["abc", "abd", "abc"],
])("the separator of %s and %s is %s", (last, next, separator) => {
  expect(Buffer.from(separatorBetween(Buffer.from(last), Buffer.from(next))).toString()).toBe(
    separator,
  );
});

test("separators of equal keys are that key: its versions go on in the next block", () => {
  const key = Uint8Array.of(1, 2, 3);
  expect(separatorBetween(key, Uint8Array.from(key))).toEqual(key);
});

test("what was indexed is read back", () => {
  fc.assert(
    fc.property(sortedKeys, (separators) => {
      const index = indexOf(separators);
      expect(index.length).toBe(separators.length);
      let offset = 0;
      separators.forEach((_, i) => {
        expect([index.offset(i), index.storedBytes(i)]).toEqual([offset, 10 + i]);
        offset += 10 + i;
      });
    }),
  );
});

test("a key is found in the first block whose separator is at or after it", () => {
  fc.assert(
    fc.property(sortedKeys, fc.array(indexKey), (separators, others) => {
      const index = indexOf(separators);
      for (const key of [...separators, ...others]) {
        const found = separators.findIndex((separator) => compareBytes(separator, key) >= 0);
        expect(index.find(key)).toBe(found === -1 ? separators.length : found);
      }
    }),
    { numRuns: 500 },
  );
});

test("a separator that is there several times is found at its first block, and may go on", () => {
  const [a, b, c] = ["a", "b", "c"].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];
  const index = indexOf([a, b, b, b, c]);
  expect(index.find(b)).toBe(1);
  expect([0, 1, 2, 3, 4].map((block) => index.mayGoOn(block, b))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
  expect(index.mayGoOn(4, c)).toBe(false);
});

test("an index that is cut, longer than it says, or of other data is not taken for one", () => {
  const { bytes, dataEnd } = encode(["a", "bb", "ccc"].map((text) => Buffer.from(text)));
  expect(BlockIndex.decode(bytes, dataEnd)).toBeDefined();
  for (let length = 0; length < bytes.length; length++) {
    expect(BlockIndex.decode(bytes.subarray(0, length), dataEnd), `${length}`).toBeUndefined();
  }
  expect(BlockIndex.decode(Uint8Array.from([...bytes, 0]), dataEnd)).toBeUndefined();
  expect(BlockIndex.decode(bytes, dataEnd - 1)).toBeUndefined();
  expect(BlockIndex.decode(bytes, dataEnd + 1)).toBeUndefined();
  // A table of deleted ranges has no blocks.
  expect(BlockIndex.decode(new Uint8Array(4), 0)?.length).toBe(0);
  expect(BlockIndex.decode(new Uint8Array(4), 1)).toBeUndefined();
});

test("an index with any byte of its places changed is not taken for one", () => {
  const { bytes, dataEnd } = encode(["a", "bb", "ccc"].map((text) => Buffer.from(text)));
  // Places: count, then of each entry offset, stored length and key length.
  const separators = [16, 29, 30, 43, 44, 45];
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Uint8Array.from(bytes);
    damaged[at]! ^= 1;
    const decoded = BlockIndex.decode(damaged, dataEnd);
    if (separators.includes(at)) expect(decoded).toBeDefined();
    else expect(decoded, `byte ${at}`).toBeUndefined();
  }
});
