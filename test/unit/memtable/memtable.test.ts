import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import { KeyHash } from "../../../src/bytes/key-hash.ts";
import { KIND, KIND_SEEK, sequenceOf, trailerHigh, trailerLow } from "../../../src/key.ts";
import { Memtable } from "../../../src/memtable/memtable.ts";
import { MemtableCursor } from "../../../src/memtable/memtable-cursor.ts";
import {
  entryAt,
  ModelCursor,
  type ModelEntry,
  modelEntries,
  modelMoves,
  modelTarget,
  sortEntries,
  startMove,
} from "../../support/model-entries.ts";
import { Random, seeds } from "../../support/random.ts";

const ARENA_BYTES = 64 * 1024;

function insert(memtable: Memtable, { key, sequence, kind, value }: ModelEntry): void {
  const low = trailerLow(sequence, kind);
  const high = trailerHigh(sequence);
  memtable.insert(key, 0, key.length, low, high, value, 0, value.length);
}

function filled(entries: readonly ModelEntry[]): Memtable {
  const memtable = Memtable.create(ARENA_BYTES);
  for (const entry of entries) insert(memtable, entry);
  return memtable;
}

function contents(memtable: Memtable): ModelEntry[] {
  const entries: ModelEntry[] = [];
  const cursor = new MemtableCursor(memtable);
  for (cursor.first(); entryAt(cursor) !== undefined; cursor.next()) entries.push(entryAt(cursor)!);
  return entries;
}

test("holds every version in internal-key order, whatever the order of inserts", () => {
  fc.assert(
    fc.property(modelEntries, fc.nat(), (entries, seed) => {
      const random = new Random(seed);
      const shuffled = [...entries].sort(() => random.below(3) - 1);
      const memtable = filled(shuffled);
      expect(contents(memtable)).toEqual(sortEntries(entries));
      expect(memtable.entries).toBe(entries.length);
      expect(memtable.isEmpty).toBe(entries.length === 0);
      const deletes = entries.filter(({ kind }) => kind === KIND.DELETE);
      expect(memtable.tombstones).toBe(deletes.length);
      if (entries.length === 0) return;
      expect(memtable.smallestSequence).toBe(entries[0]!.sequence);
      expect(memtable.largestSequence).toBe(entries.at(-1)!.sequence);
    }),
  );
});

test("find returns the newest version that a sequence sees", () => {
  fc.assert(
    fc.property(modelEntries, fc.array(modelTarget), (entries, targets) => {
      const memtable = filled(entries);
      for (const { key, sequence } of [...targets, ...entries]) {
        const node = memtable.find(key, trailerLow(sequence, KIND_SEEK), trailerHigh(sequence));
        const want = entries
          .filter((entry) => compareBytes(entry.key, key) === 0 && entry.sequence <= sequence)
          .at(-1);
        if (want === undefined) {
          expect(node).toBe(0);
          continue;
        }
        const low = memtable.trailerLowAt(node);
        expect(sequenceOf(low, memtable.trailerHighAt(node))).toBe(want.sequence);
        expect(memtable.kindAt(node)).toBe(want.kind);
        const { bytes } = memtable;
        const valueStart = memtable.valueStartAt(node);
        expect(bytes.slice(memtable.keyStartAt(node), valueStart)).toEqual(want.key);
        expect(bytes.slice(valueStart, memtable.valueEndAt(node))).toEqual(want.value);
      }
    }),
  );
});

test("a cursor moves as over a sorted array", () => {
  fc.assert(
    fc.property(modelEntries, modelMoves, (entries, moves) => {
      const cursor = new MemtableCursor(filled(entries));
      const model = new ModelCursor(sortEntries(entries));
      for (const move of moves) {
        if (!startMove(cursor, move)) continue;
        model.move(move);
        expect(entryAt(cursor)).toEqual(model.entry);
      }
    }),
  );
});

test("an open cursor keeps its place and its order while entries are inserted", () => {
  fc.assert(
    fc.property(modelEntries, modelMoves, fc.nat(80), (entries, moves, early) => {
      const memtable = filled(entries.slice(0, early));
      const cursor = new MemtableCursor(memtable);
      const seen = entries.slice(0, early);
      const left = entries.slice(early);
      for (const move of moves) {
        if (!startMove(cursor, move)) continue;
        const at = entryAt(cursor);
        const late = left.shift();
        if (late !== undefined) {
          insert(memtable, late);
          seen.push(late);
        }
        // Whatever was inserted, the entry is still there, and its neighbours are those of now.
        expect(entryAt(cursor)).toEqual(at);
        if (at === undefined) continue;
        const sorted = sortEntries(seen);
        const index = sorted.findIndex((entry) => entry.sequence === at.sequence);
        cursor.next();
        expect(entryAt(cursor)).toEqual(sorted[index + 1]);
        if (entryAt(cursor) === undefined) cursor.last();
        else cursor.prev();
        expect(entryAt(cursor)).toEqual(sorted[index]);
      }
    }),
  );
});

test.each(seeds(20))("what hasRoom and bytesFor promise fits (seed %i)", (seed) => {
  const random = new Random(seed);
  const sizes = Array.from({ length: 300 }, () => [1 + random.below(40), random.below(60)]);
  const bytes = sizes.reduce((sum, [key, value]) => sum + key! + value!, 0);
  const memtable = Memtable.create(Memtable.bytesFor(sizes.length, bytes));
  expect(memtable.hasRoom(sizes.length, bytes)).toBe(true);
  let left = bytes;
  sizes.forEach(([keyBytes, valueBytes], i) => {
    // What was promised for all stays promised for the rest.
    expect(memtable.hasRoom(sizes.length - i, left)).toBe(true);
    left -= keyBytes! + valueBytes!;
    const key = random.bytes(keyBytes!);
    insert(memtable, { key, sequence: i + 1, kind: KIND.PUT, value: random.bytes(valueBytes!) });
  });
  expect(memtable.entries).toBe(sizes.length);
  expect(memtable.usedBytes).toBeLessThanOrEqual(memtable.arenaBytes);
});

test("takes keys and values from the middle of larger arrays, and of the largest size", () => {
  const source = new Random(7).bytes(70_000);
  const memtable = Memtable.create(256 * 1024);
  memtable.insert(source, 100, 65_636, trailerLow(1, KIND.PUT), 0, source, 3, 66_000);
  memtable.insert(source, 99, 100, trailerLow(2, KIND.DELETE), 0, source, 5, 5);
  const entries = contents(memtable).sort((a, b) => a.sequence - b.sequence);
  expect(entries[0]!.key).toEqual(source.slice(100, 65_636));
  expect(entries[0]!.value).toEqual(source.slice(3, 66_000));
  expect(entries[1]!.key).toEqual(source.slice(99, 100));
  expect(entries[1]!.value).toEqual(new Uint8Array());
});

test("is read through its handle, and refuses inserts there", () => {
  fc.assert(
    fc.property(modelEntries, (entries) => {
      const memtable = filled(entries);
      const attached = Memtable.attach(structuredClone(memtable.handle));
      expect(contents(attached)).toEqual(sortEntries(entries));
      expect(attached.handle).toEqual(memtable.handle);
      for (const { key, sequence } of entries) {
        expect(attached.find(key, trailerLow(sequence, KIND_SEEK), trailerHigh(sequence))).not.toBe(
          0,
        );
      }
      const entry = { key: Uint8Array.of(1), sequence: 1, kind: KIND.PUT, value: Uint8Array.of() };
      expect(() => insert(attached, entry)).toThrow();
    }),
    { numRuns: 30 },
  );
});

test("is empty after reset, though the arena is not cleared", () => {
  fc.assert(
    fc.property(modelEntries, modelEntries, (before, after) => {
      const memtable = filled(before);
      memtable.reset();
      expect(memtable.isEmpty).toBe(true);
      expect(memtable.tombstones).toBe(0);
      expect(contents(memtable)).toEqual([]);
      for (const entry of after) insert(memtable, entry);
      expect(contents(memtable)).toEqual(sortEntries(after));
      expect(memtable.handle).toEqual({ ...filled(after).handle, arena: memtable.arena });
    }),
  );
});

test("refuses an internal key that it holds, and an insert without room", () => {
  const entry = { key: Buffer.from("key"), sequence: 5, kind: KIND.PUT, value: Uint8Array.of(1) };
  const memtable = filled([entry]);
  expect(() => insert(memtable, entry)).toThrow("is there");
  const other = Memtable.create(Memtable.bytesFor(1, 10));
  expect(other.hasRoom(1, 2000)).toBe(false);
  expect(() => insert(other, { ...entry, value: new Uint8Array(2000) })).toThrow("room");
});

test.each(seeds(5))("the filter knows every key, and tells most others apart (seed %i)", (seed) => {
  const random = new Random(seed);
  const memtable = Memtable.create(1024 * 1024);
  const hash = new KeyHash();
  let entries = 0;
  for (; memtable.hasRoom(1, 116); entries++) {
    const key = Buffer.from(`key:${seed}:${entries}`.padEnd(16, "-"));
    insert(memtable, { key, sequence: entries + 1, kind: KIND.PUT, value: random.bytes(100) });
  }
  for (let i = 0; i < entries; i++) {
    hash.update(Buffer.from(`key:${seed}:${i}`.padEnd(16, "-")));
    expect(memtable.mayContain(hash)).toBe(true);
  }
  let passed = 0;
  for (let i = 0; i < 10_000; i++) {
    hash.update(Buffer.from(`absent:${seed}:${i}`));
    if (memtable.mayContain(hash)) passed++;
  }
  expect(passed).toBeLessThan(300);
  memtable.reset();
  hash.update(Buffer.from(`key:${seed}:0`.padEnd(16, "-")));
  expect(memtable.mayContain(hash)).toBe(false);
});

test("a memtable that another thread filled refuses nothing", () => {
  const memtable = filled([
    { key: Uint8Array.of(1), sequence: 1, kind: KIND.PUT, value: Uint8Array.of() },
  ]);
  const hash = new KeyHash();
  hash.update(Uint8Array.of(2));
  expect(memtable.mayContain(hash)).toBe(false);
  expect(Memtable.attach(memtable.handle).mayContain(hash)).toBe(true);
});
