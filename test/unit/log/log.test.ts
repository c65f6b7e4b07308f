import { beforeEach, describe, expect, test } from "vitest";
import { logName } from "../../../src/fs/names.ts";
import { RECORD_KIND } from "../../../src/log/segment.ts";
import { FaultyFileSystem } from "../../support/faulty-file-system.ts";
import { append, LOG_DIRECTORY, logNumbers, openLog, readBack } from "../../support/log-fixture.ts";
import { MemoryFileSystem, type OperationKind } from "../../support/memory-file-system.ts";

const SEGMENT_BYTES = 4096;
let disk: MemoryFileSystem;
let operations: string[] = [];

beforeEach(async () => {
  disk = new MemoryFileSystem();
  await disk.makeDirectory(LOG_DIRECTORY);
  await disk.syncDirectory("/");
  operations = [];
});

/** Records operations from now on; with a segment's number, those on its file only. */
function record(segment?: number): void {
  const only = segment === undefined ? LOG_DIRECTORY : `${LOG_DIRECTORY}/${logName(segment)}`;
  disk.onOperation = (kind: OperationKind, path: string) => {
    if (path.startsWith(only)) operations.push(kind);
  };
}

test("what was appended is read back in order, over several segments and openings", async () => {
  let log = await openLog(disk, SEGMENT_BYTES);
  for (let id = 1; id <= 10; id++) {
    await append(log, id, 100, id % 3 === 0);
    if (id % 4 === 0) await log.rotate();
  }
  await log.close();
  const content = await readBack(disk);
  expect(content.ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  log = await openLog(disk, SEGMENT_BYTES, content.last);
  await append(log, 11, 20_000, true);
  await log.close();
  expect((await readBack(disk)).ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(disk.openFiles).toBe(0);
});

test("a synced append behind synced ones is one write; behind others it is a write and a sync", async () => {
  const log = await openLog(disk, SEGMENT_BYTES);
  record(log.segmentNumber);
  await append(log, 1, 10, true);
  expect(operations).toEqual(["writeSynced"]);
  await append(log, 2, 10, false);
  expect(log.unsyncedBytes).toBe(25);
  await append(log, 3, 10, true);
  expect(operations).toEqual(["writeSynced", "write", "write", "sync"]);
  expect(log.unsyncedBytes).toBe(0);
  await append(log, 4, 10, false);
  await log.sync();
  await log.sync();
  expect(operations.slice(4)).toEqual(["write", "sync"]);
});

test("a segment left behind is on the disk before the next one is used", async () => {
  const log = await openLog(disk, SEGMENT_BYTES);
  const first = log.segmentNumber;
  await append(log, 1, 10, false);
  const order: string[] = [];
  disk.onOperation = (kind, path) => order.push(`${kind} ${path}`);
  const second = await log.rotate();
  expect(second).toBeGreaterThan(first);
  expect(log.segmentNumber).toBe(second);
  const [left, used] = [first, second].map((number) => `${LOG_DIRECTORY}/${logName(number)}`);
  expect(order.indexOf(`sync ${left}`)).toBeGreaterThanOrEqual(0);
  expect(order.indexOf(`sync ${left}`)).toBeLessThan(order.indexOf(`writeSynced ${used}`));
});

test("retired segments are used again under new numbers, a few of them, and others removed", async () => {
  const log = await openLog(disk, SEGMENT_BYTES);
  for (let round = 0; round < 20; round++) {
    await append(log, round, 500, true);
    const number = await log.rotate();
    await log.retire(number);
    expect((await logNumbers(disk)).length).toBeLessThanOrEqual(4);
  }
  record();
  await append(log, 20, 500, true);
  await log.rotate();
  await log.retire(log.segmentNumber);
  await log.rotate();
  expect(operations).toContain("rename");
  expect(operations).not.toContain("create");
  await append(log, 21, 10, true);
  const needed = log.segmentNumber;
  await log.close();
  expect((await readBack(disk, needed)).ids).toEqual([21]);
  expect(await logNumbers(disk)).toHaveLength(2);
});

test("segments of earlier openings are removed once nothing needs them", async () => {
  for (let opening = 0; opening < 3; opening++) {
    const log = await openLog(disk, SEGMENT_BYTES, (await readBack(disk)).last);
    await append(log, opening, 10, true);
    await log.close();
  }
  const log = await openLog(disk, SEGMENT_BYTES, (await readBack(disk)).last);
  expect(await logNumbers(disk)).toHaveLength(5);
  await log.retire(log.segmentNumber);
  await log.close();
  expect(await logNumbers(disk)).toEqual([log.segmentNumber]);
});

test("a closed log ends in a marker, so damage to its last record is seen", async () => {
  const log = await openLog(disk, SEGMENT_BYTES);
  await append(log, 1, 10, false);
  await log.markSynced();
  await append(log, 2, 10, false);
  await log.close();
  const [segment] = (await readBack(disk)).segments;
  const cursor = segment!.records();
  const kinds: number[] = [];
  while (cursor.next()) kinds.push(cursor.kind);
  const { GROUP, MARKER } = RECORD_KIND;
  expect(kinds).toEqual([GROUP, MARKER, GROUP, MARKER]);
  expect(cursor.syncedTo).toBe(cursor.start);
});

test("closing an unused log writes nothing, and twice is fine", async () => {
  const log = await openLog(disk, SEGMENT_BYTES);
  const before = log.bytesWritten;
  await log.close();
  await log.close();
  expect(log.bytesWritten).toBe(before);
  await expect(append(log, 1, 10, true)).rejects.toMatchObject({ code: "CLOSED" });
});

test("calls that overlap are a mistake", async () => {
  const log = await openLog(disk, SEGMENT_BYTES);
  const first = append(log, 1, 10, true);
  await expect(append(log, 2, 10, true)).rejects.toThrow("one call at a time");
  await first;
  await append(log, 3, 10, true);
});

describe("after a failure", () => {
  test.each([
    ["write", false],
    ["writeSynced", true],
    ["sync", true],
  ] as const)(
    "of %s every later call fails with the first cause, and nothing is written",
    async (kind, sync) => {
      const faulty = new FaultyFileSystem(disk);
      const log = await openLog(faulty, SEGMENT_BYTES);
      const path = new RegExp(logName(log.segmentNumber));
      if (kind === "sync") await append(log, 1, 10, false);
      faulty.setRules([{ kinds: [kind], path, nth: 1, fault: "EIO" }]);
      const failure = await append(log, 2, 10, sync).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "LOG_FAILED", cause: { code: "IO_ERROR" } });
      record(log.segmentNumber);
      await expect(append(log, 3, 10, true)).rejects.toBe(failure);
      await expect(log.sync()).rejects.toBe(failure);
      await expect(log.rotate()).rejects.toBe(failure);
      await expect(log.markSynced()).rejects.toBe(failure);
      expect(operations).toEqual([]);
      await log.close();
      expect(disk.openFiles).toBe(0);
    },
  );

  test("to make a segment ready ahead, the rotation makes one itself", async () => {
    const faulty = new FaultyFileSystem(disk, [
      { kinds: ["create"], path: /log$/, nth: 2, fault: "EIO" },
    ]);
    const log = await openLog(faulty, SEGMENT_BYTES);
    await log.rotate();
    await append(log, 1, 10, true);
    await log.close();
    expect((await readBack(disk)).ids).toEqual([1]);
  });

  test("for want of space to make a segment ready, it grows as it is written to", async () => {
    const faulty = new FaultyFileSystem(disk);
    const log = await openLog(faulty, SEGMENT_BYTES);
    await log.rotate();
    faulty.setRules([{ kinds: ["write"], fault: "ENOSPC" }]);
    await log.rotate();
    await log.rotate();
    await append(log, 1, 10, true);
    expect(log.segmentLength).toBe((await readBack(disk, 0, true)).last?.length);
  });

  test("to open, no file stays open", async () => {
    const kinds = ["create", "write", "writeSynced", "sync", "syncDirectory"] as const;
    for (const kind of kinds) {
      const faulty = new FaultyFileSystem(disk, [{ kinds: [kind], nth: 1, fault: "EIO" }]);
      await expect(openLog(faulty, SEGMENT_BYTES)).rejects.toMatchObject({ code: "IO_ERROR" });
    }
    expect(disk.openFiles).toBe(0);
  });
});
