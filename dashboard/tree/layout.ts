/**
 * Where everything of the tree's picture lies, in CSS pixels. Pure: a picture and a width in, rectangles out. At the top
 * is the memtable as water, below it the levels as strata, and each table is a brick: as wide as its key range, as thick
 * as its bytes. The tables of level 0 overlap, so they lie on one another as they fell, the oldest at the bottom.
 */
import type { Brick, LevelPicture, RunningTask, TreePicture } from "../data/admin-types.ts";

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedBrick extends Rectangle {
  readonly brick: Brick;
  readonly level: number;
  /** A running compaction reads it. */
  readonly isInput: boolean;
}

export interface Band extends Rectangle {
  readonly level: number;
  readonly picture: LevelPicture;
  readonly bricks: readonly PlacedBrick[];
}

/** Entries on their way from a level, or from memory, to a deeper one. */
export interface Flow {
  readonly task: RunningTask;
  readonly from: { readonly x0: number; readonly x1: number; readonly y: number };
  readonly to: { readonly x0: number; readonly x1: number; readonly y: number };
  /** 0 to 1. */
  readonly progress: number;
}

export interface TreeLayout {
  readonly width: number;
  readonly height: number;
  /** Left of it stand the levels' names. */
  readonly gutter: number;
  readonly water: Rectangle;
  readonly bands: readonly Band[];
  readonly flows: readonly Flow[];
}

const WATER_HEIGHT = 62;
const GAP = 20;
const EMPTY_HEIGHT = 15;
const LEVEL_HEIGHT_MIN = 30;
const LEVEL_HEIGHT_MAX = 88;
const LEVEL0_ROW = { min: 5, max: 15 } as const;
const LEVEL0_HEIGHT_MAX = 110;
const BRICK_WIDTH_MIN = 2;

export function layOutTree(picture: TreePicture, width: number): TreeLayout {
  const gutter = width < 640 ? 62 : 118;
  const scale = { x: gutter, width: width - gutter };
  const water = { x: gutter, y: 0, width: scale.width, height: WATER_HEIGHT };
  const inputs = new Set(picture.running.flatMap((task) => task.tables));
  const bytesMax = Math.max(1, ...picture.levels.map((level) => level.bytes));
  const bands: Band[] = [];
  let y = WATER_HEIGHT + GAP;
  for (const level of picture.levels) {
    const band = layOutLevel(level, scale, y, bytesMax, inputs);
    bands.push(band);
    y += band.height + (level.tables.length === 0 ? 6 : GAP);
  }
  const flows = picture.running.map((task) => layOutFlow(task, water, bands));
  return { width, height: Math.ceil(y - 6), gutter, water, bands, flows };
}

/** Bricks from the left to the right; of those that begin together the deeper-lying first. */
export function bricksInOrder(layout: TreeLayout, level: number): readonly PlacedBrick[] {
  const bricks = layout.bands.find((band) => band.level === level)?.bricks ?? [];
  return bricks.toSorted((a, b) => a.x - b.x || b.y - a.y);
}

export function brickAt(layout: TreeLayout, x: number, y: number): PlacedBrick | undefined {
  for (const band of layout.bands) {
    const brick = band.bricks.find((placed) => contains(placed, x, y));
    if (brick !== undefined) return brick;
  }
  return undefined;
}

interface Scale {
  readonly x: number;
  readonly width: number;
}

function layOutLevel(
  level: LevelPicture,
  scale: Scale,
  y: number,
  bytesMax: number,
  inputs: ReadonlySet<number>,
): Band {
  const frame = { level: level.level, picture: level, x: scale.x, y, width: scale.width };
  if (level.tables.length === 0) return { ...frame, height: EMPTY_HEIGHT, bricks: [] };
  const place = (brick: Brick, top: number, height: number): PlacedBrick => ({
    ...horizontal(brick, scale),
    y: top,
    height,
    brick,
    level: level.level,
    isInput: inputs.has(brick.number),
  });
  if (level.level === 0) {
    const rows = stack(level.tables);
    const rowCount = Math.max(...rows) + 1;
    const row = clamp(LEVEL0_HEIGHT_MAX / rowCount, LEVEL0_ROW.min, LEVEL0_ROW.max);
    const height = Math.max(LEVEL_HEIGHT_MIN, Math.ceil(rowCount * row));
    const bricks = level.tables.map((brick, index) => {
      const top = y + height - ((rows[index] ?? 0) + 1) * row;
      return place(brick, top, row - 1);
    });
    return { ...frame, height, bricks };
  }
  const share = Math.sqrt(level.bytes / bytesMax);
  const height = Math.round(LEVEL_HEIGHT_MIN + (LEVEL_HEIGHT_MAX - LEVEL_HEIGHT_MIN) * share);
  const largest = Math.max(1, ...level.tables.map((brick) => brick.bytes));
  const bricks = level.tables.map((brick) => {
    const thickness = Math.round(height * (0.3 + 0.7 * Math.sqrt(brick.bytes / largest)));
    return place(brick, y + height - thickness, thickness);
  });
  return { ...frame, height, bricks };
}

/** The row of each table, 0 at the bottom: above all older ones that it overlaps. In the order of the tables. */
export function stack(tables: readonly Brick[]): number[] {
  const byAge = tables.map((brick, index) => ({ brick, index }));
  byAge.sort((a, b) => a.brick.number - b.brick.number);
  const rows = new Array<number>(tables.length).fill(0);
  byAge.forEach(({ brick, index }, age) => {
    for (const older of byAge.slice(0, age)) {
      const overlaps = older.brick.x0 < brick.x1 && brick.x0 < older.brick.x1;
      if (overlaps) rows[index] = Math.max(rows[index] ?? 0, (rows[older.index] ?? 0) + 1);
    }
  });
  return rows;
}

/** A hair's breadth is left between neighbours. */
function horizontal(brick: Brick, scale: Scale): { x: number; width: number } {
  const x = scale.x + brick.x0 * scale.width;
  const full = (brick.x1 - brick.x0) * scale.width;
  return { x, width: Math.max(BRICK_WIDTH_MIN, full - (full > 6 ? 1.5 : 0.5)) };
}

function layOutFlow(task: RunningTask, water: Rectangle, bands: readonly Band[]): Flow {
  const target = bands.find((band) => band.level === task.target_level);
  const source = bands.find((band) => band.level === task.source_level);
  const whole = { x0: water.x, x1: water.x + water.width };
  const from = inputSpan(source, task) ?? whole;
  const to = inputSpan(target, task) ?? from;
  const fromY = source === undefined ? water.y + water.height : source.y + source.height;
  return {
    task,
    from: { ...from, y: fromY },
    to: { ...to, y: target?.y ?? fromY },
    progress: task.bytes_total === 0 ? 0 : clamp(task.bytes_done / task.bytes_total, 0, 1),
  };
}

function inputSpan(
  band: Band | undefined,
  task: RunningTask,
): { x0: number; x1: number } | undefined {
  const inputs = band?.bricks.filter(({ brick }) => task.tables.includes(brick.number)) ?? [];
  if (inputs.length === 0) return undefined;
  return {
    x0: Math.min(...inputs.map((brick) => brick.x)),
    x1: Math.max(...inputs.map((brick) => brick.x + brick.width)),
  };
}

function contains(brick: Rectangle, x: number, y: number): boolean {
  return (
    x >= brick.x &&
    x <= brick.x + Math.max(brick.width, 3) &&
    y >= brick.y &&
    y <= brick.y + brick.height
  );
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
