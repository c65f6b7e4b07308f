/** Settings so small that a few hundred writes reach every level and every code path. */
import type { Settings } from "../../src/options.ts";

const KIB = 1024;

export const TINY_SETTINGS: Partial<Settings> = {
  memoryBudget: 256 * KIB,
  memtableBytes: 4 * KIB,
  blockBytes: 128,
  tableBytes: 1 * KIB,
  levelBytes: 1 * KIB,
  levelMultiplier: 2,
  level0CompactAt: 2,
  manifestBytes: 4 * KIB,
  openTablesMax: 8,
};
