/**
 * Compactions of large values ran past the limit on background writes: only every 2000th entry was a step
 * after which a worker paused, and what was written after the last step was never counted.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WorkerBackground } from "../../src/engine/worker-background.ts";
import { DiskFileSystem } from "../../src/fs/disk-file-system.ts";
import { compactTask, outputSettings, writeNoise } from "../support/task-fixture.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

test("a worker writes no faster than its limit, be the entries few or many", async () => {
  const directory = await mkdtemp(join(tmpdir(), "varve-pace-"));
  const bytesPerSecond = 4 * MIB;
  const background = new WorkerBackground(bytesPerSecond, 1);
  const disk = new DiskFileSystem().sync;
  const run = async (number: number, entries: number, valueBytes: number) => {
    const input = writeNoise(disk, directory, number, entries, valueBytes);
    const output = outputSettings(
      { directory, blockBytes: 4 * KIB, tableBytes: MIB },
      100 * number,
    );
    const startedMs = performance.now();
    const { bytesWritten } = await background.run(compactTask([[input]], { output }));
    return { bytesWritten, tookMs: performance.now() - startedMs };
  };
  try {
    // The first one waits for the thread to start.
    await run(1, 1, 10);
    for (const { bytesWritten, tookMs } of [await run(2, 7, 64 * KIB), await run(3, 15_000, 10)]) {
      expect(bytesWritten).toBeGreaterThan(350 * KIB);
      expect(tookMs).toBeGreaterThan((bytesWritten / bytesPerSecond) * 1000 * 0.95);
    }
  } finally {
    await background.close();
    await rm(directory, { recursive: true });
  }
});
