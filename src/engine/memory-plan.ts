/**
 * One memory budget for the whole engine. Memtables get a fixed share, since their arenas are allocated
 * whole; open tables (indexes and filters) and cached blocks share the rest. Blocks give way first, as
 * they are many and cheap to read again; tables are closed when they alone pass most of that rest.
 */
import type { Settings } from "../options.ts";

/** Of the budget, for all memtables together: the one that takes writes, and those that wait. */
const MEMTABLE_SHARE = 1 / 2;
const ARENA_BYTES_MIN = 4 * 1024;

export interface MemoryPlan {
  /** Size of a memtable's arena. */
  readonly arenaBytes: number;
  /** For indexes, filters and blocks, while no memtable is larger than usual. */
  readonly cacheBytes: number;
}

export function planMemory(settings: Settings): MemoryPlan {
  // The one that takes writes, those that wait, and one that a reader may still hold.
  const arenas = settings.immutableMemtablesMax + 2;
  const share = Math.floor((settings.memoryBudget * MEMTABLE_SHARE) / arenas);
  const arenaBytes = Math.max(ARENA_BYTES_MIN, Math.min(settings.memtableBytes, share));
  return { arenaBytes, cacheBytes: Math.max(0, settings.memoryBudget - arenaBytes * arenas) };
}
