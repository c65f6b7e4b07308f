import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import { KIND, sequenceOf, trailerHigh, trailerLow } from "../../../src/key.ts";
import { Memtable } from "../../../src/memtable/memtable.ts";
import { MemtableCursor } from "../../../src/memtable/memtable-cursor.ts";
import { SortedInserts } from "../../../src/memtable/sorted-inserts.ts";
import { entryAt, type ModelEntry, sortEntries } from "../../support/model-entries.ts";
import { Random, seeds } from "../../support/random.ts";

/** The entries' keys and values, one after the other, and where each begins. */
function pack(entries: readonly ModelEntry[]): { buffer: Uint8Array; starts: number[] } {
  const starts: number[] = [];
  let end = 0;
  for (const { key, value } of entries) {
    starts.push(end);
    end += key.length + value.length;
  }
  return { buffer: Buffer.concat(entries.flatMap(({ key, value }) => [key, value])), starts };
}

function insertSorted(memtable: Memtable, inserts: SortedInserts, entries: readonly ModelEntry[]) {
  const { buffer, starts } = pack(entries);
  for (const [i, { key, value, sequence, kind }] of entries.entries()) {
    const keyEnd = starts[i]! + key.length;
    const [low, high] = [trailerLow(sequence, kind), trailerHigh(sequence)];
    inserts.add(starts[i]!, keyEnd, keyEnd + value.length, low, high);
  }
  inserts.insertInto(memtable, buffer);
}

function contents(memtable: Memtable): ModelEntry[] {
  const entries: ModelEntry[] = [];
  const cursor = new MemtableCursor(memtable);
  for (cursor.first(); entryAt(cursor) !== undefined; cursor.next()) entries.push(entryAt(cursor)!);
  const backwards: ModelEntry[] = [];
  for (cursor.last(); entryAt(cursor) !== undefined; cursor.prev())
    backwards.push(entryAt(cursor)!);
  expect(backwards.reverse()).toEqual(entries);
  return entries;
}

const key = fc
  .tuple(
    fc.constantFrom("", "p", "prefix:", "prefix:long:"),
    fc.array(fc.constantFrom(0, 1, 255), { minLength: 1, maxLength: 12 }),
  )
  .map(([prefix, rest]) => Uint8Array.from([...Buffer.from(prefix), ...rest]));

test("batches give the same memtable as single inserts, in internal-key order", () => {
  fc.assert(
    fc.property(fc.array(fc.array(key, { maxLength: 30 }), { maxLength: 6 }), (batches) => {
      const memtable = Memtable.create(256 * 1024);
      const inserts = new SortedInserts();
      let sequence = 0;
      const all: ModelEntry[] = [];
      for (const keys of batches) {
        const entries = keys.map((bytes) => {
          sequence++;
          const kind = sequence % 3 === 0 ? KIND.DELETE : KIND.PUT;
          const value = kind === KIND.PUT ? Uint8Array.of(sequence) : new Uint8Array();
          return { key: bytes, sequence, kind, value };
        });
        insertSorted(memtable, inserts, entries);
        expect(inserts).toMatchObject({ entries: 0, bytes: 0 });
        all.push(...entries);
      }
      expect(contents(memtable)).toEqual(sortEntries(all));
      expect(memtable.entries).toBe(all.length);
    }),
    { numRuns: 300 },
  );
});

test.each(seeds(5))("many random keys, in batches between single inserts (seed %i)", (seed) => {
  const random = new Random(seed);
  const memtable = Memtable.create(4 * 1024 * 1024);
  const inserts = new SortedInserts();
  const all: ModelEntry[] = [];
  let sequence = 0;
  const entry = (): ModelEntry => {
    const bytes = random.bytes(1 + random.below(12));
    return { key: bytes, sequence: ++sequence, kind: KIND.PUT, value: random.bytes(3) };
  };
  for (let round = 0; round < 10; round++) {
    const single = entry();
    const [low, high] = [trailerLow(single.sequence, single.kind), trailerHigh(single.sequence)];
    const { key: bytes, value } = single;
    memtable.insert(bytes, 0, bytes.length, low, high, value, 0, value.length);
    const batch = Array.from({ length: 1 + random.below(2000) }, entry);
    insertSorted(memtable, inserts, batch);
    all.push(single, ...batch);
  }
  expect(contents(memtable)).toEqual(sortEntries(all));
  for (const { key: bytes, sequence: at } of all) {
    const node = memtable.find(bytes, trailerLow(at, KIND.PUT), trailerHigh(at));
    expect(sequenceOf(memtable.trailerLowAt(node), memtable.trailerHighAt(node))).toBe(at);
    const start = memtable.keyStartAt(node);
    expect(compareBytes(memtable.bytes.subarray(start, start + bytes.length), bytes)).toBe(0);
  }
});
