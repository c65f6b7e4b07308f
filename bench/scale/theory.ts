/**
 * What leveled compaction writes in theory for each byte that is put, where keys are chosen evenly:
 *
 *   1                          to the log
 *   1                          to level 0, when a memtable is flushed
 *   1 + base / level 0         to the base level: level 0 is merged with all of it
 *   level / level above it     to each further level: what comes down is spread over all keys, so each byte
 *                              of it is merged with so many that are there
 *
 * The growth factor for each further level is the usual form; see Callaghan, "LSM math: how many levels
 * minimizes write amplification?", Small Datum, 2018. It stands for keys that are there already, of which the
 * new ones replace the old; O'Neil et al., "The Log-Structured Merge-Tree", 1996, count one more a level,
 * for keys that are new. It is an upper end: taking the table that overlaps the least, and a level 0 that has
 * grown beyond what starts a compaction, both write less.
 *
 * Levels are as large as Dong et al., "Optimizing Space Amplification in RocksDB", CIDR 2017, make them, and
 * `levelTargets` after them: down from the real size of the last level, so that each is `levelMultiplier`
 * times the one above whatever the size of the database.
 */
import { LEVELS } from "../../src/options.ts";

/** All in bytes but the multiplier. */
export interface LevelSizing {
  /** What level 0 holds when it is compacted. */
  readonly level0Bytes: number;
  /** The base level has at most this. */
  readonly levelBytes: number;
  readonly levelMultiplier: number;
}

const LOG = 1;
const FLUSH = 1;

/** The sizes of the levels from the base level to the last one, where the last has `liveBytes`. */
export function levelSizes(liveBytes: number, sizing: LevelSizing): number[] {
  const sizes = [liveBytes];
  for (let base = liveBytes; base > sizing.levelBytes && sizes.length < LEVELS - 1; ) {
    base /= sizing.levelMultiplier;
    sizes.unshift(base);
  }
  return sizes;
}

/** Bytes written for each that is put over a database of `liveBytes` which stays that large. */
export function overwriteAmplification(liveBytes: number, sizing: LevelSizing): number {
  let written = LOG + FLUSH + 1;
  let above = sizing.level0Bytes;
  for (const level of levelSizes(liveBytes, sizing)) {
    written += level / above;
    above = level;
  }
  return written;
}

/** Sizes that stand for all those which a database goes through as it grows. */
const STEPS = 1000;

/**
 * Bytes written for each that is put into an empty database until it has `liveBytes`: the mean over the
 * sizes on the way. Nothing is compacted before level 0 is full for the first time.
 */
export function fillAmplification(liveBytes: number, sizing: LevelSizing): number {
  let sum = 0;
  for (let step = 0; step < STEPS; step++) {
    const bytes = ((step + 0.5) / STEPS) * liveBytes;
    sum += bytes < sizing.level0Bytes ? LOG + FLUSH : overwriteAmplification(bytes, sizing);
  }
  return sum / STEPS;
}
