/** A catalogue of broken logs, after LevelDB's `log_test`, and what reading each must come to. */
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { logName } from "../../../src/fs/names.ts";
import { encodeRecordHeader, RECORD_HEADER_BYTES } from "../../../src/log/record.ts";
import {
  encodeSegmentHeader,
  RECORD_KIND,
  SEGMENT_HEADER_BYTES,
} from "../../../src/log/segment.ts";
import { append, LOG_DIRECTORY, openLog, readBack } from "../../support/log-fixture.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";

const SEGMENT_BYTES = 4096;
let disk: MemoryFileSystem;

beforeEach(async () => {
  disk = new MemoryFileSystem();
  await disk.makeDirectory(LOG_DIRECTORY);
});

const pathOf = (number: number) => join(LOG_DIRECTORY, logName(number));

async function change(number: number, damage: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const file = await disk.open(pathOf(number), "write");
  const bytes = new Uint8Array(await file.size());
  await file.read(bytes, 0);
  const damaged = damage(bytes);
  await file.truncate(0);
  await file.write(damaged, 0);
  await file.close();
}

const flip = (number: number, at: number) =>
  change(number, (bytes) => {
    bytes[at]! ^= 0x10;
    return bytes;
  });
const cut = (number: number, length: number) => change(number, (bytes) => bytes.slice(0, length));

/** Three records in each of so many segments, which are numbered 1, 2, …; the newest is left as a crash does. */
async function writeSegments(segments: number): Promise<{ newest: number; end: number }> {
  const log = await openLog(disk, SEGMENT_BYTES);
  let id = 0;
  for (let i = 0; i < segments; i++) {
    if (i > 0) await log.rotate();
    for (let n = 0; n < 3; n++) await append(log, ++id, 100, true);
  }
  return { newest: log.segmentNumber, end: log.segmentLength };
}

const RECORD_BYTES = RECORD_HEADER_BYTES + 100;

test("an empty directory, and segments that were never used, are an empty log", async () => {
  expect((await readBack(disk)).ids).toEqual([]);
  for (const [number, bytes] of [
    [1, new Uint8Array(0)],
    [2, new Uint8Array(SEGMENT_BYTES)],
    [3, new Uint8Array(SEGMENT_BYTES).fill(7)],
  ] as const) {
    await (await disk.open(pathOf(number), "create")).write(bytes, 0);
  }
  expect((await readBack(disk)).ids).toEqual([]);
});

test("what a recycled file holds of its past is no record, whatever its place", async () => {
  const log = await openLog(disk, SEGMENT_BYTES);
  for (let round = 0; round < 8; round++) {
    for (let n = 0; n < 10; n++) await append(log, round * 10 + n, 100, true);
    await log.retire(await log.rotate());
  }
  await append(log, 1000, 100, true);
  const { ids, segments } = await readBack(disk, log.segmentNumber);
  expect(ids).toEqual([1000]);
  expect(segments[0]?.header.recycledFrom).toBeGreaterThan(0);
  expect(segments[0]?.tornBytes).toBe(0);
});

describe("the newest segment", () => {
  test("cut anywhere in its last record loses that one, and says so", async () => {
    const { newest, end } = await writeSegments(2);
    for (let length = end - 1; length > end - RECORD_BYTES; length--) {
      await cut(newest, length);
      const { ids, segments } = await readBack(disk, 0, true);
      expect(ids).toEqual([1, 2, 3, 4, 5]);
      expect(segments.at(-1)?.tornBytes).toBeGreaterThan(0);
    }
  });

  test("with a torn tail is cleaned on the disk, once", async () => {
    const { newest, end } = await writeSegments(1);
    await flip(newest, end - 1);
    expect((await readBack(disk)).segments[0]?.tornBytes).toBe(RECORD_BYTES);
    const again = await readBack(disk);
    expect(again.segments[0]?.tornBytes).toBe(0);
    expect(await (await disk.open(pathOf(newest), "read")).size()).toBe(again.last?.length);
  });

  test("that is only looked at stays as it is", async () => {
    const { newest, end } = await writeSegments(1);
    await flip(newest, end - 1);
    const before = await disk
      .killImage()
      .open(pathOf(newest), "read")
      .then((file) => file.size());
    await readBack(disk, 0, true);
    expect(await (await disk.open(pathOf(newest), "read")).size()).toBe(before);
  });

  test("damaged in any byte before its last record is CORRUPTION", async () => {
    const { newest, end } = await writeSegments(2);
    for (let at = 0; at < end - RECORD_BYTES; at++) {
      await flip(newest, at);
      const failure = await readBack(disk, 0, true).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "CORRUPTION" });
      expect((failure as Error).message).toContain(pathOf(newest));
      await flip(newest, at);
    }
    expect((await readBack(disk)).ids).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("damaged in its last record is CORRUPTION once it was marked", async () => {
    const log = await openLog(disk, SEGMENT_BYTES);
    await append(log, 1, 100, false);
    const end = log.segmentLength;
    await log.close();
    for (let at = 0; at < end; at++) {
      await flip(1, at);
      await expect(readBack(disk, 0, true)).rejects.toMatchObject({ code: "CORRUPTION" });
      await flip(1, at);
    }
  });
});

describe("a segment that another one follows", () => {
  test("damaged in any byte is CORRUPTION at that record", async () => {
    const { newest, end } = await writeSegments(2);
    for (let at = 0; at < end; at++) {
      await flip(newest - 1, at);
      const failure = await readBack(disk, 0, true).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "CORRUPTION" });
      expect((failure as Error).message).toContain(pathOf(newest - 1));
      await flip(newest - 1, at);
    }
  });

  test("cut anywhere is CORRUPTION", async () => {
    const { newest, end } = await writeSegments(2);
    for (const length of [end - 1, end - RECORD_BYTES, SEGMENT_HEADER_BYTES, 10, 0]) {
      await cut(newest - 1, length);
      const failure = await readBack(disk, 0, true).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "CORRUPTION" });
      expect((failure as Error).message).toContain(pathOf(newest - 1));
    }
  });

  test("may hold anything behind its records", async () => {
    const { newest, end } = await writeSegments(2);
    await change(newest - 1, (bytes) => bytes.fill(9, end));
    expect((await readBack(disk)).ids).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("missing in the middle is CORRUPTION that names it", async () => {
    const { newest } = await writeSegments(3);
    await disk.remove(pathOf(newest - 1));
    await expect(readBack(disk)).rejects.toThrow(`${pathOf(newest - 1)} at 0: segment is missing`);
  });
});

test("the oldest segment that is needed must be there; older ones are not looked at", async () => {
  const { newest } = await writeSegments(3);
  expect((await readBack(disk, newest - 1)).ids).toEqual([4, 5, 6, 7, 8, 9]);
  await disk.remove(pathOf(newest - 1));
  await flip(newest - 2, 0);
  await expect(readBack(disk, newest - 1)).rejects.toThrow(`${pathOf(newest - 1)} at 0`);
  expect((await readBack(disk, newest)).ids).toEqual([7, 8, 9]);
});

test("segments made ready and not used are passed over, at the end and in the middle", async () => {
  const { newest } = await writeSegments(2);
  const first = await readBack(disk);
  expect(first.segments.map((segment) => segment.number)).toEqual([newest - 1, newest]);
  // The crash left a segment made ready, behind which this one goes on.
  const log = await openLog(disk, SEGMENT_BYTES, first.last);
  expect(log.segmentNumber).toBeGreaterThan(newest + 1);
  await append(log, 7, 100, true);
  expect((await readBack(disk)).ids).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("a newer format is UNSUPPORTED_FORMAT", async () => {
  const header = encodeSegmentHeader({
    number: 1,
    previous: undefined,
    createdAtMs: 0,
    recycledFrom: 0,
  });
  header[RECORD_HEADER_BYTES] = 3;
  const payloadLength = header.length - RECORD_HEADER_BYTES;
  encodeRecordHeader(header, 0, payloadLength, RECORD_KIND.HEADER, 0, 1);
  await (await disk.open(pathOf(1), "create")).write(header, 0);
  await expect(readBack(disk)).rejects.toMatchObject({ code: "UNSUPPORTED_FORMAT" });
});

test("a segment that starts with another record than a header is CORRUPTION", async () => {
  for (const [kind, length] of [
    [RECORD_KIND.GROUP, 50],
    [RECORD_KIND.HEADER, 10],
    [RECORD_KIND.HEADER, 0],
  ] as const) {
    const record = new Uint8Array(RECORD_HEADER_BYTES + length);
    encodeRecordHeader(record, 0, length, kind, 0, 1);
    const path = pathOf(1);
    if (await disk.exists(path)) await disk.remove(path);
    await (await disk.open(path, "create")).write(record, 0);
    await expect(readBack(disk)).rejects.toMatchObject({ code: "CORRUPTION" });
  }
});
