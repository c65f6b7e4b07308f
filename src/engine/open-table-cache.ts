/** The table cache of a database that is being opened. */
import { BlockCache } from "./block-cache.ts";
import type { MemoryPlan } from "./memory-plan.ts";
import type { World } from "./open-options.ts";
import { TableCache } from "./table-cache.ts";

/** Tables may take this share of the files that the process may open. */
const OPEN_FILES_SHARE = 0.5;

export function openTableCache(directory: string, world: World, plan: MemoryPlan): TableCache {
  const { fs, settings } = world;
  const share = Math.floor(fs.openFilesLimit() * OPEN_FILES_SHARE);
  return new TableCache({
    fs,
    directory,
    openMax: Math.max(1, Math.min(settings.openTablesMax, share)),
    cacheBytes: plan.cacheBytes,
    blocks: new BlockCache(plan.cacheBytes),
  });
}
