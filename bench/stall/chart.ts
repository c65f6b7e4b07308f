/** Latency over time as lines on a logarithmic scale, one chart below another. */
import type { Second } from "./series.ts";

const WIDTH = 960;
const HEIGHT = 260;
const LEFT = 70;
const RIGHT = 110;
const TOP = 34;
const BOTTOM = 26;
const LOW_MS = 0.01;
const HIGH_MS = 1000;

type Figure = Exclude<keyof Second, "second">;

const LINES: readonly (readonly [figure: Figure, label: string, color: string])[] = [
  ["p50Ms", "p50", "#4b9e5f"],
  ["p99Ms", "p99", "#3b75af"],
  ["p999Ms", "p99.9", "#c8553d"],
  ["longestGapMs", "longest gap", "#888"],
];

export interface Panel {
  readonly title: string;
  readonly seconds: readonly Second[];
}

export function latencyChart(title: string, panels: readonly Panel[]): string {
  const height = 30 + panels.length * HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" ` +
      `height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="20" font-size="15">${title}</text>`,
    ...panels.flatMap((panel, i) => drawPanel(panel, 30 + i * HEIGHT)),
    "</svg>\n",
  ].join("\n");
}

function drawPanel({ title, seconds }: Panel, top: number): string[] {
  const last = Math.max(1, seconds.at(-1)?.second ?? 1);
  const x = (second: number) => LEFT + (second / last) * (WIDTH - LEFT - RIGHT);
  const share = (ms: number) =>
    Math.log(Math.min(HIGH_MS, Math.max(LOW_MS, ms)) / LOW_MS) / Math.log(HIGH_MS / LOW_MS);
  const y = (ms: number) => top + HEIGHT - BOTTOM - share(ms) * (HEIGHT - TOP - BOTTOM);
  const drawn = [`<text x="${LEFT}" y="${top + 18}">${title}</text>`];
  for (let ms = LOW_MS; ms <= HIGH_MS * 1.001; ms *= 10) {
    const at = y(ms).toFixed(1);
    const label = Number(ms.toPrecision(1));
    drawn.push(
      `<line x1="${LEFT}" y1="${at}" x2="${WIDTH - RIGHT}" y2="${at}" stroke="#ddd"/>`,
      `<text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end" fill="#666">${label} ms</text>`,
    );
  }
  for (const [figure, label, color] of LINES) {
    const points = seconds.map(
      (second) => `${x(second.second).toFixed(1)},${y(second[figure]).toFixed(1)}`,
    );
    const end = seconds.at(-1);
    drawn.push(
      `<polyline points="${points.join(" ")}" fill="none" stroke="${color}" stroke-width="1.5"/>`,
      `<text x="${WIDTH - RIGHT + 8}" y="${y(end?.[figure] ?? LOW_MS).toFixed(1)}" dy="4" fill="${color}">${label}</text>`,
    );
  }
  drawn.push(
    `<text x="${WIDTH - RIGHT}" y="${top + HEIGHT - 8}" text-anchor="end" fill="#666">${last} s</text>`,
  );
  return drawn;
}
