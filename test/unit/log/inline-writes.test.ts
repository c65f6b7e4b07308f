import { expect, test } from "vitest";
import { InlineWrites } from "../../../src/log/inline-writes.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const KIB = 1024;

test("small writes block, and one in so many bytes lets the event loop turn", () => {
  const writes = new InlineWrites(new ManualClock());
  const allowed = Array.from({ length: 100 }, () => writes.allows(10 * KIB));
  const pauses = allowed.flatMap((isAllowed, i) => (isAllowed ? [] : [i]));
  expect(pauses.length).toBeGreaterThan(5);
  // Evenly: each run of blocking writes has fewer than 128 KiB.
  for (const [i, at] of pauses.entries()) expect(at - (pauses[i - 1] ?? -1)).toBeLessThan(14);
});

test("writes of next to nothing let the event loop turn, too", () => {
  const writes = new InlineWrites(new ManualClock());
  expect(Array.from({ length: 1000 }, () => writes.allows(1)).filter((is) => !is)).not.toEqual([]);
});

test("a large write does not block", () => {
  expect(new InlineWrites(new ManualClock()).allows(KIB * KIB)).toBe(false);
});

test("after a write that took long, writes do not block for a while", () => {
  const clock = new ManualClock();
  const writes = new InlineWrites(clock);
  writes.run(() => clock.advance(1));
  expect(writes.allows(1)).toBe(true);
  writes.run(() => clock.advance(10));
  expect(writes.allows(1)).toBe(false);
  clock.advance(500);
  expect(writes.allows(1)).toBe(false);
  clock.advance(500);
  expect(writes.allows(1)).toBe(true);
});

test("the longer writes go on to take long, the rarer they block, and no longer once they are fast", () => {
  const clock = new ManualClock();
  const writes = new InlineWrites(clock);
  const slowWrite = () => writes.run(() => clock.advance(10));
  /** How long it takes until a write may block again. */
  const pause = () => {
    const startedMs = clock.monotonicMs();
    while (!writes.allows(1)) clock.advance(100);
    return clock.monotonicMs() - startedMs;
  };
  const pauses = Array.from({ length: 9 }, () => {
    slowWrite();
    return pause();
  });
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000, 64_000]);
  clock.advance(10 * 64_000);
  slowWrite();
  expect(pause()).toBe(1000);
});
