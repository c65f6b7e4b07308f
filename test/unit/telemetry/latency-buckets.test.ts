/** Buckets of latencies: narrow enough, in order, and of one make wherever a value lies. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  BUCKETS,
  BucketFinder,
  bucketAfterPower,
  bucketEndUs,
  percentilesOf,
} from "../../../src/telemetry/latency-buckets.ts";

const finder = new BucketFinder();
const startUs = (bucket: number) => (bucket === 0 ? 0 : bucketEndUs(bucket - 1));

test("a value lies in its bucket, which is at most 6.25 % wide", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.125, max: 2 ** 36, noNaN: true }), (microseconds) => {
      const bucket = finder.bucketOf(microseconds);
      expect(startUs(bucket)).toBeLessThanOrEqual(microseconds);
      expect(bucketEndUs(bucket)).toBeGreaterThan(microseconds);
      if (bucket > 0) expect(bucketEndUs(bucket) / startUs(bucket)).toBeLessThanOrEqual(1.0625);
    }),
  );
});

test("buckets follow one another without a gap, and powers of two are borders", () => {
  for (let bucket = 1; bucket < BUCKETS; bucket++) {
    expect(bucketEndUs(bucket)).toBeGreaterThan(bucketEndUs(bucket - 1));
    expect(finder.bucketOf(bucketEndUs(bucket - 1))).toBe(bucket);
  }
  for (const power of [1, 10, 25]) expect(startUs(bucketAfterPower(power))).toBe(2 ** power);
});

test("what is too small, too large, or less than nothing has a bucket, too", () => {
  for (const value of [0, -0, -1, -1e9, 0.01]) expect(finder.bucketOf(value)).toBe(0);
  for (const value of [1e15, Number.POSITIVE_INFINITY, Number.NaN]) {
    expect(finder.bucketOf(value)).toBe(BUCKETS - 1);
  }
});

test("percentiles are within 3.2 % of those of the values", () => {
  const value = fc.double({ min: 0.2, max: 1e7, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
      const counts = new Float64Array(BUCKETS);
      for (const one of values) counts[finder.bucketOf(one)]! += 1;
      const sorted = values.toSorted((a, b) => a - b);
      const { p50, p99, p999 } = percentilesOf(counts)!;
      for (const [share, told] of [
        [0.5, p50],
        [0.99, p99],
        [0.999, p999],
      ] as const) {
        const truth = sorted[Math.ceil(sorted.length * share) - 1]!;
        expect(Math.abs(told / truth - 1)).toBeLessThanOrEqual(0.032);
      }
    }),
  );
});

test("of nothing there are no percentiles", () => {
  expect(percentilesOf(new Float64Array(BUCKETS))).toBeUndefined();
});
