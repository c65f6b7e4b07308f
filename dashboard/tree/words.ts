/** The tree's picture in words: for who points at a brick, who reads with a screen reader, and for lists. */
import type { Brick, FinishedTask, RunningTask, TaskKind } from "../data/admin-types.ts";
import { formatBytes, formatCount, formatShare } from "../text/format.ts";

export type Fact = readonly [name: string, text: string];

export function brickName({ number, count }: Brick): string {
  return count > 1 ? `${formatCount(count)} tables from number ${number} on` : `Table ${number}`;
}

export function brickFacts(brick: Brick): Fact[] {
  const { bytes, entries, tombstones, smallest, largest } = brick;
  const dead = entries === 0 ? "" : ` (${formatShare(tombstones / entries)})`;
  return [
    ["size", formatBytes(bytes)],
    ["entries", formatCount(entries)],
    ...(tombstones > 0 ? [["deletes", `${formatCount(tombstones)}${dead}`] as const] : []),
    ["from", smallest],
    ["to", largest],
  ];
}

const VERBS: Readonly<Record<TaskKind, string>> = {
  flush: "Flush",
  compaction: "Compaction",
  ingest: "Bulk load",
  move: "Move",
};

export function taskName({ kind, source_level, target_level }: RunningTask | FinishedTask): string {
  const source = source_level === null ? "memory" : `L${source_level}`;
  const route =
    source_level === target_level ? `within L${target_level}` : `${source} → L${target_level}`;
  return `${VERBS[kind]} ${route}`;
}
