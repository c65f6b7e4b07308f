/** Percentiles of what was measured. */

/** Keeps a rank that is whole from being taken for one just above it, as 0.999 × 1000 would. */
const ROUNDING = 1e-9;

/** The least value that `percent` of `sorted` are at or below. */
export function percentile(sorted: Float64Array, percent: number): number {
  const rank = Math.ceil((percent / 100) * sorted.length * (1 - ROUNDING));
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN;
}
