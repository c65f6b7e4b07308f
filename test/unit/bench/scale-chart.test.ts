/** The axes and lines of the chart of `scale`. */
import { expect, test } from "vitest";
import { scaleChart, stepsAround } from "../../../bench/scale/chart.ts";

test.each([
  [
    [1.4, 3],
    [1, 2, 5],
  ],
  [
    [0.08, 0.12],
    [0.05, 0.1, 0.2],
  ],
  [
    [2, 10],
    [2, 5, 10],
  ],
  [
    [5, 5],
    [5, 10],
  ],
  [
    [7, 7],
    [5, 10],
  ],
  [
    [90, 1100],
    [50, 100, 200, 500, 1000, 2000],
  ],
])("the steps around %j are %j", (values, steps) => {
  expect(stepsAround(values)).toEqual(steps);
});

test("no axis is made for what has no logarithm", () => {
  for (const values of [[], [0, 1], [Number.NaN]]) expect(() => stepsAround(values)).toThrow();
});

test("each task has a panel with a line for each store, and what is written one beside theory", () => {
  const micros = (varve: number[], peer: number[]) =>
    new Map([
      ["varve", varve],
      ["peer", peer],
    ]);
  const svg = scaleChart(
    [
      { task: "reads", entries: 20_000, micros: micros([1, 2, 9], [3]) },
      { task: "reads", entries: 1_000_000, micros: micros([4], [5]) },
      { task: "scans", entries: 20_000, micros: micros([700], [900]) },
    ],
    [{ task: "fill", entries: 20_000, measured: 4, theory: 24 }],
  );
  expect(svg.match(/<polyline/g)).toHaveLength(2 + 2 + 2);
  expect(svg.match(/stroke-dasharray/g)).toHaveLength(1);
  for (const text of [">20 k<", ">1 M<", ">reads<", ">scans<", ">peer<", ">theory<", ">25×<"]) {
    expect(svg).toContain(text);
  }
});
