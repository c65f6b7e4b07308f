import { expect, test } from "vitest";
import { CompressionTrial } from "../../../src/table/compression-trial.ts";

/** How many of so many blocks are tried, each of which comes out so. */
function tried(trial: CompressionTrial, blocks: number, isSmaller: boolean): number {
  let count = 0;
  for (let i = 0; i < blocks; i++) {
    if (!trial.isDue()) continue;
    count++;
    trial.told(isSmaller);
  }
  return count;
}

test("where blocks get smaller, each is tried", () => {
  expect(tried(new CompressionTrial(), 1000, true)).toBe(1000);
});

test("where none does, few are tried, and from the first that does all are again", () => {
  const trial = new CompressionTrial();
  expect(tried(trial, 8, false)).toBe(8);
  expect(tried(trial, 1600, false)).toBe(100);
  // One in sixteen is tried, and is smaller; then all.
  expect(tried(trial, 16 + 100, true)).toBe(1 + 100);
});
