import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ChecksumIndex } from "../../../src/log/checksum-index.ts";
import {
  encodeRecordHeader,
  RECORD_HEADER_BYTES,
  type RecordCursor,
} from "../../../src/log/record.ts";
import { type RecordScan, scanRecords } from "../../../src/log/record-scan.ts";
import { Random, seeds } from "../../support/random.ts";

const FILE = 7;

interface Planned {
  readonly payload: Uint8Array;
  readonly kind: number;
  readonly syncedTo: number;
}

/** The records one after the other, and `tail` zeros. */
function encode(records: readonly Planned[], file = FILE, tail = 0): Uint8Array {
  const length = records.reduce((sum, r) => sum + RECORD_HEADER_BYTES + r.payload.length, 0);
  const bytes = new Uint8Array(length + tail);
  let at = 0;
  for (const { payload, kind, syncedTo } of records) {
    bytes.set(payload, at + RECORD_HEADER_BYTES);
    encodeRecordHeader(bytes, at, payload.length, kind, syncedTo, file);
    at += RECORD_HEADER_BYTES + payload.length;
  }
  return bytes;
}

/** Records of so many bytes, each written when all before it was on the disk, or when nothing was. */
function plan(lengths: readonly number[], synced: boolean, random = new Random(1)): Planned[] {
  let at = 0;
  return lengths.map((length) => {
    const planned = { payload: random.bytes(length), kind: 2, syncedTo: synced ? at : 0 };
    at += RECORD_HEADER_BYTES + length;
    return planned;
  });
}

const scan = (bytes: Uint8Array): RecordScan => scanRecords(bytes, FILE, "/f");

function payloads(scanned: RecordScan): Uint8Array[] {
  const found: Uint8Array[] = [];
  const cursor: RecordCursor = scanned.records();
  while (cursor.next()) found.push(cursor.bytes.slice(cursor.payloadStart, cursor.end));
  return found;
}

test("records come back as they were written, with their kind, place and syncedTo", () => {
  const planned = [
    { payload: new Uint8Array(0), kind: 1, syncedTo: 0 },
    { payload: new Uint8Array([1, 2, 3]), kind: 15, syncedTo: RECORD_HEADER_BYTES },
  ];
  const bytes = encode(planned, FILE, 100);
  const scanned = scan(bytes);
  expect(scanned.end).toBe(bytes.length - 100);
  expect(scanned.tornBytes).toBe(0);
  const cursor = scanned.records();
  expect(cursor.next()).toBe(true);
  expect([cursor.kind, cursor.start, cursor.end, cursor.syncedTo]).toEqual([1, 0, 15, 0]);
  expect(cursor.next()).toBe(true);
  expect([cursor.kind, cursor.start, cursor.end, cursor.syncedTo]).toEqual([15, 15, 33, 15]);
  expect([...bytes.subarray(cursor.payloadStart, cursor.end)]).toEqual([1, 2, 3]);
  expect(cursor.next()).toBe(false);
});

test("the layout stays as it is", () => {
  const bytes = encode(
    [{ payload: new Uint8Array([0xaa, 0xbb]), kind: 2, syncedTo: 0 }],
    2 ** 40 + 5,
  );
  expect(Buffer.from(bytes).toString("hex")).toMatchInlineSnapshot(
    `"9570be240200000002000000000000aabb"`,
  );
});

test("nothing, zeros and another file's records are an empty file", () => {
  expect(scan(new Uint8Array(0))).toMatchObject({ end: 0, tornBytes: 0 });
  expect(scan(new Uint8Array(5000))).toMatchObject({ end: 0, tornBytes: 0 });
  const other = encode(plan([10, 20, 30], true), FILE - 1);
  expect(scan(other)).toMatchObject({ end: 0, tornBytes: other.length });
});

describe("damage", () => {
  const lengths = [5, 40, 0, 17];

  test("of any bit before what a later record says was synced is CORRUPTION at that record", () => {
    const bytes = encode(plan(lengths, true), FILE, 20);
    const starts = [0, 20, 75, 90];
    for (let at = 0; at < 90; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = bytes.slice();
        damaged[at]! ^= 1 << bit;
        const start = starts.findLast((s) => s <= at);
        // The record after it, or any later one, is the witness; only the last has none.
        expect(() => scan(damaged)).toThrow(`/f at ${start}: damaged record`);
      }
    }
  });

  test("of any bit with no later witness is a torn tail at that record", () => {
    const bytes = encode(plan(lengths, false), FILE, 20);
    const starts = [0, 20, 75, 90];
    for (let at = 0; at < bytes.length - 20; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = bytes.slice();
        damaged[at]! ^= 1 << bit;
        const scanned = scan(damaged);
        expect(scanned.end).toBe(starts.findLast((s) => s <= at));
        expect(scanned.tornBytes).toBeGreaterThan(0);
      }
    }
  });

  test("that cuts the file anywhere leaves the records that are whole", () => {
    const bytes = encode(plan(lengths, true));
    const ends = [0, 20, 75, 90, 122];
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(scan(bytes.subarray(0, cut)).end).toBe(ends.findLast((end) => end <= cut));
    }
  });

  test("that zeroes whole sectors of synced bytes is CORRUPTION, wherever they lie", () => {
    const bytes = encode(plan([700, 3000, 10, 5000, 100], true));
    for (let sector = 0; (sector + 1) * 512 <= bytes.length - 115; sector++) {
      const damaged = bytes.slice().fill(0, sector * 512, (sector + 1) * 512);
      expect(() => scan(damaged)).toThrow("damaged record");
    }
  });

  test.each(seeds(50))("behind long records is found through any other bytes (seed %i)", (seed) => {
    const random = new Random(seed);
    const planned = plan([100, random.below(20_000), random.below(20_000), 9000], true, random);
    const bytes = encode(planned);
    bytes.fill(0xff, 0, 15 + random.below(50));
    expect(() => scan(bytes)).toThrow("/f at 0: damaged record");
  });
});

test("a record of this file inside of another one's payload is no witness for its own place", () => {
  const inner = encode(plan([30, 30], true));
  const [outer] = plan([0], true);
  const bytes = encode([{ ...outer!, payload: inner }]);
  expect(payloads(scan(bytes))).toEqual([inner]);
});

test.each(seeds(20))("an indexed range has the checksum of its bytes (seed %i)", (seed) => {
  const random = new Random(seed);
  const bytes = random.bytes(40_000);
  const start = random.below(2000);
  const index = new ChecksumIndex(bytes, start);
  for (let i = 0; i < 50; i++) {
    const from = start + random.below(bytes.length - start);
    const to = from + random.below(bytes.length - from + 1);
    const from32 = random.next();
    expect(index.range(from, to, from32)).toBe(crc32(bytes.subarray(from, to), from32));
  }
});
