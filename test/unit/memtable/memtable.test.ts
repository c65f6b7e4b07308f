import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import { KeyHash } from "../../../src/bytes/key-hash.ts";
import { CURSOR } from "../../../src/entry-cursor.ts";
import { KIND, KIND_SEEK, sequenceOf, trailerHigh, trailerLow } from "../../../src/key.ts";
import { Memtable } from "../../../src/memtable/memtable.ts";
import { MemtableCursor } from "../../../src/memtable/memtable-cursor.ts";
import { SortedCursor } from "../../../src/memtable/sorted-cursor.ts";
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

function insert(memtable: Memtable, { key, sequence, kind, timeMs, value }: ModelEntry): void {
  const low = trailerLow(sequence, kind);
  const high = trailerHigh(sequence);
  memtable.insert(key, 0, key.length, low, high, timeMs, value, 0, value.length);
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

test("holds every version in internal-key order", () => {
  fc.assert(
    fc.property(modelEntries, (entries) => {
      const memtable = filled(entries);
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
  const hash = new KeyHash();
  fc.assert(
    fc.property(modelEntries, fc.array(modelTarget), (entries, targets) => {
      const memtable = filled(entries);
      for (const { key, sequence } of [...targets, ...entries]) {
        hash.update(key);
        const seekLow = trailerLow(sequence, KIND_SEEK);
        const node = memtable.find(hash, key, seekLow, trailerHigh(sequence));
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
        expect(memtable.timeMsAt(node)).toBe(want.timeMs);
        const life = lifeUpTo(entries, want);
        expect(memtable.revisionsAt(node)).toBe(life.length);
        if (life.length > 0) {
          const born = memtable.bornAt(node);
          expect(memtable.timeMsAt(born)).toBe(life[0]!.timeMs);
          const isFirst = entries.find((one) => compareBytes(one.key, key) === 0) === life[0];
          expect(memtable.olderAt(born) === 0).toBe(isFirst);
        }
        const { bytes } = memtable;
        const valueStart = memtable.valueStartAt(node);
        expect(bytes.slice(memtable.keyStartAt(node), valueStart)).toEqual(want.key);
        expect(bytes.slice(valueStart, memtable.valueEndAt(node))).toEqual(want.value);
      }
    }),
  );
});

/** The versions of an entry's key from the one with which it came into being to the entry, oldest first. */
function lifeUpTo(entries: readonly ModelEntry[], last: ModelEntry): ModelEntry[] {
  const versions = entries.filter(
    ({ key, sequence }) => compareBytes(key, last.key) === 0 && sequence <= last.sequence,
  );
  const deleted = versions.findLastIndex(({ kind }) => kind === KIND.DELETE);
  return versions.slice(deleted + 1);
}

test("a cursor moves as over a sorted array", () => {
  fc.assert(
    fc.property(modelEntries, modelMoves, (entries, moves) => {
      const memtable = filled(entries);
      for (const cursor of [new SortedCursor(memtable.handle), new MemtableCursor(memtable)]) {
        const model = new ModelCursor(sortEntries(entries));
        for (const move of moves) {
          if (!startMove(cursor, move)) continue;
          model.move(move);
          expect(entryAt(cursor)).toEqual(model.entry);
        }
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
        memtable.linkAll();
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
    insert(memtable, {
      key,
      sequence: i + 1,
      kind: KIND.PUT,
      timeMs: 0,
      value: random.bytes(valueBytes!),
    });
  });
  expect(memtable.entries).toBe(sizes.length);
  expect(memtable.usedBytes).toBeLessThanOrEqual(memtable.arenaBytes);
});

test("takes keys and values from the middle of larger arrays, and of the largest size", () => {
  const source = new Random(7).bytes(70_000);
  const memtable = Memtable.create(256 * 1024);
  memtable.insert(source, 100, 65_636, trailerLow(1, KIND.PUT), 0, 1, source, 3, 66_000);
  memtable.insert(source, 99, 100, trailerLow(2, KIND.DELETE), 0, 2, source, 5, 5);
  const entries = contents(memtable).sort((a, b) => a.sequence - b.sequence);
  expect(entries[0]!.key).toEqual(source.slice(100, 65_636));
  expect(entries[0]!.value).toEqual(source.slice(3, 66_000));
  expect(entries[1]!.key).toEqual(source.slice(99, 100));
  expect(entries[1]!.value).toEqual(new Uint8Array());
});

test("another thread reads it through its handle, while it is put in order here", () => {
  fc.assert(
    fc.property(modelEntries, (entries) => {
      const memtable = filled(entries);
      const elsewhere = new SortedCursor(structuredClone(memtable.handle));
      const read: ModelEntry[] = [];
      elsewhere.first();
      memtable.linkAll();
      for (; entryAt(elsewhere) !== undefined; elsewhere.next()) read.push(entryAt(elsewhere)!);
      expect(read).toEqual(sortEntries(entries));
    }),
    { numRuns: 30 },
  );
});

test.each(seeds(10))("is put in order in pieces of any size (seed %i)", (seed) => {
  const random = new Random(seed);
  const memtable = Memtable.create(4 * 1024 * 1024);
  const prefix = random.pick(["", "k", "a prefix longer than eight bytes:"]);
  const entries: ModelEntry[] = [];
  for (let sequence = 1; sequence <= 10_000; sequence++) {
    // Keys that differ early, late, not at all, and of which one begins another.
    const key = Buffer.from(`${prefix}${random.below(50)}${"-".repeat(random.below(12))}`);
    const value = Uint8Array.of(sequence % 256);
    const entry = { key: Uint8Array.from(key), sequence, kind: KIND.PUT, timeMs: 0, value };
    insert(memtable, entry);
    entries.push(entry);
    if (random.chance(1)) memtable.link(random.below(200));
  }
  expect(memtable.unlinked).toBeGreaterThan(0);
  memtable.linkAll();
  expect(memtable.unlinked).toBe(0);
  expect(contents(memtable)).toEqual(sortEntries(entries));
});

function fillTo(memtable: Memtable, count: number): void {
  for (let sequence = memtable.entries + 1; sequence <= count; sequence++) {
    const key = Buffer.from(`${(sequence * 7919) % 10_007}`);
    insert(memtable, { key, sequence, kind: KIND.PUT, timeMs: 0, value: Uint8Array.of() });
  }
}

test("a cursor on many entries out of order blocks, and its load lets the event loop turn", async () => {
  const memtable = Memtable.create(1024 * 1024);
  fillTo(memtable, 10_000);
  const cursor = new MemtableCursor(memtable);
  cursor.first();
  expect(cursor.state).toBe(CURSOR.BLOCKED);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  await cursor.load();
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
  expect(memtable.unlinked).toBe(0);
  expect(entryAt(cursor)!.key).toEqual(Uint8Array.from(Buffer.from("1")));
  const other = new MemtableCursor(memtable);
  other.last();
  expect(Buffer.from(entryAt(other)!.key).toString()).toBe("9999");
});

test("a blocking load goes to where the move was to", () => {
  const memtable = Memtable.create(1024 * 1024);
  fillTo(memtable, 10_000);
  const cursor = new MemtableCursor(memtable);
  cursor.seek(Buffer.from("9998x"), 0, 0);
  expect(cursor.state).toBe(CURSOR.BLOCKED);
  cursor.loadSync();
  expect(Buffer.from(entryAt(cursor)!.key).toString()).toBe("9999");
});

test("once it was read in order few entries wait to be linked, there and in the next one", () => {
  const memtable = Memtable.create(1024 * 1024);
  fillTo(memtable, 5000);
  expect(memtable.unlinked).toBe(5000);
  expect(memtable.wasOrdered).toBe(false);
  memtable.linkAll();
  expect(memtable.wasOrdered).toBe(true);
  fillTo(memtable, 10_000);
  expect(memtable.unlinked).toBeLessThan(1024);
  memtable.reset(true);
  expect(memtable.wasOrdered).toBe(false);
  fillTo(memtable, 5000);
  expect(memtable.unlinked).toBeLessThan(1024);
  memtable.reset();
  fillTo(memtable, 5000);
  expect(memtable.unlinked).toBe(5000);
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

test("refuses a version that is not newer than those it holds, and an insert without room", () => {
  const entry = {
    key: Buffer.from("key"),
    sequence: 5,
    kind: KIND.PUT,
    timeMs: 0,
    value: Uint8Array.of(1),
  };
  const memtable = filled([entry]);
  expect(() => insert(memtable, entry)).toThrow("in the order of age");
  const other = Memtable.create(Memtable.bytesFor(1, 10));
  expect(other.hasRoom(1, 2000)).toBe(false);
  expect(() => insert(other, { ...entry, value: new Uint8Array(2000) })).toThrow("room");
});

/** Keys whose hashes share their highest bits, as somebody could choose them. */
function collidingKeys(count: number): Buffer[] {
  const hash = new KeyHash();
  const keys: Buffer[] = [];
  for (let i = 0; keys.length < count; i++) {
    const key = Buffer.from(`${i}`);
    hash.update(key);
    if (hash.first >>> 20 === 0) keys.push(key);
  }
  return keys;
}

test("keys chosen to share a bucket make it count as full, until it is emptied", () => {
  const memtable = Memtable.create(512 * 1024);
  const keys = collidingKeys(100);
  keys.forEach((key, i) => {
    expect(memtable.hasRoom(1, 100)).toBe(i <= 65);
    insert(memtable, { key, sequence: i + 1, kind: KIND.PUT, timeMs: 0, value: Uint8Array.of() });
  });
  memtable.reset();
  expect(memtable.hasRoom(1, 100)).toBe(true);
});

test("versions of one key do not make it full, nor a look-up beside them slow", () => {
  const memtable = Memtable.create(1024 * 1024);
  const [hot, other] = collidingKeys(2) as [Buffer, Buffer];
  insert(memtable, { key: other, sequence: 1, kind: KIND.PUT, timeMs: 0, value: Uint8Array.of() });
  for (let sequence = 2; sequence < 5000; sequence++) {
    insert(memtable, { key: hot, sequence, kind: KIND.PUT, timeMs: 0, value: Uint8Array.of() });
  }
  expect(memtable.hasRoom(1, 100)).toBe(true);
  const hash = new KeyHash();
  hash.update(other);
  const node = memtable.find(hash, other, trailerLow(9999, KIND_SEEK), trailerHigh(9999));
  expect(memtable.trailerLowAt(node)).toBe(trailerLow(1, KIND.PUT));
});
