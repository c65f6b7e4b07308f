/**
 * What moves in the tree's picture: the water of the memtable with what is suspended in it, grains that sink where a
 * flush or compaction runs, the glow of the tables that it reads, and the brick that is pointed at. With `isStill`
 * nothing depends on the time.
 */

import type { TreePicture } from "../data/admin-types.ts";
import { formatBytes, formatCount } from "../text/format.ts";
import { chance } from "./chance.ts";
import type { Flow, PlacedBrick, TreeLayout } from "./layout.ts";
import type { Palette } from "./palette.ts";

export interface Moment {
  /** The animation clock, in milliseconds. */
  readonly now: number;
  readonly isStill: boolean;
}

export function paintMotion(
  context: CanvasRenderingContext2D,
  picture: TreePicture,
  layout: TreeLayout,
  palette: Palette,
  chosen: PlacedBrick | undefined,
  moment: Moment,
): void {
  paintWater(context, picture, layout, palette, moment);
  for (const flow of layout.flows) paintFlow(context, flow, palette, moment);
  for (const band of layout.bands) {
    for (const placed of band.bricks)
      if (placed.isInput) paintInput(context, placed, palette, moment);
  }
  if (chosen !== undefined) paintChosen(context, chosen, palette);
}

/** As full as the memtable is; each full one that waits for its flush is a darker layer at the bottom. */
function paintWater(
  context: CanvasRenderingContext2D,
  picture: TreePicture,
  { water, gutter }: TreeLayout,
  palette: Palette,
  { now, isStill }: Moment,
): void {
  const { active, waiting } = picture.memtables;
  const fill = active.capacity === 0 ? 0 : Math.min(1, active.bytes / active.capacity);
  const floor = water.y + water.height;
  const surface = floor - 6 - (water.height - 14) * fill;
  const time = isStill ? 0 : now;
  context.save();
  context.beginPath();
  context.rect(water.x, water.y, water.width, water.height);
  context.clip();
  const gradient = context.createLinearGradient(0, water.y, 0, floor);
  gradient.addColorStop(0, palette.water);
  gradient.addColorStop(1, palette.waterDeep);
  context.globalAlpha = 0.12;
  context.fillStyle = palette.water;
  context.fillRect(water.x, water.y, water.width, water.height);
  context.globalAlpha = 0.9;
  context.fillStyle = gradient;
  context.beginPath();
  context.moveTo(water.x, floor);
  for (let x = water.x; x <= water.x + water.width + 8; x += 8) {
    context.lineTo(
      x,
      surface + Math.sin(x / 46 + time / 900) * 1.6 + Math.sin(x / 17 - time / 700),
    );
  }
  context.lineTo(water.x + water.width, floor);
  context.fill();
  context.fillStyle = palette.waterDeep;
  for (let full = 0; full < Math.min(waiting, 4); full++) {
    context.globalAlpha = 0.8;
    context.fillRect(water.x, floor - 6 * (full + 1), water.width, 5);
  }
  paintSuspended(context, water.x, surface, water.width, floor, fill, time, palette);
  context.restore();
  paintWaterName(context, picture, gutter, water.y + water.height / 2, palette);
}

function paintSuspended(
  context: CanvasRenderingContext2D,
  x: number,
  surface: number,
  width: number,
  floor: number,
  fill: number,
  time: number,
  palette: Palette,
): void {
  const grains = Math.floor(fill * width * 0.16);
  context.fillStyle = palette.strata[0] ?? palette.ink;
  for (let grain = 0; grain < grains; grain++) {
    const drift = time * (0.002 + chance(grain + 5) * 0.004);
    const depth = (chance(grain) * 400 + drift) % Math.max(1, floor - surface - 4);
    context.globalAlpha = 0.35 + chance(grain + 9) * 0.5;
    context.fillRect(x + chance(grain + 2) * width, surface + 4 + depth, 1.5, 1.5);
  }
}

function paintWaterName(
  context: CanvasRenderingContext2D,
  picture: TreePicture,
  gutter: number,
  middle: number,
  palette: Palette,
): void {
  const { active, waiting } = picture.memtables;
  const isNarrow = gutter < 100;
  context.textBaseline = "middle";
  context.fillStyle = palette.ink;
  context.font = `600 ${isNarrow ? 12 : 14}px ${palette.font}`;
  context.fillText("Memory", 0, middle - 15);
  context.fillStyle = palette.faint;
  context.font = `11px ${palette.font}`;
  const fill = active.capacity === 0 ? 0 : (active.bytes / active.capacity) * 100;
  context.fillText(
    isNarrow ? `${fill.toFixed(0)} % full` : `${formatBytes(active.bytes)}, ${fill.toFixed(0)} %`,
    0,
    middle + 2,
  );
  const below = waiting > 0 ? `+${waiting} to flush` : `${formatCount(active.entries)} keys`;
  if (!isNarrow || waiting > 0) context.fillText(below, 0, middle + 17);
}

/** A ribbon from the source to the target, grains that sink along it, and how far it is along the target's edge. */
function paintFlow(
  context: CanvasRenderingContext2D,
  { from, to, progress, task }: Flow,
  palette: Palette,
  { now, isStill }: Moment,
): void {
  context.save();
  context.globalAlpha = 0.2;
  context.fillStyle = palette.accent;
  context.beginPath();
  context.moveTo(from.x0, from.y + 4);
  context.lineTo(from.x1, from.y + 4);
  context.lineTo(to.x1, to.y - 4);
  context.lineTo(to.x0, to.y - 4);
  context.fill();
  const grains = Math.min(90, 14 + Math.floor((to.x1 - to.x0) / 9));
  const isFlush = task.source_level === null;
  context.fillStyle = isFlush ? (palette.strata[1] ?? palette.accent) : palette.accent;
  for (let grain = 0; grain < grains; grain++) {
    const seed = task.id * 97 + grain;
    const speed = 0.00045 + chance(seed + 1) * 0.0005;
    const fallen = (chance(seed) + (isStill ? 0 : now * speed)) % 1;
    const side = chance(seed + 2);
    const left = from.x0 + (from.x1 - from.x0) * side;
    const right = to.x0 + (to.x1 - to.x0) * side;
    context.globalAlpha = Math.min(1, 4 * fallen, 4 * (1 - fallen));
    const size = 1.5 + chance(seed + 3) * 1.5;
    context.fillRect(
      left + (right - left) * fallen,
      from.y + 2 + (to.y - from.y - 4) * fallen,
      size,
      size,
    );
  }
  const width = Math.max(12, to.x1 - to.x0);
  context.globalAlpha = 0.35;
  context.fillStyle = palette.accent;
  context.fillRect(to.x0, to.y - 5, width, 3);
  context.globalAlpha = 1;
  context.fillRect(to.x0, to.y - 5, width * progress, 3);
  context.restore();
}

/** Hatched, so that it is seen without colour, and glowing. */
function paintInput(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: PlacedBrick,
  palette: Palette,
  { now, isStill }: Moment,
): void {
  const glow = isStill ? 0.8 : 0.65 + 0.35 * Math.sin(now / 420);
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = palette.hatch;
  context.globalAlpha = 0.75;
  context.lineWidth = 1.2;
  context.beginPath();
  for (let left = x - height - ((x - height) % 6); left < x + width; left += 6) {
    context.moveTo(left, y + height);
    context.lineTo(left + height, y);
  }
  context.stroke();
  context.restore();
  context.globalAlpha = glow;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.6;
  if (width > 3) context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  context.globalAlpha = 1;
}

function paintChosen(
  context: CanvasRenderingContext2D,
  brick: PlacedBrick,
  palette: Palette,
): void {
  const { x, y, width, height } = brick;
  context.strokeStyle = palette.page;
  context.lineWidth = 5;
  context.strokeRect(x - 1.5, y - 1.5, width + 3, height + 3);
  context.strokeStyle = palette.ink;
  context.lineWidth = 2.5;
  context.strokeRect(x - 1.5, y - 1.5, width + 3, height + 3);
}
