/**
 * The limit on what background work writes: a task says at every step what it wrote, and no step is large,
 * so that a worker can pause in between for as long as the limit asks.
 */
import { expect, test } from "vitest";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { TABLE_DIRECTORY } from "../../support/table-fixture.ts";
import { compactTask, outputSettings, runWhole, writeNoise } from "../../support/task-fixture.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

test.each([
  ["few large values", 60, 100 * KIB],
  ["many small values", 30_000, 10],
  ["one value", 1, 10],
])("the steps of a compaction of %s tell all that it writes", (_what, entries, valueBytes) => {
  const fs = new MemoryFileSystem();
  const input = writeNoise(fs.sync, TABLE_DIRECTORY, 1, entries, valueBytes);
  const output = outputSettings({ tableBytes: 2 * MIB, blockBytes: 4 * KIB });
  const { result, steps } = runWhole(compactTask([[input]], { output }), fs.sync);
  expect(steps.reduce((total, bytes) => total + bytes, 0)).toBe(result.bytesWritten);
  expect(result.bytesWritten).toBeGreaterThan(entries * valueBytes);
});

test("no step of a compaction is large, be its entries few or many", () => {
  for (const [entries, valueBytes] of [
    [60, 100 * KIB],
    [30_000, 10],
  ] as const) {
    const fs = new MemoryFileSystem();
    const input = writeNoise(fs.sync, TABLE_DIRECTORY, 1, entries, valueBytes);
    const output = outputSettings({ tableBytes: 16 * MIB, blockBytes: 4 * KIB });
    const { steps } = runWhole(compactTask([[input]], { output }), fs.sync);
    expect(steps.length).toBeGreaterThan(5);
    expect(Math.max(...steps)).toBeLessThan(1.2 * MIB);
  }
});
