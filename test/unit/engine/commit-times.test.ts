import { expect, test } from "vitest";
import { CommitTimes } from "../../../src/engine/commit-times.ts";
import { Random, seeds } from "../../support/random.ts";

test.each(seeds(20))("any age is told, never too far ahead, nor far behind (seed %i)", (seed) => {
  const random = new Random(seed);
  const times = new CommitTimes();
  const committed: { ms: number; sequence: number }[] = [];
  let ms = 1_000_000;
  for (let sequence = 1; sequence <= 20_000; sequence++) {
    ms += 1 + random.below(1 + random.below(200));
    times.add(ms, sequence);
    committed.push({ ms, sequence });
  }
  expect(times.count).toBeLessThan(1500);
  for (let i = 0; i < 100; i++) {
    const age = Math.floor((ms - 1_000_000) ** (random.below(1000) / 1000));
    const exact = committed.findLast((one) => one.ms < ms - age)?.sequence ?? 0;
    const told = times.sequenceBefore(ms - age);
    expect(told).toBeLessThanOrEqual(exact);
    const atLeast = committed.findLast((one) => one.ms < ms - age * 1.05 - 400)?.sequence ?? 0;
    expect(told).toBeGreaterThanOrEqual(atLeast);
  }
});

test("what nobody will ask for is forgotten, but for the last before it", () => {
  const times = new CommitTimes();
  for (let i = 1; i <= 10; i++) times.add(i * 10, i);
  times.forgetBefore(55);
  expect(times.count).toBe(6);
  expect(times.sequenceBefore(55)).toBe(5);
  expect(times.sequenceBefore(50)).toBe(0);
});

test("a clock that is set back adds nothing", () => {
  const times = new CommitTimes();
  times.add(100, 1);
  times.add(50, 2);
  times.add(200, 2);
  expect([times.sequenceBefore(60), times.sequenceBefore(101)]).toEqual([0, 1]);
  expect(times.sequenceBefore(201)).toBe(2);
});
