/** How much of a table has expired: pure functions of what the manifest knows of it. */
import { LEVELS } from "../options.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { Version } from "../version/version.ts";

/** A table of which so much has expired is compacted, so that the space comes back. */
const EXPIRED_SHARE = 0.25;

/** Whether it pays to compact the table for what has expired in it. */
export function isMuchExpired(table: TableMeta, nowMs: number): boolean {
  return mayExpireMuch(table) && nowMs >= table.halfExpiredMs;
}

/** When the next table will have expired so far; `undefined` where none will. Level 0 is compacted anyway. */
export function nextExpiryMs(version: Version, nowMs: number): number | undefined {
  let next: number | undefined;
  for (let level = 1; level < LEVELS; level++) {
    if (version.totals(level).expiring === 0) continue;
    for (const table of version.files(level)) {
      if (!mayExpireMuch(table) || table.halfExpiredMs <= nowMs) continue;
      if (next === undefined || table.halfExpiredMs < next) next = table.halfExpiredMs;
    }
  }
  return next;
}

function mayExpireMuch({ entries, expiring }: TableMeta): boolean {
  return expiring > 0 && expiring / 2 >= entries * EXPIRED_SHARE;
}
