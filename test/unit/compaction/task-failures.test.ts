/** A task that cannot be done leaves nothing behind, its inputs as they were, and says why. */
import { expect, test } from "vitest";
import { runTask } from "../../../src/compaction/run-task.ts";
import { VarveError } from "../../../src/errors.ts";
import type { TableMeta } from "../../../src/table/table-meta.ts";
import { FaultyFileSystem } from "../../support/faulty-file-system.ts";
import { MemoryFileSystem, type OperationKind } from "../../support/memory-file-system.ts";
import { type ModelEntry, sortEntries } from "../../support/model-entries.ts";
import { Random, seeds } from "../../support/random.ts";
import { pathOfTable, writeTable } from "../../support/table-fixture.ts";
import {
  compactTask,
  entriesOf,
  flushTask,
  INPUT_NUMBERS,
  outputSettings,
  runWhole,
  writeRuns,
} from "../../support/task-fixture.ts";

function someEntries(count: number): ModelEntry[] {
  const random = new Random(count);
  return Array.from({ length: count }, (_, i) => ({
    key: Uint8Array.from(Buffer.from(`key:${String(random.below(count)).padStart(4, "0")}`)),
    sequence: i + 1,
    kind: 1,
    timeMs: 0,
    value: random.bytes(20),
  }));
}

/** A disk with two runs of tables. */
function diskOf(count: number): { fs: MemoryFileSystem; runs: TableMeta[][] } {
  const fs = new MemoryFileSystem();
  return { fs, runs: writeRuns(fs, someEntries(count), 2, new Random(1)) };
}

function failureOf(action: () => unknown): VarveError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(VarveError);
    return error as VarveError;
  }
  return expect.unreachable("the task was done");
}

function flip(fs: MemoryFileSystem, path: string, at: number): void {
  const file = fs.sync.open(path, "write");
  const byte = new Uint8Array(1);
  file.read(byte, at);
  byte[0]! ^= 1 << (at % 8);
  file.write(byte, at);
  file.close();
}

test("an input that is damaged anywhere is CORRUPTION, named, and no output is left", async () => {
  const { fs, runs } = diskOf(40);
  const names = await fs.list("/");
  for (const { number, fileBytes } of runs.flat()) {
    const path = pathOfTable(number);
    for (let at = 0; at < fileBytes; at += 7) {
      const damaged = fs.killImage();
      flip(damaged, path, at);
      // Small outputs, so that some are complete before the damage is met.
      const task = compactTask(runs, { output: outputSettings({ tableBytes: 256 }) });
      const { code, message } = failureOf(() => runWhole(task, damaged.sync));
      expect(code, message).toBe("CORRUPTION");
      expect(message).toContain(`${path} at `);
      expect(await damaged.list("/")).toEqual(names);
      expect(damaged.openFiles).toBe(0);
    }
  }
});

test("an input that is cut short is CORRUPTION, and one that is missing fails, with no output left", async () => {
  const { fs, runs } = diskOf(40);
  const names = await fs.list("/");
  const { number, fileBytes } = runs[1]!.at(-1)!;
  const path = pathOfTable(number);
  for (let bytes = 0; bytes < fileBytes; bytes += 3) {
    const cut = fs.killImage();
    const file = await cut.open(path, "write");
    await file.truncate(bytes);
    await file.close();
    const { code, message } = failureOf(() => runWhole(compactTask(runs), cut.sync));
    expect(code, message).toBe("CORRUPTION");
    expect(message).toContain(`${path} at `);
    expect(await cut.list("/")).toEqual(names);
    expect(cut.openFiles).toBe(0);
  }
  await fs.remove(path);
  const { code, message } = failureOf(() => runWhole(compactTask(runs), fs.sync));
  expect([code, message]).toEqual(["IO_ERROR", expect.stringContaining(path)]);
  expect(await fs.list("/")).toEqual(names.filter((name) => `/${name}` !== path));
  expect(fs.openFiles).toBe(0);
});

test("inputs that are not in order are CORRUPTION", async () => {
  const fs = new MemoryFileSystem();
  const [first, second] = sortEntries(someEntries(2)) as [ModelEntry, ModelEntry];
  const tables = [writeTable(fs, [second], { number: 1 }), writeTable(fs, [first], { number: 2 })];
  const same = [writeTable(fs, [first], { number: 3 }), writeTable(fs, [first], { number: 4 })];
  for (const runs of [[tables], [[same[0]!], [same[1]!]]]) {
    const { code, message } = failureOf(() => runWhole(compactTask(runs), fs.sync));
    expect([code, message]).toEqual(["CORRUPTION", expect.stringContaining("not in order")]);
    expect((await fs.list("/")).length).toBe(4);
    expect(fs.openFiles).toBe(0);
  }
});

const KINDS: readonly OperationKind[] = [
  "open",
  "create",
  "read",
  "write",
  "sync",
  "syncDirectory",
];

test.each(KINDS)("a failing %s fails the task, and no output is left", async (kind) => {
  let failures = 0;
  for (let nth = 1; ; nth++) {
    const { fs: disk, runs } = diskOf(60);
    const names = await disk.list("/");
    const fs = new FaultyFileSystem(disk, [{ kinds: [kind], nth, fault: "EIO" }]);
    const task = compactTask(runs, { output: outputSettings({ tableBytes: 512 }) });
    try {
      runWhole(task, fs.sync);
      break;
    } catch (error) {
      expect(error).toMatchObject({ code: "IO_ERROR" });
      failures++;
    }
    expect(await disk.list("/"), `${kind} ${nth}`).toEqual(names);
    expect(disk.openFiles, `${kind} ${nth}`).toBe(0);
  }
  expect(failures).toBeGreaterThan(0);
});

test("a full disk is NO_SPACE, for a flush too, and no output is left", async () => {
  const { fs: disk, runs } = diskOf(60);
  const names = await disk.list("/");
  for (const task of [compactTask(runs), flushTask([someEntries(60)])]) {
    const fs = new FaultyFileSystem(disk, [{ kinds: ["write"], fault: "ENOSPC" }]);
    expect(failureOf(() => runWhole(task, fs.sync)).code).toBe("NO_SPACE");
    expect(await disk.list("/")).toEqual(names);
    expect(disk.openFiles).toBe(0);
  }
});

test("a task that is told to stop, or is not gone on with, leaves nothing", async () => {
  // More than one step's worth.
  const { fs, runs } = diskOf(5000);
  const names = await fs.list("/");
  const cancelled = compactTask(runs);
  const running = runTask(cancelled, fs.sync);
  expect(running.next().done).toBe(false);
  Atomics.store(new Int32Array(cancelled.cancel), 0, 1);
  expect(failureOf(() => running.next()).code).toBe("CLOSED");
  expect(await fs.list("/")).toEqual(names);
  expect(fs.openFiles).toBe(0);

  const left = runTask(compactTask(runs), fs.sync);
  left.next();
  expect((await fs.list("/")).length).toBeGreaterThan(names.length);
  left.return({} as never);
  expect(await fs.list("/")).toEqual(names);
  expect(fs.openFiles).toBe(0);
});

test.each(seeds(5))(
  "inputs survive a crash at any operation; outputs, once told, too (seed %i)",
  async (seed) => {
    for (let operations = 0; ; operations++) {
      const { fs, runs } = diskOf(30);
      let left = operations;
      fs.onOperation = () => {
        if (--left < 0) throw new Error("power lost");
      };
      let added: readonly TableMeta[] = [];
      try {
        const task = compactTask(runs, { output: outputSettings({ tableBytes: 512 }) });
        added = runWhole(task, fs.sync).result.added;
      } catch (error) {
        if (!fs.crashed) throw error;
      }
      const image = fs.crashImage(seed + operations);
      const inputs = runs.flat().flatMap((meta) => entriesOf(image, meta));
      expect(sortEntries(inputs)).toEqual(sortEntries(someEntries(30)));
      if (added.length === 0) continue;
      expect(added[0]!.number).toBeGreaterThan(INPUT_NUMBERS);
      const newest = [...Map.groupBy(sortEntries(inputs), ({ key }) => key.join()).values()];
      expect(added.flatMap((meta) => entriesOf(image, meta))).toEqual(newest.map(([one]) => one));
      break;
    }
  },
);
