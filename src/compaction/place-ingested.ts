/**
 * Where the tables of an ingest go: each to the deepest level in which, and above which, there is nothing of its range,
 * since all that there is has an older sequence. Pure.
 *
 * What is being compacted counts for all that its outputs may reach across: a table goes at the deepest to the level
 * that the compaction takes from, where it is above the outputs and the picker has seen to the rest.
 *
 * Source of the idea: RocksDB's and Pebble's ingestion of external tables.
 */
import { compareBytes } from "../bytes/compare.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { AddedTable } from "../version/edit.ts";
import type { Version } from "../version/version.ts";
import { type CompactionPlan, rangeOf } from "./picker.ts";
import { LAST_LEVEL } from "./targets.ts";

interface Span {
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  readonly levelMax: number;
}

/** `running` are the compactions whose outcome is not installed yet. */
export function placeIngested(
  version: Version,
  running: readonly CompactionPlan[],
  tables: readonly TableMeta[],
): AddedTable[] {
  const spans = running.map(spanOf);
  return tables.map((table) => ({ level: levelOf(version, spans, table), table }));
}

function spanOf({ inputs }: CompactionPlan): Span {
  const levelMax = Math.min(...inputs.map(({ level }) => level));
  return { ...rangeOf(inputs.flatMap(({ tables }) => tables)), levelMax };
}

function levelOf(
  version: Version,
  spans: readonly Span[],
  { smallest, largest }: TableMeta,
): number {
  let levelMax = LAST_LEVEL;
  for (const span of spans) {
    const isApart =
      compareBytes(span.largest, smallest) < 0 || compareBytes(span.smallest, largest) > 0;
    if (!isApart) levelMax = Math.min(levelMax, span.levelMax);
  }
  if (version.overlapping(0, smallest, largest).length > 0) return 0;
  let deepest = 0;
  for (let level = 1; level <= levelMax; level++) {
    if (version.overlapping(level, smallest, largest).length > 0) break;
    deepest = level;
  }
  return deepest;
}
