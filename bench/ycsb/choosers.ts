/**
 * Which record the next operation is on, as YCSB chooses it (Cooper et al., "Benchmarking Cloud Serving
 * Systems with YCSB", 2010; the algorithm is Gray et al., "Quickly Generating Billion-Record Synthetic
 * Databases", 1994).
 */

const THETA = 0.99;

/** Random numbers from 0 up to 1. */
export type Random = () => number;

/** Ranks from 0 to `count` - 1; rank 0 is the most popular. */
export function zipfian(count: number, random: Random): () => number {
  let zeta = 0;
  for (let i = 1; i <= count; i++) zeta += 1 / i ** THETA;
  const zeta2 = 1 + 0.5 ** THETA;
  const alpha = 1 / (1 - THETA);
  const eta = (1 - (2 / count) ** (1 - THETA)) / (1 - zeta2 / zeta);
  return () => {
    const u = random();
    const uz = u * zeta;
    if (uz < 1) return 0;
    if (uz < zeta2) return 1;
    return Math.min(count - 1, Math.floor(count * (eta * u - eta + 1) ** alpha));
  };
}

/** Spreads popular records over all of the key space, as YCSB's scrambled generator does. */
export function scrambled(count: number, rank: number): number {
  let h = Math.imul(rank ^ 0x811c9dc5, 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return ((h ^ (h >>> 13)) >>> 0) % count;
}
