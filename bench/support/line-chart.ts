/** Charts of lines, a panel each, with axes that are linear or logarithmic. */
import { escapeXml, svgSheet } from "./svg.ts";

const WIDTH = 960;
const HEIGHT = 260;
const HEAD = 30;
const LEFT = 70;
const RIGHT = 110;
const TOP = 34;
const BOTTOM = 26;
/** Between the names of lines that end close to one another. */
const NAME_HEIGHT = 13;

export interface Axis {
  /** What is outside is drawn at the edge. */
  readonly low: number;
  readonly high: number;
  readonly isLogarithmic: boolean;
  readonly ticks: readonly number[];
  label(value: number): string;
}

interface Point {
  readonly x: number;
  readonly y: number;
  /** Where `y` is the middle of several values: the least and the most of them. */
  readonly least?: number;
  readonly most?: number;
}

export interface Line {
  readonly name: string;
  readonly color: string;
  readonly isDashed?: boolean;
  readonly points: readonly Point[];
}

export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
}

/** The panels in rows of `columns`, each row as wide as the sheet. */
export function lineChart(title: string, panels: readonly Panel[], columns = 1): string {
  const width = WIDTH / columns;
  const rows = Math.ceil(panels.length / columns);
  const drawn = panels.flatMap((panel, i) => {
    const left = (i % columns) * width;
    const top = HEAD + Math.floor(i / columns) * HEIGHT;
    return drawPanel(panel, left, top, width);
  });
  return svgSheet(title, WIDTH, HEAD + rows * HEIGHT, drawn);
}

/** Where a value lies between the ends of its axis: 0 at the low one, 1 at the high one. */
function shareOf({ low, high, isLogarithmic }: Axis, value: number): number {
  const inside = Math.min(high, Math.max(low, value));
  if (isLogarithmic) return Math.log(inside / low) / Math.log(high / low);
  return (inside - low) / (high - low);
}

function drawPanel({ title, ...panel }: Panel, left: number, top: number, width: number): string[] {
  const [from, to] = [left + LEFT, left + width - RIGHT];
  const [ceiling, floor] = [top + TOP, top + HEIGHT - BOTTOM];
  const x = (value: number) => (from + shareOf(panel.x, value) * (to - from)).toFixed(1);
  const y = (value: number) => (floor - shareOf(panel.y, value) * (floor - ceiling)).toFixed(1);
  const drawn = [`<text x="${from}" y="${top + 18}">${escapeXml(title)}</text>`];
  for (const tick of panel.y.ticks) {
    drawn.push(
      `<line x1="${from}" y1="${y(tick)}" x2="${to}" y2="${y(tick)}" stroke="#ddd"/>`,
      `<text x="${from - 6}" y="${y(tick)}" dy="4" text-anchor="end" fill="#666">${escapeXml(panel.y.label(tick))}</text>`,
    );
  }
  for (const tick of panel.x.ticks) {
    drawn.push(
      `<text x="${x(tick)}" y="${floor + 18}" text-anchor="middle" fill="#666">${escapeXml(panel.x.label(tick))}</text>`,
    );
  }
  for (const line of panel.lines) drawn.push(...drawLine(line, x, y));
  return [...drawn, ...drawNames(panel.lines, to + 8, (value) => Number(y(value)))];
}

function drawLine(
  { points, color, isDashed }: Line,
  x: (value: number) => string,
  y: (value: number) => string,
): string[] {
  const path = points.map((point) => `${x(point.x)},${y(point.y)}`).join(" ");
  const dashes = isDashed === true ? ' stroke-dasharray="4 3"' : "";
  const drawn = [
    `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.5"${dashes}/>`,
  ];
  for (const { x: at, least, most } of points) {
    if (least === undefined || most === undefined) continue;
    drawn.push(
      `<line x1="${x(at)}" y1="${y(least)}" x2="${x(at)}" y2="${y(most)}" stroke="${color}"/>`,
    );
  }
  return drawn;
}

/** The name of each line where it ends, moved down where it would stand on another. */
function drawNames(lines: readonly Line[], left: number, y: (value: number) => number): string[] {
  let lowest = Number.NEGATIVE_INFINITY;
  return lines
    .flatMap(({ name, color, points }) => {
      const end = points.at(-1);
      return end === undefined ? [] : [{ name, color, at: y(end.y) }];
    })
    .toSorted((a, b) => a.at - b.at)
    .map(({ name, color, at }) => {
      lowest = Math.max(at, lowest + NAME_HEIGHT);
      return `<text x="${left}" y="${lowest.toFixed(1)}" dy="4" fill="${color}">${escapeXml(name)}</text>`;
    });
}
