/**
 * The tree as a page draws it: levels of bricks, each a table or some neighbours, in their places by key (`key-axis.ts`).
 * Pure: a layout in, a picture out. What comes of the tables alone is a `Drawing`, which holds until the tables change.
 */
import type { LayoutTable, TreeLayout } from "../engine/layout.ts";
import type { TaskKind } from "../engine/task-list.ts";
import { KeyAxis, type Place } from "./key-axis.ts";
import { type KeyspaceNames, printableKey } from "./printable-key.ts";

/** Beyond that many, neighbours of a level are drawn as one. */
export const BRICKS_MAX = 400;

/** One table, or `count` neighbours and their sums. */
export interface Brick {
  /** Of the table, or of the first one. */
  readonly number: number;
  readonly bytes: number;
  readonly entries: number;
  readonly tombstones: number;
  /** For people. */
  readonly smallest: string;
  readonly largest: string;
  /** From 0 to 1. */
  readonly x0: number;
  readonly x1: number;
  readonly count: number;
}

export interface LevelPicture {
  readonly level: number;
  readonly bytes: number;
  readonly target_bytes: number | null;
  /** By key; in level 0 newest first. */
  readonly tables: Brick[];
  readonly tables_total: number;
}

export interface TaskPicture {
  readonly id: number;
  readonly kind: TaskKind;
  readonly source_level: number | null;
  readonly target_level: number;
  /** Numbers of all tables that go with it, also of those that are not a brick's first. */
  readonly tables: number[];
  readonly bytes_total: number;
  readonly bytes_done: number;
  readonly started_at: number;
  /** What its tables span together; `null` where it has none. */
  readonly x0: number | null;
  readonly x1: number | null;
}

export interface FinishedTaskPicture {
  readonly id: number;
  readonly kind: TaskKind;
  readonly source_level: number | null;
  readonly target_level: number;
  readonly bytes: number;
  readonly ended_at: number;
  readonly duration_ms: number;
}

export interface TreePicture {
  /** Changes with every edit. */
  readonly version: number;
  readonly levels: LevelPicture[];
  readonly memtables: {
    readonly active: {
      readonly entries: number;
      readonly bytes: number;
      readonly capacity: number;
    };
    readonly waiting: number;
  };
  readonly running: TaskPicture[];
  /** The last 20, oldest first. */
  readonly recent: FinishedTaskPicture[];
}

export interface Drawing {
  readonly edits: number;
  readonly levels: LevelPicture[];
  /** By the table's number. */
  readonly places: ReadonlyMap<number, Place>;
}

export function drawTables({ edits, levels, keyspaces }: TreeLayout): Drawing {
  const names = new Map(keyspaces.map(({ id, name }) => [id, name]));
  const axis = new KeyAxis(levels);
  const places = new Map<number, Place>();
  const drawn = levels.map(({ level, bytes, targetBytes, tables }) => {
    for (const table of tables) places.set(table.number, axis.placeOf(table));
    return {
      level,
      bytes,
      target_bytes: targetBytes,
      tables: groupsOf(tables, BRICKS_MAX).map((group) => brickOf(group, places, names)),
      tables_total: tables.length,
    };
  });
  return { edits, levels: drawn, places };
}

/** `drawing` may be one of before, of a layout with the same edits. */
export function treePicture(layout: TreeLayout, drawing = drawTables(layout)): TreePicture {
  return {
    version: layout.edits,
    levels: drawing.levels,
    memtables: layout.memtables,
    running: layout.running.map((task) => ({
      id: task.id,
      kind: task.kind,
      source_level: task.sourceLevel,
      target_level: task.targetLevel,
      tables: [...task.tables],
      bytes_total: task.bytesTotal,
      bytes_done: task.bytesDone,
      started_at: task.startedAt,
      ...(spanOf(task.tables, drawing.places) ?? { x0: null, x1: null }),
    })),
    recent: layout.recent.map((task) => ({
      id: task.id,
      kind: task.kind,
      source_level: task.sourceLevel,
      target_level: task.targetLevel,
      bytes: task.bytes,
      ended_at: task.endedAt,
      duration_ms: Math.round(task.durationMs),
    })),
  };
}

/** At most `max` runs of neighbours, of about the same length. */
function groupsOf<T>(all: readonly T[], max: number): (readonly T[])[] {
  const groups = Math.min(all.length, max);
  return Array.from({ length: groups }, (_, i) =>
    all.slice(Math.floor((i * all.length) / groups), Math.floor(((i + 1) * all.length) / groups)),
  );
}

function brickOf(
  tables: readonly LayoutTable[],
  places: ReadonlyMap<number, Place>,
  names: KeyspaceNames,
): Brick {
  const sum = (of: (table: LayoutTable) => number) =>
    tables.reduce((total, table) => total + of(table), 0);
  const [first] = tables;
  if (first === undefined) throw new RangeError("a brick is of a table at least");
  const least = tables.reduce((a, b) => (before(b, a, places) ? b : a));
  const most = tables.reduce((a, b) => (behind(b, a, places) ? b : a));
  return {
    number: first.number,
    bytes: sum(({ fileBytes }) => fileBytes),
    entries: sum(({ entries }) => entries),
    tombstones: sum(({ tombstones }) => tombstones),
    smallest: printableKey(least.smallest, names),
    largest: printableKey(most.largest, names),
    x0: places.get(least.number)?.x0 ?? 0,
    x1: places.get(most.number)?.x1 ?? 0,
    count: tables.length,
  };
}

/** By where they lie, which is the order of their keys. */
function before(a: LayoutTable, b: LayoutTable, places: ReadonlyMap<number, Place>): boolean {
  return (places.get(a.number)?.x0 ?? 0) < (places.get(b.number)?.x0 ?? 0);
}

function behind(a: LayoutTable, b: LayoutTable, places: ReadonlyMap<number, Place>): boolean {
  return (places.get(a.number)?.x1 ?? 0) > (places.get(b.number)?.x1 ?? 0);
}

function spanOf(
  tables: readonly number[],
  places: ReadonlyMap<number, Place>,
): { x0: number; x1: number } | undefined {
  const found = tables.flatMap((number) => places.get(number) ?? []);
  if (found.length === 0) return undefined;
  return {
    x0: Math.min(...found.map(({ x0 }) => x0)),
    x1: Math.max(...found.map(({ x1 }) => x1)),
  };
}
