/** Data blocks: what was written is decoded, entry by entry and by interval, and found by search. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyHash } from "../../../src/bytes/key-hash.ts";
import { KIND, KIND_SEEK, kindOf, sequenceOf, trailerHigh, trailerLow } from "../../../src/key.ts";
import { BlockSearch, SEARCH } from "../../../src/table/block-search.ts";
import {
  bucketCount,
  DataBlockWriter,
  entriesEnd,
  restartAt,
  restartCount,
} from "../../../src/table/data-block.ts";
import { EntryDecoder } from "../../../src/table/entry-decoder.ts";
import { IntervalEntries } from "../../../src/table/interval-entries.ts";
import {
  compareEntries,
  type ModelEntry,
  type ModelTarget,
  sortEntries,
} from "../../support/model-entries.ts";

/** Keys of all bytes, few enough to repeat, alone or behind prefixes whose lengths take one or two bytes. */
const blockKey: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(0, 0, 7, 120, 127, 128, 300),
    fc.constantFrom(0x00, 0x61, 0xff),
    fc.uint8Array({ maxLength: 3 }),
  )
  .map(([length, byte, rest]) => Uint8Array.from([...new Uint8Array(length).fill(byte), ...rest]))
  .filter((key) => key.length > 0);

const blockValue: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constant(new Uint8Array()),
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom(127, 128, 16_383, 16_384).map((bytes) => new Uint8Array(bytes).fill(0x76)),
);

/** Sorted entries, often many versions of one key, with sequences in both halves of the trailer. */
const blockEntries: fc.Arbitrary<ModelEntry[]> = fc
  .tuple(
    fc.array(blockKey, { minLength: 1, maxLength: 12 }),
    fc.array(fc.tuple(fc.nat(11), fc.boolean(), blockValue), { minLength: 1, maxLength: 60 }),
    fc.constantFrom(1, 2 ** 24 - 3, 2 ** 45),
  )
  .map(([keys, writes, stride]) =>
    sortEntries(
      writes.map(([pick, isDelete, value], i) => ({
        key: keys[pick % keys.length]!,
        sequence: (i + 1) * stride,
        kind: isDelete ? KIND.DELETE : KIND.PUT,
        value: isDelete ? new Uint8Array() : value,
      })),
    ),
  );

const restartInterval = fc.constantFrom(1, 2, 3, 16, 256);

function hashOf(key: Uint8Array): number {
  const hash = new KeyHash();
  hash.update(key);
  return hash.first;
}

/** Keys and values stand in the middle of other bytes, as a cursor hands them over. */
function addTo(writer: DataBlockWriter, { key, sequence, kind, value }: ModelEntry): void {
  const bytes = Uint8Array.from([0xaa, ...key, 0xbb, ...value, 0xcc]);
  const keyEnd = 1 + key.length;
  const valueStart = keyEnd + 1;
  writer.add(
    hashOf(key),
    bytes,
    1,
    keyEnd,
    trailerLow(sequence, kind),
    trailerHigh(sequence),
    bytes,
    valueStart,
    valueStart + value.length,
  );
  bytes.fill(0);
}

function blockOf(sorted: readonly ModelEntry[], interval: number): Uint8Array {
  const writer = new DataBlockWriter(interval);
  for (const entry of sorted) addTo(writer, entry);
  expect(writer.lastKey).toEqual(Buffer.from(sorted.at(-1)!.key));
  const { bytes } = writer;
  const block = Uint8Array.from(writer.finish());
  expect(block.length).toBe(bytes);
  expect(writer.isEmpty).toBe(true);
  return block;
}

interface Decoded extends ModelEntry {
  readonly at: number;
  readonly end: number;
  readonly shared: number;
}

/** The entries one after the other, each key put together from the one before. */
function decodeAll(block: Uint8Array): Decoded[] {
  const decoder = new EntryDecoder();
  const decoded: Decoded[] = [];
  let key = new Uint8Array();
  for (let at = 0; at < entriesEnd(block); at = decoder.end) {
    decoder.decode(block, at);
    const { shared, keyAt, valueAt, end } = decoder;
    key = Uint8Array.from([...key.subarray(0, shared), ...block.subarray(keyAt, valueAt)]);
    decoded.push({
      at,
      end,
      shared,
      key,
      sequence: sequenceOf(decoder.trailerLow, decoder.trailerHigh),
      kind: kindOf(decoder.trailerLow),
      value: Uint8Array.from(block.subarray(valueAt, end)),
    });
  }
  return decoded;
}

const withoutPlace = ({ key, sequence, kind, value }: ModelEntry) => ({
  key,
  sequence,
  kind,
  value,
});

test("what was written is decoded, and prefixes are shared as far as they go", () => {
  fc.assert(
    fc.property(blockEntries, restartInterval, (sorted, interval) => {
      const block = blockOf(sorted, interval);
      const decoded = decodeAll(block);
      expect(decoded.map(withoutPlace)).toEqual(sorted);
      const starts = decoded.filter((_, i) => i % interval === 0).map(({ at }) => at);
      const end = entriesEnd(block);
      const restarts = Array.from({ length: restartCount(block) }, (_, i) =>
        restartAt(block, end, i),
      );
      expect(restarts).toEqual(starts);
      decoded.forEach(({ key, shared }, i) => {
        const before = i % interval === 0 ? new Uint8Array() : decoded[i - 1]!.key;
        const differ = key.findIndex((byte, at) => byte !== before[at]);
        expect(shared).toBe(differ === -1 ? key.length : differ);
      });
    }),
    { numRuns: 80 },
  );
});

test("a writer makes one block after the other", () => {
  fc.assert(
    fc.property(fc.array(blockEntries, { minLength: 2, maxLength: 4 }), (blocks) => {
      const writer = new DataBlockWriter(4);
      for (const sorted of blocks) {
        for (const entry of sorted) addTo(writer, entry);
        expect(decodeAll(writer.finish()).map(withoutPlace)).toEqual(sorted);
      }
    }),
    { numRuns: 50 },
  );
});

test("an interval, up to any entry in it, is decoded with its whole keys", () => {
  const interval = new IntervalEntries();
  fc.assert(
    fc.property(blockEntries, restartInterval, fc.nat(), (sorted, size, pick) => {
      const block = blockOf(sorted, size);
      const last = pick % sorted.length;
      const first = last - (last % size);
      const places = decodeAll(block);
      interval.decode(block, places[first]!.at, places[last + 1]?.at ?? entriesEnd(block));
      const got = Array.from({ length: interval.length }, (_, i) => ({
        at: interval.entryAt[i],
        key: interval.keys.slice(interval.keyStart[i], interval.keyStart[i + 1]),
        sequence: sequenceOf(interval.trailerLow[i]! >>> 0, interval.trailerHigh[i]!),
        kind: kindOf(interval.trailerLow[i]!),
        value: block.slice(interval.valueStart[i], interval.valueEnd[i]),
      }));
      expect(got).toEqual(
        places.slice(first, last + 1).map(({ shared: _shared, end: _end, ...rest }) => rest),
      );
    }),
    { numRuns: 200 },
  );
});

/** Targets at, just before and just after what is there, and anywhere else. */
function targetsFor(sorted: readonly ModelEntry[], others: readonly Uint8Array[]): ModelTarget[] {
  const near = sorted.flatMap(({ key, sequence }) => [
    { key, sequence, kind: KIND_SEEK },
    { key, sequence: sequence - 1, kind: KIND_SEEK },
    { key, sequence: sequence + 1, kind: KIND_SEEK },
    { key, sequence, kind: KIND.DELETE },
    { key, sequence: Number.MAX_SAFE_INTEGER, kind: KIND_SEEK },
    { key: Uint8Array.from([...key, 0]), sequence, kind: KIND_SEEK },
    { key: key.slice(0, -1), sequence, kind: KIND_SEEK },
  ]);
  const far = others.map((key) => ({ key, sequence: 30, kind: KIND_SEEK }));
  return [...near, ...far].filter(({ key }) => key.length > 0);
}

test("a search ends where a sorted array says", () => {
  const search = new BlockSearch();
  fc.assert(
    fc.property(blockEntries, restartInterval, fc.array(blockKey), (sorted, interval, others) => {
      const block = blockOf(sorted, interval);
      const places = decodeAll(block);
      for (const target of targetsFor(sorted, others)) {
        const at = sorted.findIndex((entry) => compareEntries(entry, target) >= 0);
        const entry = sorted[at];
        const low = trailerLow(target.sequence, target.kind);
        const high = trailerHigh(target.sequence);
        const state = search.search(block, target.key, hashOf(target.key), low, high);
        const isThere = sorted.some(({ key }) => Buffer.compare(key, target.key) === 0);
        // The hash index knows at once of most keys that they are not there, wherever they would be.
        const notFound = isThere ? [] : [SEARCH.ABSENT];
        if (entry === undefined) {
          expect([SEARCH.PAST_END, ...notFound]).toContain(state);
          continue;
        }
        const isSame = Buffer.compare(entry.key, target.key) === 0;
        expect(state).toBe(isSame ? SEARCH.FOUND : SEARCH.ABSENT);
        if (!isSame) continue;
        expect(places[at]!.end).toBe(search.entry.end);
        const { trailerLow: foundLow, trailerHigh: foundHigh, valueAt, end } = search.entry;
        expect(sequenceOf(foundLow, foundHigh)).toBe(entry.sequence);
        expect(kindOf(foundLow)).toBe(entry.kind);
        expect(block.slice(valueAt, end)).toEqual(entry.value);
      }
    }),
    { numRuns: 80 },
  );
});

test("the hash index tells most keys that are not there, and takes a byte and a half a key", () => {
  const keys = Array.from({ length: 30 }, (_, i) => Buffer.from(`key:${1000 + i}`));
  const entries = keys.map((key) => ({
    key,
    sequence: 1,
    kind: KIND.PUT,
    value: Buffer.alloc(50),
  }));
  const block = blockOf(entries, 4);
  expect(bucketCount(block)).toBe(45);
  const search = new BlockSearch();
  const low = trailerLow(9, KIND_SEEK);
  for (const key of keys) {
    expect(search.search(block, key, hashOf(key), low, trailerHigh(9))).toBe(SEARCH.FOUND);
  }
  // Keys after all others: a walk would come to the end of the block.
  const states = Array.from({ length: 1000 }, (_, i) => {
    const key = Buffer.from(`later:${i}`);
    return search.search(block, key, hashOf(key), low, trailerHigh(9));
  });
  const told = states.filter((state) => state === SEARCH.ABSENT).length;
  expect(told).toBeGreaterThan(400);
  expect(states.filter((state) => state === SEARCH.PAST_END)).toHaveLength(1000 - told);
});

test("a block of more restarts than a byte can name is searched without an index", () => {
  const entries = Array.from({ length: 400 }, (_, i) => ({
    key: Buffer.from(`key:${1000 + i}`),
    sequence: 1,
    kind: KIND.PUT,
    value: new Uint8Array(),
  }));
  const block = blockOf(entries, 1);
  expect(bucketCount(block)).toBe(0);
  const search = new BlockSearch();
  const low = trailerLow(9, KIND_SEEK);
  for (const { key } of entries) {
    expect(search.search(block, key, hashOf(key), low, trailerHigh(9))).toBe(SEARCH.FOUND);
  }
});
