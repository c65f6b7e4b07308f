/** The cost of each operation against the size of the database, and what is written beside theory. */
import assert from "node:assert/strict";
import { median } from "../support/compare.ts";
import { type Axis, type Line, lineChart, type Panel } from "../support/line-chart.ts";

const COLUMNS = 2;
const STORE_COLORS = ["#4b9e5f", "#3b75af"];
const WRITE_COLORS = ["#c8553d", "#7b5ea7"];

function colorAt(colors: readonly string[], i: number): string {
  return colors[i % colors.length] ?? "#000";
}

/** Of one task on one size: the microseconds of each round, by store. */
export interface Cost {
  readonly task: string;
  readonly entries: number;
  readonly micros: ReadonlyMap<string, readonly number[]>;
}

/** Bytes written for each that was put. */
export interface Amplification {
  readonly task: string;
  readonly entries: number;
  readonly measured: number;
  readonly theory: number;
}

/** For example `20 k` or `1 M`. */
function shortNumber(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  return value >= 1e3 ? `${Number((value / 1e3).toPrecision(3))} k` : String(value);
}

function entriesAxis(entries: readonly number[]): Axis {
  const ticks = [...new Set(entries)].toSorted((a, b) => a - b);
  const [low = 1, high = low] = [ticks[0], ticks.at(-1)];
  return { low, high, isLogarithmic: true, ticks, label: shortNumber };
}

/** From the last step of 1, 2 or 5 at or below all values, which are above 0, to the first at or above them. */
export function stepsAround(values: readonly number[]): number[] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  assert(least > 0 && Number.isFinite(most), `no axis holds ${least} and ${most}`);
  const steps: number[] = [];
  for (let decade = Math.floor(Math.log10(least)); ; decade++) {
    for (const digit of [1, 2, 5]) {
      const step = Number(`${digit}e${decade}`);
      if (step <= least) steps.length = 0;
      steps.push(step);
      if (step >= most && steps.length > 1) return steps;
    }
  }
}

function costAxis(values: readonly number[]): Axis {
  const ticks = stepsAround(values);
  const [low = 1, high = low] = [ticks[0], ticks.at(-1)];
  return { low, high, isLogarithmic: true, ticks, label: (micros) => `${micros} µs` };
}

/** From zero, in about five steps. */
function amplificationAxis(values: readonly number[]): Axis {
  const [, step = 1] = stepsAround([Math.max(...values) / 6]);
  const count = Math.ceil(Math.max(...values) / step);
  const ticks = Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(3)));
  return { low: 0, high: count * step, isLogarithmic: false, ticks, label: (times) => `${times}×` };
}

function costPanel(task: string, costs: readonly Cost[], x: Axis): Panel {
  const stores = [...new Set(costs.flatMap(({ micros }) => [...micros.keys()]))];
  const lines: Line[] = stores.map((name, i) => ({
    name,
    color: colorAt(STORE_COLORS, i),
    points: costs.flatMap(({ entries, micros }) => {
      const rounds = micros.get(name) ?? [];
      if (rounds.length === 0) return [];
      const spread = { least: Math.min(...rounds), most: Math.max(...rounds) };
      return [{ x: entries, y: median(rounds), ...spread }];
    }),
  }));
  const all = costs.flatMap(({ micros }) => [...micros.values()].flat());
  return { title: task, x, y: costAxis(all), lines };
}

function amplificationPanel(amplifications: readonly Amplification[], x: Axis): Panel {
  const tasks = [...new Set(amplifications.map(({ task }) => task))];
  const lines = tasks.flatMap((task, i): Line[] => {
    const of = amplifications.filter((one) => one.task === task);
    const color = colorAt(WRITE_COLORS, i);
    const points = (figure: "measured" | "theory") =>
      of.map((one) => ({ x: one.entries, y: one[figure] }));
    return [
      { name: task, color, points: points("measured") },
      { name: "theory", color, isDashed: true, points: points("theory") },
    ];
  });
  const all = amplifications.flatMap(({ measured, theory }) => [measured, theory]);
  return { title: "varve: bytes written a byte put", x, y: amplificationAxis(all), lines };
}

export function scaleChart(
  costs: readonly Cost[],
  amplifications: readonly Amplification[],
): string {
  const x = entriesAxis(costs.map(({ entries }) => entries));
  const tasks = [...new Set(costs.map(({ task }) => task))];
  const panels = tasks.map((task) =>
    costPanel(
      task,
      costs.filter((cost) => cost.task === task),
      x,
    ),
  );
  if (amplifications.length > 0) panels.push(amplificationPanel(amplifications, x));
  return lineChart("scale: time of an operation against entries in the database", panels, COLUMNS);
}
