/** Latency over time as lines on a logarithmic scale, one chart below another. */
import { type Axis, lineChart } from "../support/line-chart.ts";
import type { Second } from "./series.ts";

type Figure = Exclude<keyof Second, "second">;

const LINES: readonly (readonly [figure: Figure, name: string, color: string])[] = [
  ["p50Ms", "p50", "#4b9e5f"],
  ["p99Ms", "p99", "#3b75af"],
  ["p999Ms", "p99.9", "#c8553d"],
  ["longestGapMs", "longest gap", "#888"],
];

const LATENCY_AXIS: Axis = {
  low: 0.01,
  high: 1000,
  isLogarithmic: true,
  ticks: [0.01, 0.1, 1, 10, 100, 1000],
  label: (ms) => `${ms} ms`,
};

function timeAxis(seconds: readonly Second[]): Axis {
  const last = Math.max(1, seconds.at(-1)?.second ?? 1);
  return { low: 0, high: last, isLogarithmic: false, ticks: [last], label: (s) => `${s} s` };
}

export interface LatencyChart {
  readonly title: string;
  readonly seconds: readonly Second[];
}

export function latencyChart(title: string, charts: readonly LatencyChart[]): string {
  const panels = charts.map((chart) => ({
    title: chart.title,
    x: timeAxis(chart.seconds),
    y: LATENCY_AXIS,
    lines: LINES.map(([figure, name, color]) => ({
      name,
      color,
      points: chart.seconds.map((second) => ({ x: second.second, y: second[figure] })),
    })),
  }));
  return lineChart(title, panels);
}
