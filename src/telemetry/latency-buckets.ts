/**
 * Buckets for latencies, log-linear: each power of two of a microsecond is cut into sixteen of one width, so a bucket
 * is about 6 % wide, wherever it lies. A bucket's index is what a floating-point number begins with: its exponent and
 * the first four bits of its mantissa; so finding it takes no logarithm and no search.
 *
 * Why not the histograms of `perf_hooks`: they give percentiles since they were reset alone. Two readers with windows
 * of their own would reset one another's, and the counts of their buckets, which Prometheus wants and whose differences
 * give the percentiles of any window, are not to be had. Counts in a typed array are all that, cost a third per record,
 * and make no garbage.
 */
const STEPS_BITS = 4;
const STEPS = 1 << STEPS_BITS;
/** The first bucket begins at 2^-3 µs and takes what is below; the last ends at 2^37 µs, which is 38 hours. */
const FIRST_POWER = -3;
const POWERS = 40;
export const BUCKETS = POWERS * STEPS;

const EXPONENT_BIAS = 1023;
const FIRST = (EXPONENT_BIAS + FIRST_POWER) << STEPS_BITS;
const MANTISSA_BITS_IN_HIGH_WORD = 20;

/** Finds buckets; an instance for the memory in which a number is taken apart. */
export class BucketFinder {
  readonly #number = new Float64Array(1);
  /** Little-endian, as all machines are on which Node runs. */
  readonly #words = new Uint32Array(this.#number.buffer);

  bucketOf(microseconds: number): number {
    this.#number[0] = microseconds;
    const at = (this.#words[1]! >>> (MANTISSA_BITS_IN_HIGH_WORD - STEPS_BITS)) - FIRST;
    // A sign, of a clock that went back or of a negative zero, would make it large.
    if (at < 0 || microseconds <= 0) return 0;
    return at < BUCKETS ? at : BUCKETS - 1;
  }
}

/** Where the bucket ends and the next one begins, in microseconds. */
export function bucketEndUs(bucket: number): number {
  const power = FIRST_POWER + (bucket >> STEPS_BITS);
  return 2 ** power * (1 + ((bucket & (STEPS - 1)) + 1) / STEPS);
}

/** The buckets that end at or before a power of two of a microsecond are those before this one. */
export function bucketAfterPower(power: number): number {
  return (power - FIRST_POWER) << STEPS_BITS;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** In microseconds, at most 3 % beside the truth; `undefined` where nothing was counted. */
export function percentilesOf(counts: Float64Array): Percentiles | undefined {
  let total = 0;
  for (const count of counts) total += count;
  if (total <= 0) return undefined;
  return {
    p50: percentile(counts, total, 0.5),
    p99: percentile(counts, total, 0.99),
    p999: percentile(counts, total, 0.999),
  };
}

/** The middle of the bucket in which the value of this rank lies. */
function percentile(counts: Float64Array, total: number, share: number): number {
  const rank = Math.ceil(total * share);
  let passed = 0;
  let bucket = 0;
  for (; bucket < counts.length - 1; bucket++) {
    passed += counts[bucket]!;
    if (passed >= rank) break;
  }
  const end = bucketEndUs(bucket);
  return (end + (bucket === 0 ? 0 : bucketEndUs(bucket - 1))) / 2;
}
