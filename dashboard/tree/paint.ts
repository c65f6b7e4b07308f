/**
 * Draws the tree's picture. The ground - strata, bricks, names - changes only when the tree does, and is drawn then;
 * what moves all the time - water, grains, glow - is drawn over it for each frame.
 */
import { formatBytes, formatCount } from "../text/format.ts";
import { chance } from "./chance.ts";
import type { Band, PlacedBrick, TreeLayout } from "./layout.ts";
import type { Motion } from "./motion.ts";
import type { Palette } from "./palette.ts";

export function paintGround(
  context: CanvasRenderingContext2D,
  layout: TreeLayout,
  palette: Palette,
  motion: Motion,
  now: number,
): void {
  context.clearRect(0, 0, layout.width, layout.height);
  for (const band of layout.bands) {
    paintBed(context, band, palette);
    paintName(context, band, layout, palette);
    for (const placed of band.bricks) {
      const { lift, opacity } = motion.pose(placed.brick.number, now);
      paintBrick(context, placed, palette, lift, opacity);
    }
  }
  for (const { brick, opacity } of motion.leaving(now)) {
    paintBrick(context, brick, palette, 0, opacity);
  }
}

/** The stratum itself: a faint bed with an uneven floor, as deep as the level. */
function paintBed(context: CanvasRenderingContext2D, band: Band, palette: Palette): void {
  const tone = palette.strata[band.level] ?? palette.faint;
  if (band.bricks.length === 0) {
    paintEmptyBed(context, band, tone);
    return;
  }
  const floor = band.y + band.height + 3;
  context.save();
  context.globalAlpha = 0.16;
  context.fillStyle = tone;
  context.beginPath();
  context.moveTo(band.x, uneven(band.x, band.level) + band.y - 4);
  for (let x = band.x; x <= band.x + band.width; x += 12) {
    context.lineTo(x, uneven(x, band.level) + band.y - 4);
  }
  context.lineTo(band.x + band.width, floor);
  context.lineTo(band.x, floor);
  context.fill();
  context.globalAlpha = 0.9;
  context.fillRect(band.x, floor, band.width, 1);
  context.restore();
}

/** Where a level will be once there is something in it. */
function paintEmptyBed(context: CanvasRenderingContext2D, band: Band, tone: string): void {
  context.save();
  context.globalAlpha = 0.6;
  context.strokeStyle = tone;
  context.setLineDash([2, 5]);
  context.beginPath();
  context.moveTo(band.x, band.y + band.height / 2);
  context.lineTo(band.x + band.width, band.y + band.height / 2);
  context.stroke();
  context.restore();
}

function uneven(x: number, level: number): number {
  return Math.sin(x / 97 + level * 2.1) * 2 + Math.sin(x / 31 + level * 5.3) * 1.2;
}

function paintName(
  context: CanvasRenderingContext2D,
  band: Band,
  layout: TreeLayout,
  palette: Palette,
): void {
  const isNarrow = layout.gutter < 100;
  const isEmpty = band.bricks.length === 0;
  const middle = band.y + band.height / 2;
  context.save();
  context.textBaseline = "middle";
  context.fillStyle = isEmpty ? palette.faint : palette.ink;
  context.font = `600 ${isEmpty ? 11 : 14}px ${palette.font}`;
  context.fillText(`L${band.level}`, 0, isEmpty || isNarrow ? middle - (isEmpty ? 0 : 7) : middle);
  context.fillStyle = palette.faint;
  context.font = `11px ${palette.font}`;
  const { bytes, target_bytes, tables_total } = band.picture;
  if (isEmpty) {
    context.fillText("empty", isNarrow ? 22 : 30, middle);
  } else if (isNarrow) {
    context.fillText(formatBytes(bytes), 0, middle + 8);
  } else {
    context.fillText(formatBytes(bytes), 30, middle - 7);
    const files = `${formatCount(tables_total)} table${tables_total === 1 ? "" : "s"}`;
    const over = target_bytes !== null && bytes > target_bytes * 1.05;
    context.fillText(over ? `of ${formatBytes(target_bytes)} !` : files, 30, middle + 7);
  }
  context.restore();
}

function paintBrick(
  context: CanvasRenderingContext2D,
  placed: PlacedBrick,
  palette: Palette,
  lift: number,
  opacity: number,
): void {
  const { x, width, height, brick } = placed;
  const y = placed.y - lift;
  context.globalAlpha = opacity;
  context.fillStyle = palette.strata[placed.level] ?? palette.ink;
  fillRounded(context, x, y, width, height);
  // No two layers of sediment have quite the same colour.
  const tint = chance(brick.number);
  context.globalAlpha = opacity * Math.abs(tint - 0.5) * 0.34;
  context.fillStyle = tint > 0.5 ? "#ffffff" : "#000000";
  fillRounded(context, x, y, width, height);
  if (width > 18 && height > 8) paintGrains(context, placed, y, opacity);
  // Deleted keys that are still there darken a table from below.
  const dead = brick.entries === 0 ? 0 : Math.min(1, brick.tombstones / brick.entries);
  if (dead > 0.02 && height > 6) {
    context.globalAlpha = opacity * 0.45;
    context.fillStyle = "#000000";
    const sunk = Math.max(2, height * dead * 0.6);
    context.fillRect(x, y + height - sunk, width, sunk);
  }
  context.globalAlpha = opacity * 0.3;
  context.fillStyle = "#ffffff";
  if (height > 5) context.fillRect(x + 1, y, Math.max(0, width - 2), 1);
  context.globalAlpha = 1;
}

function paintGrains(
  context: CanvasRenderingContext2D,
  { x, width, height, brick }: PlacedBrick,
  y: number,
  opacity: number,
): void {
  const grains = Math.min(70, Math.floor((width * height) / 130));
  for (let grain = 0; grain < grains; grain++) {
    const seed = brick.number * 131 + grain * 3;
    context.globalAlpha = opacity * (0.1 + chance(seed) * 0.16);
    context.fillStyle = chance(seed + 7) > 0.55 ? "#ffffff" : "#000000";
    const length = 1 + chance(seed + 3) * 5;
    const left = x + 2 + chance(seed + 1) * Math.max(0, width - 5 - length);
    const top = y + 3 + chance(seed + 2) * Math.max(0, height - 6);
    context.fillRect(left, Math.round(top), length, 1);
  }
}

function fillRounded(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  if (width < 5 || height < 5) {
    context.fillRect(x, y, width, height);
    return;
  }
  context.beginPath();
  context.roundRect(x, y, width, height, 2);
  context.fill();
}
