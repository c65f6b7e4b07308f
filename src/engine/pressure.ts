/** How far flush and compaction are behind, as `Admission` weighs it. */
import { compactionDebt } from "../compaction/targets.ts";
import type { Settings } from "../options.ts";
import type { Pressure } from "./admission.ts";
import type { Tree } from "./tree.ts";

export function pressureOf(tree: Tree, settings: Settings): Pressure {
  const { version, memtables } = tree;
  const share = (value: number, delayAt: number, stopAt: number) =>
    Math.max(0, (value - delayAt) / (stopAt - delayAt));
  return {
    // Never 1: whether there is room for a memtable is asked for each write.
    memtables: Math.max(0, memtables.waiting - 1) / (settings.immutableMemtablesMax + 1),
    level0: share(version.totals(0).files, settings.level0DelayAt, settings.level0StopAt),
    debt: share(compactionDebt(version, settings), settings.debtDelayAt, settings.debtStopAt),
  };
}
