/** YCSB's choice of records: as skewed as it says, and never outside. */
import { expect, test } from "vitest";
import { randomNumbers } from "../../../bench/support/keys.ts";
import { scrambled, zipfian } from "../../../bench/ycsb/choosers.ts";

test("ranks follow the zipfian law with exponent 0.99", () => {
  const next = randomNumbers(1);
  const count = 1000;
  const rank = zipfian(count, () => next(2 ** 30) / 2 ** 30);
  const draws = 200_000;
  const seen = new Array<number>(count).fill(0);
  for (let i = 0; i < draws; i++) {
    const drawn = rank();
    expect(drawn >= 0 && drawn < count).toBe(true);
    seen[drawn] = (seen[drawn] ?? 0) + 1;
  }
  let zeta = 0;
  for (let i = 1; i <= count; i++) zeta += 1 / i ** 0.99;
  // The first two ranks are exact in Gray's method; the rest is an approximation.
  for (const i of [0, 1]) expect((seen[i] ?? 0) / draws).toBeCloseTo(1 / (i + 1) ** 0.99 / zeta, 2);
  const topTenth = seen.slice(0, count / 10).reduce((sum, times) => sum + times, 0) / draws;
  expect(topTenth).toBeGreaterThan(0.65);
  expect(topTenth).toBeLessThan(0.75);
});

test("popular records are spread over the key space", () => {
  const numbers = Array.from({ length: 100 }, (_, rank) => scrambled(10_000, rank));
  expect(numbers.every((number) => number >= 0 && number < 10_000)).toBe(true);
  expect(numbers.filter((number) => number < 5000).length).toBeGreaterThan(30);
  expect(numbers.filter((number) => number < 5000).length).toBeLessThan(70);
});
