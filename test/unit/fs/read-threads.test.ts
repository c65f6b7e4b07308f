/** Small reads through the threads: the same bytes as any other read, in any number and order, and an orderly end. */
import { execFile } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { DiskFileSystem } from "../../../src/fs/disk-file-system.ts";
import { RING_READ_BYTES_MAX, RING_SLOTS } from "../../../src/fs/read-ring.ts";
import { ReadThreads } from "../../../src/fs/read-threads.ts";
import { Random, seeds } from "../../support/random.ts";

const root = mkdtempSync(join(tmpdir(), "varve-read-threads-"));
afterAll(() => rmSync(root, { recursive: true }));

const FILE_BYTES = 300_000;
const content = new Random(1).bytes(FILE_BYTES);
const path = join(root, "file");
writeFileSync(path, content);

async function threads(): Promise<ReadThreads> {
  const started = new ReadThreads();
  onTestFinished(() => started.close());
  while (!started.mayTake(1)) await new Promise(setImmediate);
  return started;
}

function opened(): number {
  const fd = openSync(path, "r");
  onTestFinished(() => closeSync(fd));
  return fd;
}

function read(from: ReadThreads, fd: number, target: Uint8Array, position: number) {
  return new Promise<number | undefined>((resolve) => from.read(fd, target, position, resolve));
}

test.each(seeds(5))("bursts of reads get the bytes that are there (seed %i)", async (seed) => {
  const random = new Random(seed);
  const ring = await threads();
  const fd = opened();
  for (let burst = 0; burst < 50; burst++) {
    const reads: Promise<void>[] = [];
    for (let i = random.below(RING_SLOTS); i > 0; i--) {
      const target = new Uint8Array(1 + random.below(RING_READ_BYTES_MAX));
      const position = random.below(FILE_BYTES + 5000);
      if (!ring.mayTake(target.length)) break;
      reads.push(
        read(ring, fd, target, position).then((bytes) => {
          const want = content.subarray(position, position + target.length);
          expect(bytes).toBe(want.length);
          expect(Buffer.compare(target.subarray(0, bytes), want)).toBe(0);
        }),
      );
    }
    await Promise.all(reads);
  }
});

test("as many reads as there are slots are taken, and no more until some are done", async () => {
  const ring = await threads();
  const fd = opened();
  const target = new Uint8Array(10);
  const reads = Array.from({ length: RING_SLOTS }, () => read(ring, fd, target, 0));
  expect(ring.mayTake(10)).toBe(false);
  expect(await Promise.all(reads)).toEqual(new Array(RING_SLOTS).fill(10));
  expect(ring.mayTake(10)).toBe(true);
  expect(ring.mayTake(RING_READ_BYTES_MAX + 1)).toBe(false);
});

test("a read that fails is told as failed, and the next one works", async () => {
  const ring = await threads();
  const fd = opened();
  expect(await read(ring, 1_000_000, new Uint8Array(10), 0)).toBeUndefined();
  expect(await read(ring, fd, new Uint8Array(10), 0)).toBe(10);
});

test("a disk's files read through it when there are many reads, failures and all", async () => {
  const fs = new DiskFileSystem();
  onTestFinished(() => fs.close());
  const file = await fs.open(path, "read");
  const directory = await fs.open(root, "read");
  for (let round = 0; round < 30; round++) {
    const all = Array.from({ length: 400 }, async (_, i) => {
      const target = new Uint8Array(100);
      expect(await file.read(target, i * 500)).toBe(100);
      expect(Buffer.compare(target, content.subarray(i * 500, i * 500 + 100))).toBe(0);
    });
    const failing = expect(directory.read(new Uint8Array(10), 0)).rejects.toMatchObject({
      code: "IO_ERROR",
      message: expect.stringContaining("EISDIR"),
    });
    await Promise.all([...all, failing]);
  }
  await file.close();
  await directory.close();
});

test("when the threads end, what they had not done is told as failed, and nothing more is taken", async () => {
  const ring = await threads();
  const fd = opened();
  const reads = Array.from({ length: 100 }, () => read(ring, fd, new Uint8Array(10), 0));
  await ring.close();
  for (const bytes of await Promise.all(reads)) expect([10, undefined]).toContain(bytes);
  expect(ring.mayTake(10)).toBe(false);
});

test("a read under way keeps the process alive, and the threads do not", async () => {
  const program = `
    import { DiskFileSystem } from ${JSON.stringify(join(import.meta.dirname, "../../../src/fs/disk-file-system.ts"))};
    const file = await new DiskFileSystem().open(${JSON.stringify(path)}, "read");
    const target = new Uint8Array(10);
    let bytes = 0;
    for (let i = 0; i < 20000; i++) bytes += await file.read(target, i);
    console.log(bytes);
  `;
  const args = ["--input-type=module-typescript", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toBe("200000\n");
});
