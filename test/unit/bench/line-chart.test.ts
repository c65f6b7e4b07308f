/** Where a chart of lines puts its values, by the numbers in the SVG. */
import { expect, test } from "vitest";
import { type Axis, type Line, lineChart } from "../../../bench/support/line-chart.ts";

const linear: Axis = { low: 0, high: 10, isLogarithmic: false, ticks: [10], label: String };
const logarithmic: Axis = {
  low: 0.1,
  high: 1000,
  isLogarithmic: true,
  ticks: [0.1, 10],
  label: (value) => `<${value}>`,
};
const line = (rest: Partial<Line>): Line => ({ name: "line", color: "#000", points: [], ...rest });

/** The points of each line of a chart. */
function pointsOf(svg: string): number[][][] {
  return [...svg.matchAll(/points="([^"]*)"/g)].map(([, points = ""]) =>
    points.split(" ").map((point) => point.split(",").map(Number)),
  );
}

test("a decade is as long as another on a logarithmic axis, and what is outside is at the edge", () => {
  const points = [0.01, 0.1, 1, 10, 1000, 9999].map((y, x) => ({ x, y }));
  const panel = { title: "panel", x: linear, y: logarithmic, lines: [line({ points })] };
  const [drawn = []] = pointsOf(lineChart("chart", [panel]));
  const [below, low, one, ten, high, above] = drawn.map(([, y]) => y);
  expect(below).toBe(low);
  expect(above).toBe(high);
  expect((low ?? 0) - (one ?? 0)).toBeCloseTo((one ?? 0) - (ten ?? 0), 0);
  expect((one ?? 0) - (ten ?? 0)).toBeCloseTo(((ten ?? 0) - (high ?? 0)) / 2, 0);
  const steps = drawn.slice(1).map(([x], i) => (x ?? 0) - (drawn[i]?.[0] ?? 0));
  for (const step of steps) expect(step).toBeCloseTo(steps[0] ?? 0, 0);
});

test("panels fill a row before the next one begins", () => {
  const panels = ["a", "b", "c"].map((title) => ({
    title,
    x: linear,
    y: logarithmic,
    lines: [line({ points: [{ x: 0, y: 1 }] })],
  }));
  const [a, b, c] = pointsOf(lineChart("chart", panels, 2)).map(([point]) => point ?? []);
  expect(b?.[0]).toBe((a?.[0] ?? 0) + 480);
  expect(b?.[1]).toBe(a?.[1]);
  expect(c?.[0]).toBe(a?.[0]);
  expect(c?.[1]).toBe((a?.[1] ?? 0) + 260);
});

test("names of lines that end together stand below one another", () => {
  const points = [{ x: 10, y: 1 }];
  const lines = ["first", "second", "third"].map((name) => line({ name, points }));
  const svg = lineChart("chart", [{ title: "panel", x: linear, y: logarithmic, lines }]);
  const places = ["first", "second", "third"].map((name) =>
    Number(new RegExp(`y="([\\d.]+)"[^>]*>${name}<`).exec(svg)?.[1]),
  );
  expect((places[1] ?? 0) - (places[0] ?? 0)).toBeGreaterThan(10);
  expect((places[2] ?? 0) - (places[1] ?? 0)).toBeGreaterThan(10);
});

test("a spread is drawn where a point has one, and all text is escaped", () => {
  const points = [{ x: 5, y: 2, least: 1, most: 4 }];
  const lines = [line({ name: "a & b", color: "#abc", isDashed: true, points })];
  const svg = lineChart("1 < 2", [{ title: "3 < 4", x: linear, y: logarithmic, lines }]);
  const spread = /<line x1="([\d.]+)" y1="([\d.]+)" x2="\1" y2="([\d.]+)" stroke="#abc"/.exec(svg);
  const [[[, middle = 0] = []] = []] = pointsOf(svg);
  expect(Number(spread?.[2])).toBeGreaterThan(middle);
  expect(Number(spread?.[3])).toBeLessThan(middle);
  expect(svg).toContain("stroke-dasharray");
  for (const text of ["1 &lt; 2", "3 &lt; 4", "a &amp; b", "&lt;10&gt;"]) {
    expect(svg).toContain(text);
  }
});
