/**
 * How large each level should be. Targets are computed down from the real size of the last level, each a
 * `levelMultiplier`-th of the one below, so that nine tenths of the data are always in the last level and
 * space amplification stays near 1.1 whatever the size of the database. Levels above the *base level*
 * would be smaller than is worth having; they stay empty, and level 0 is compacted into the base level.
 *
 * Source of the idea: RocksDB's `level_compaction_dynamic_level_bytes`.
 */
import { type CodecName, codecOf, LEVELS, type Settings } from "../options.ts";
import type { Version } from "../version/version.ts";

export const LAST_LEVEL = LEVELS - 1;

export interface LevelTargets {
  /** Where level 0 goes. */
  readonly baseLevel: number;
  /** By level, in bytes; 0 for levels that should be empty. Level 0 has none. */
  readonly bytes: readonly number[];
}

export function levelTargets(version: Version, settings: Settings): LevelTargets {
  return levelTargetsOver(version.totals(LAST_LEVEL).bytes, settings);
}

/** The targets above a last level of so many bytes. */
export function levelTargetsOver(lastLevelBytes: number, settings: Settings): LevelTargets {
  const bytes = new Array<number>(LEVELS).fill(0);
  let target = Math.max(lastLevelBytes, settings.levelBytes);
  let baseLevel = LAST_LEVEL;
  bytes[LAST_LEVEL] = target;
  while (baseLevel > 1 && target > settings.levelBytes) {
    target /= settings.levelMultiplier;
    baseLevel--;
    bytes[baseLevel] = Math.max(target, settings.levelBytes / settings.levelMultiplier);
  }
  return { baseLevel, bytes };
}

/** The codec of a level: by its depth below level 0, not counting the levels that stay empty. */
export function codecOfLevel(level: number, targets: LevelTargets, settings: Settings): CodecName {
  return codecOf(settings, level === 0 ? 0 : Math.max(1, level - targets.baseLevel + 1));
}

/** Bytes that compaction has still to move: what levels hold over their targets, and a level 0 that is due. */
export function compactionDebt(version: Version, settings: Settings): number {
  const targets = levelTargets(version, settings);
  const level0 = version.totals(0);
  let debt = level0.files >= settings.level0CompactAt ? level0.bytes : 0;
  for (let level = 1; level < LAST_LEVEL; level++) {
    debt += Math.max(0, version.totals(level).bytes - (targets.bytes[level] ?? 0));
  }
  return debt;
}
