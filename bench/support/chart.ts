/** The ratios of a report as a chart: a bar a row from 1× on a logarithmic scale, with spread and target. */
import type { Row, SuiteReport } from "./report.ts";
import { escapeXml, svgSheet } from "./svg.ts";

const WIDTH = 960;
const LABELS = 380;
const RIGHT = 130;
const BAR = 14;
const STEP = 24;
const TOP = 58;

/** The number in a target's text. */
function targetOf(row: Row): number | undefined {
  return row.target === undefined ? undefined : Number(/[\d.]+/.exec(row.target)?.[0]);
}

/** Powers of two from the least to the most of what is shown, and 1 among them. */
function scale(rows: readonly Row[]): { ticks: number[]; x: (ratio: number) => number } {
  const shown = rows.flatMap((row) => [row.ratioMin, row.ratioMax, targetOf(row), 1]);
  const finite = shown.filter(
    (value) => value !== undefined && Number.isFinite(value) && value > 0,
  );
  const low = Math.floor(Math.log2(Math.min(...(finite as number[]))));
  const high = Math.max(low + 1, Math.ceil(Math.log2(Math.max(...(finite as number[])))));
  const x = (ratio: number) =>
    LABELS + ((Math.log2(ratio) - low) / (high - low)) * (WIDTH - LABELS - RIGHT);
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i));
  return { ticks, x };
}

export function ratioChart(report: SuiteReport): string {
  const rows = report.rows.filter(({ ratio }) => ratio !== undefined && ratio > 0);
  const { ticks, x } = scale(rows);
  const height = TOP + rows.length * STEP + 20;
  const lines: string[] = [
    `<text x="12" y="38" fill="#666">${escapeXml(report.machine.cpu)}, ${report.machine.cores} cores, Node ` +
      `${escapeXml(report.machine.node)}. Bar: median; line: least to most; mark: target.</text>`,
  ];
  for (const tick of ticks) {
    const at = x(tick).toFixed(1);
    const stroke = tick === 1 ? "#000" : "#ddd";
    lines.push(
      `<line x1="${at}" y1="${TOP - 4}" x2="${at}" y2="${height - 16}" stroke="${stroke}"/>`,
      `<text x="${at}" y="${height - 4}" text-anchor="middle" fill="#666">${tick}×</text>`,
    );
  }
  rows.forEach((row, i) => {
    lines.push(...bar(row, TOP + i * STEP, x));
  });
  return svgSheet(`${report.suite}: Varve’s figure over the peer’s`, WIDTH, height, lines);
}

function bar(row: Row, y: number, x: (ratio: number) => number): string[] {
  const { ratio = 1, ratioMin = ratio, ratioMax = ratio } = row;
  const [from, to] = [x(Math.min(1, ratio)), x(Math.max(1, ratio))];
  const fill = row.met === undefined ? "#8aa6c1" : row.met ? "#4b9e5f" : "#c8553d";
  const middle = y + BAR / 2;
  const lines = [
    `<text x="${LABELS - 8}" y="${y + 11}" text-anchor="end">${escapeXml(`${row.row}, ${row.peer}`)}</text>`,
    `<rect x="${from.toFixed(1)}" y="${y}" width="${Math.max(1, to - from).toFixed(1)}" height="${BAR}" fill="${fill}"/>`,
    `<line x1="${x(ratioMin).toFixed(1)}" y1="${middle}" x2="${x(ratioMax).toFixed(1)}" y2="${middle}" stroke="#222"/>`,
    `<text x="${WIDTH - RIGHT + 12}" y="${y + 11}">${ratio.toFixed(2)}× ${escapeXml(row.target ?? "")}</text>`,
  ];
  const target = targetOf(row);
  if (target !== undefined) {
    const at = x(target).toFixed(1);
    lines.push(
      `<line x1="${at}" y1="${y - 3}" x2="${at}" y2="${y + BAR + 3}" stroke="#b8860b" stroke-width="3"/>`,
    );
  }
  return lines;
}
