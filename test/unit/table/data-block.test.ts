/** Data blocks: what was written is decoded, and found by search. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { slabOf } from "../../../src/bytes/copy.ts";
import { KeyHash } from "../../../src/bytes/key-hash.ts";
import { KIND, KIND_SEEK, kindOf, sequenceOf, trailerHigh, trailerLow } from "../../../src/key.ts";
import {
  entryAt,
  entryCount,
  prefixBytesOf,
  tagsAt,
  timeMsAt,
  trailerHighAt,
} from "../../../src/table/block-columns.ts";
import { BlockSearch, SEARCH } from "../../../src/table/block-search.ts";
import { DataBlockWriter, FOOTER_BYTES, tagOf } from "../../../src/table/data-block.ts";
import { EntryDecoder } from "../../../src/table/entry-decoder.ts";
import {
  compareEntries,
  type ModelEntry,
  type ModelTarget,
  modelTimes,
  sortEntries,
} from "../../support/model-entries.ts";

/** Bytes before and after a block that is written into the middle of others. */
const FRAME_BYTES = 16;

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
    fc.constantFrom(1, 2 ** 24 - 3, 2 ** 28, 2 ** 45),
    modelTimes,
  )
  .map(([keys, writes, stride, times]) =>
    sortEntries(
      writes.map(([pick, isDelete, value], i) => ({
        key: keys[pick % keys.length]!,
        sequence: (i + 1) * stride,
        kind: isDelete ? KIND.DELETE : KIND.PUT,
        timeMs: times[i % times.length]!,
        value: isDelete ? new Uint8Array() : value,
      })),
    ),
  );

function hashOf(key: Uint8Array): number {
  const hash = new KeyHash();
  hash.update(key);
  return hash.first;
}

/** Keys and values stand in the middle of other bytes, as a cursor hands them over. */
function addTo(writer: DataBlockWriter, entry: ModelEntry): void {
  const { key, sequence, kind, timeMs, value } = entry;
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
    timeMs,
    bytes,
    valueStart,
    valueStart + value.length,
  );
  bytes.fill(0);
}

/** The block's contents, from a place among other bytes, of which none is touched. */
function finish(writer: DataBlockWriter): Uint8Array {
  const { bytesMax } = writer;
  const target = slabOf(new Uint8Array(bytesMax + 2 * FRAME_BYTES).fill(0xee));
  const end = writer.finish(target, FRAME_BYTES);
  expect(end).toBeLessThanOrEqual(FRAME_BYTES + bytesMax);
  const frame = [...target.bytes.subarray(0, FRAME_BYTES), ...target.bytes.subarray(end)];
  expect(frame.every((byte) => byte === 0xee)).toBe(true);
  return target.bytes.slice(FRAME_BYTES, end);
}

function blockOf(sorted: readonly ModelEntry[]): Uint8Array {
  const writer = new DataBlockWriter();
  for (const entry of sorted) addTo(writer, entry);
  expect(writer.lastKey).toEqual(Buffer.from(sorted.at(-1)!.key));
  const { bytes } = writer;
  const block = finish(writer);
  // A length that a prefix is taken off may take a byte less.
  expect(block.length).toBeLessThanOrEqual(bytes);
  expect(block.length).toBeGreaterThanOrEqual(bytes - 2 * sorted.length);
  expect(writer.isEmpty).toBe(true);
  return block;
}

/** The entries one after the other, their keys whole. */
function decodeAll(block: Uint8Array): ModelEntry[] {
  const decoder = new EntryDecoder();
  const entries = entryCount(block);
  const prefix = block.subarray(0, prefixBytesOf(block));
  let end = prefix.length;
  return Array.from({ length: entries }, (_, i) => {
    const at = entryAt(block, entries, i);
    expect(at).toBe(end);
    decoder.decode(block, at);
    const { keyAt, valueAt } = decoder;
    end = decoder.end;
    const key = Uint8Array.from([...prefix, ...block.subarray(keyAt, valueAt)]);
    expect(block[tagsAt(block, entries) + i]).toBe(tagOf(hashOf(key)));
    return {
      key,
      sequence: sequenceOf(decoder.trailerLow, trailerHighAt(block, entries, i)),
      kind: kindOf(decoder.trailerLow),
      timeMs: timeMsAt(block, entries, i),
      value: Uint8Array.from(block.subarray(valueAt, end)),
    };
  });
}

/** How many bytes all keys begin with. */
function commonBytes(keys: readonly Uint8Array[]): number {
  const [first = new Uint8Array(), ...others] = keys;
  const differ = first.findIndex((byte, at) => others.some((key) => key[at] !== byte));
  return differ === -1 ? first.length : differ;
}

test("what was written is decoded, and what all keys begin with is there once", () => {
  fc.assert(
    fc.property(blockEntries, (sorted) => {
      const block = blockOf(sorted);
      expect(decodeAll(block)).toEqual(sorted);
      const common = commonBytes(sorted.map(({ key }) => key));
      expect(prefixBytesOf(block)).toBe(sorted.length > 1 && common >= 4 ? common : 0);
    }),
    { numRuns: 80 },
  );
});

test("a writer makes one block after the other", () => {
  fc.assert(
    fc.property(fc.array(blockEntries, { minLength: 2, maxLength: 4 }), (blocks) => {
      const writer = new DataBlockWriter();
      for (const sorted of blocks) {
        for (const entry of sorted) addTo(writer, entry);
        expect(decodeAll(finish(writer))).toEqual(sorted);
      }
    }),
    { numRuns: 50 },
  );
});

test("entries that are added where they are make the same block, and so do those of a large array", () => {
  fc.assert(
    fc.property(fc.array(blockEntries, { minLength: 1, maxLength: 3 }), (blocks) => {
      const [copied, inPlace, large] = [1, 2, 3].map(() => new DataBlockWriter());
      for (const sorted of blocks) {
        const size = (entry: ModelEntry) => entry.key.length + entry.value.length + 8;
        // So large that its view is kept.
        const bytes = new Uint8Array(sorted.reduce((sum, entry) => sum + size(entry), 64 * 1024));
        let at = 3;
        for (const entry of sorted) {
          addTo(copied!, entry);
          const { key, sequence, kind, timeMs, value } = entry;
          const [keyEnd, valueEnd] = [at + key.length, at + key.length + value.length];
          bytes.set(key, at);
          bytes.set(value, keyEnd);
          const [hash, low, high] = [
            hashOf(key),
            trailerLow(sequence, kind),
            trailerHigh(sequence),
          ];
          inPlace!.addInPlace(hash, bytes, at, keyEnd, valueEnd, low, high, timeMs);
          large!.add(hash, bytes, at, keyEnd, low, high, timeMs, bytes, keyEnd, valueEnd);
          expect(inPlace!.compareToLast(bytes, at, keyEnd)).toBe(0);
          expect(inPlace!.bytes).toBe(copied!.bytes);
          at = valueEnd + 8;
        }
        const block = finish(copied!);
        expect(finish(inPlace!)).toEqual(block);
        expect(finish(large!)).toEqual(block);
      }
    }),
    { numRuns: 50 },
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
    fc.property(blockEntries, fc.array(blockKey), (sorted, others) => {
      const block = blockOf(sorted);
      for (const target of targetsFor(sorted, others)) {
        const at = sorted.findIndex((entry) => compareEntries(entry, target) >= 0);
        const entry = sorted[at];
        const low = trailerLow(target.sequence, target.kind);
        const high = trailerHigh(target.sequence);
        expect(search.firstFrom(block, target.key, low, high)).toBe(at === -1 ? sorted.length : at);
        const state = search.search(block, target.key, hashOf(target.key), low, high);
        const isLast = Buffer.compare(sorted.at(-1)!.key, target.key) === 0;
        const isSame = entry !== undefined && Buffer.compare(entry.key, target.key) === 0;
        if (!isSame) {
          expect(state).toBe(entry === undefined && isLast ? SEARCH.GOES_ON : SEARCH.ABSENT);
          continue;
        }
        expect(state).toBe(SEARCH.FOUND);
        const { trailerLow: foundLow, valueAt, end } = search.entry;
        const { place } = search;
        const foundHigh = trailerHighAt(block, sorted.length, place);
        expect(sequenceOf(foundLow, foundHigh)).toBe(entry.sequence);
        expect(timeMsAt(block, sorted.length, place)).toBe(entry.timeMs);
        expect(kindOf(foundLow)).toBe(entry.kind);
        expect(block.slice(valueAt, end)).toEqual(entry.value);
      }
    }),
    { numRuns: 80 },
  );
});

test("short keys of which one begins another, and a prefix as long as the first key", () => {
  const keys = ["abcd", "abcda", "abcdaa", "abcdb"].map((text) =>
    Uint8Array.from(Buffer.from(text)),
  );
  const entries = keys.map((key) => ({
    key,
    sequence: 1,
    kind: KIND.PUT,
    timeMs: 5,
    value: key,
  }));
  const block = blockOf(entries);
  expect(prefixBytesOf(block)).toBe(4);
  expect(decodeAll(block)).toEqual(entries);
  const search = new BlockSearch();
  const low = trailerLow(9, KIND_SEEK);
  for (const { key } of entries) {
    expect(search.search(block, key, hashOf(key), low, trailerHigh(9))).toBe(SEARCH.FOUND);
  }
  const places = ["abc", "abcc", "abce", "z"].map((text) =>
    search.firstFrom(block, Buffer.from(text), low, trailerHigh(9)),
  );
  expect(places).toEqual([0, 0, 4, 4]);
});

test.each([
  ["of one commit", 0, 0],
  ["of a minute", 2000, 2],
  ["of a month", 80_000_000, 4],
  ["of years", 10_000_000_000, 6],
])(
  "entries %s take three bytes besides lengths, half a trailer and the time",
  (_, apart, width) => {
    const entries = Array.from({ length: 30 }, (_, i) => ({
      key: Buffer.from(`key:${1000 + i}`),
      sequence: 1,
      kind: KIND.PUT,
      timeMs: i * apart,
      value: new Uint8Array(50),
    }));
    const prefix = "key:10".length;
    const entryBytes = 2 + 4 + ("key:1000".length - prefix) + 50;
    const blockBytes = prefix + 30 * (entryBytes + 3 + width) + FOOTER_BYTES;
    expect(blockOf(entries).length).toBe(blockBytes);
  },
);
