/** A table's filter: never wrong about a key that is there, and as often about others as it was made for. */
import { BloomFilter } from "bloom-filters";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyHash } from "../../../src/bytes/key-hash.ts";
import { TableFilter } from "../../../src/table/filter.ts";
import { Random, seeds } from "../../support/random.ts";

function hashOf(key: Uint8Array): KeyHash {
  const hash = new KeyHash();
  hash.update(key);
  return hash;
}

function filterOf(keys: readonly Uint8Array[], errorRate: number): TableFilter {
  const filter = TableFilter.create(keys.length, errorRate);
  for (const { first, second } of keys.map(hashOf)) filter.add(first, second);
  return filter;
}

/** The package's filter as it is, with the probes that `filter.ts` documents as its hashing. */
function packageFilterOf(keys: readonly Uint8Array[], errorRate: number): BloomFilter {
  const { bits: bitsInAll, hashes: hashesInAll } = TableFilter.create(keys.length, errorRate);
  const filter = new BloomFilter(bitsInAll, hashesInAll);
  filter._hashing.getIndexes = (element, bits, hashes) => {
    const { first, second } = hashOf(Buffer.from(element as Buffer));
    const line = Number((BigInt(first) * BigInt(bits / 512)) >> 32n);
    let word = second;
    return Array.from({ length: hashes }, () => {
      const bit = word >>> 23;
      word = Math.imul(word, 0x9e3779b9) >>> 0;
      return line * 512 + bit;
    });
  };
  for (const key of keys) filter.add(Buffer.from(key));
  return filter;
}

/** Keys of either kind: counters behind a prefix, as programs make them, and random bytes. */
function keysOf(random: Random, count: number, from = 0): Uint8Array[] {
  const counters = random.chance(50);
  return Array.from({ length: count }, (_, i) =>
    counters ? Buffer.from(`user:${from + i}`) : random.bytes(12),
  );
}

const anyKey = fc.uint8Array({ minLength: 1, maxLength: 24 });
const anyRate = fc.constantFrom(0.0001, 0.001, 0.01, 0.1, 0.5);

test("a key that was added is never refused", () => {
  fc.assert(
    fc.property(fc.array(anyKey, { minLength: 1, size: "large" }), anyRate, (keys, rate) => {
      const filter = filterOf(keys, rate);
      const decoded = TableFilter.decode(filter.encode());
      expect(decoded).toBeDefined();
      for (const key of keys) {
        expect(filter.mayContain(hashOf(key))).toBe(true);
        expect(decoded?.mayContain(hashOf(key))).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});

test.each(seeds(6))("lets as many absent keys through as it was made for (seed %i)", (seed) => {
  const random = new Random(seed);
  const rate = random.pick([0.001, 0.01, 0.05, 0.2]);
  const filter = filterOf(keysOf(random, 10_000), rate);
  const asked = 40_000;
  let passed = 0;
  const hash = new KeyHash();
  for (let i = 0; i < asked; i++) {
    hash.update(Buffer.from(`absent:${seed}:${i}`));
    if (filter.mayContain(hash)) passed++;
  }
  // Multiples of one hash are not quite as good as independent ones; beyond that, chance has its share.
  const expected = asked * rate;
  expect(passed).toBeLessThan(1.15 * expected + 4 * Math.sqrt(expected));
  expect(passed).toBeGreaterThan(0.7 * expected - 4 * Math.sqrt(expected));
});

test.each([
  [0.01, 9.93],
  [0.001, 15.67],
])("an error rate of %f takes %f bits a key", (rate, bitsPerKey) => {
  const filter = TableFilter.create(10_000, rate);
  expect(filter.bits / 10_000).toBeCloseTo(bitsPerKey, 1);
  expect(filter.encode().length).toBe(8 + filter.bits / 8);
});

test("sets the same bits and gives the same answers as the package's own filter", () => {
  fc.assert(
    fc.property(
      fc.array(anyKey, { minLength: 1 }),
      fc.array(anyKey, { size: "large" }),
      anyRate,
      (keys, others, rate) => {
        const ours = filterOf(keys, rate);
        const theirs = packageFilterOf(keys, rate);
        expect([ours.bits, ours.hashes]).toEqual([theirs._size, theirs._nbHashes]);
        expect(ours.encode().subarray(8)).toEqual(Buffer.from(theirs._filter.array));
        for (const key of [...keys, ...others]) {
          expect(ours.mayContain(hashOf(key))).toBe(theirs.has(Buffer.from(key)));
        }
      },
    ),
    { numRuns: 100 },
  );
});

test.each(seeds(3))(
  "agrees with the package's own filter at the size of a table (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const keys = keysOf(random, 3000);
    const ours = filterOf(keys, 0.01);
    const theirs = packageFilterOf(keys, 0.01);
    expect(ours.encode().subarray(8)).toEqual(Buffer.from(theirs._filter.array));
    for (const key of keysOf(random, 3000, 3000)) {
      expect(ours.mayContain(hashOf(key))).toBe(theirs.has(Buffer.from(key)));
    }
  },
);

test("bytes that are not a filter are not taken for one", () => {
  const whole = filterOf([Uint8Array.of(1), Uint8Array.of(2)], 0.01).encode();
  expect(TableFilter.decode(whole)).toBeDefined();
  for (let bytes = 0; bytes < whole.length; bytes++) {
    expect(TableFilter.decode(whole.subarray(0, bytes)), `${bytes} bytes`).toBeUndefined();
  }
  expect(TableFilter.decode(Buffer.concat([whole, Buffer.alloc(1)]))).toBeUndefined();
  const noHashes = Buffer.from(whole);
  noHashes.writeUInt32LE(0, 4);
  expect(TableFilter.decode(noHashes)).toBeUndefined();
  expect(TableFilter.decode(Buffer.alloc(8))).toBeUndefined();
});

test("a range of a larger buffer hashes as a key of its own", () => {
  fc.assert(
    fc.property(anyKey, fc.nat(9), (key, before) => {
      const buffer = new Uint8Array(before + key.length + 5).fill(0xee);
      buffer.set(key, before);
      const hash = new KeyHash();
      hash.update(buffer, before, before + key.length);
      expect(hash).toEqual(hashOf(key));
    }),
  );
});

test.each([
  ["a", 3441918203, 3835406758],
  ["abcd", 2510581417, 1372020209],
  ["user:42", 3356840128, 1264552464],
  ["\u00ff\u00fe\u00fd\u00fc\u00fb", 1893993153, 3693163540],
])("the hash of %j stays what stored filters were made with", (key, first, second) => {
  expect(hashOf(Buffer.from(key, "latin1"))).toEqual(
    Object.assign(new KeyHash(), { first, second }),
  );
});
