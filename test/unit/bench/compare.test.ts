/** The arithmetic behind every ratio that the suites report. */
import { expect, test } from "vitest";
import { ratioChart } from "../../../bench/support/chart.ts";
import {
  bestPeer,
  interleave,
  median,
  ratioRow,
  runOnce,
  WARM_UP,
} from "../../../bench/support/compare.ts";
import { percentile } from "../../../bench/support/percentile.ts";
import { besideRow, plainRow, reportAsJson } from "../../../bench/support/report.ts";

const machine = { cpu: "<cpu>", cores: 2, memoryGiB: 8, node: "v24", kernel: "Linux" };

test("sides take turns, and the warm-up does not count", async () => {
  const calls: string[] = [];
  const side = (name: string) => ({
    name,
    run: async (task: string, round: number) => {
      calls.push(`${name} ${task} ${round}`);
      return { rate: round };
    },
  });
  const samples = await interleave([side("varve"), side("peer")], "read", 2);
  expect(calls).toEqual([
    `varve read ${WARM_UP}`,
    `peer read ${WARM_UP}`,
    "varve read 0",
    "peer read 0",
    "varve read 1",
    "peer read 1",
  ]);
  expect(samples.get("varve")).toEqual([{ rate: 0 }, { rate: 1 }]);
});

test("what cannot be done twice is run once on each side, without a warm-up", async () => {
  const calls: string[] = [];
  const side = (name: string) => ({
    name,
    run: async (task: string, round: number) => {
      calls.push(`${name} ${task} ${round}`);
      return { micros: calls.length };
    },
  });
  const samples = await runOnce([side("varve"), side("peer")], "fill");
  expect(calls).toEqual(["varve fill 0", "peer fill 0"]);
  expect([...samples]).toEqual([
    ["varve", [{ micros: 1 }]],
    ["peer", [{ micros: 2 }]],
  ]);
});

test("a row beside one other figure is judged by its ratio", () => {
  expect(besideRow("row", 6, "theory", 4, "bytes", { atMost: 1.4 })).toMatchObject({
    peer: "theory",
    varve: 6,
    peerValue: 4,
    ratio: 1.5,
    ratioMin: 1.5,
    ratioMax: 1.5,
    target: "<= 1.4",
    met: false,
  });
});

test("a ratio is the median of the rounds' own ratios, not the ratio of medians", () => {
  const samples = new Map([
    ["varve", [{ rate: 10 }, { rate: 40 }, { rate: 30 }]],
    ["peer", [{ rate: 10 }, { rate: 10 }, { rate: 20 }]],
  ]);
  const spec = { row: "read", figure: "rate", unit: "ops/s", limit: { atLeast: 1.6 } };
  expect(ratioRow(samples, "peer", spec)).toEqual({
    row: "read",
    peer: "peer",
    varve: 30,
    peerValue: 10,
    unit: "ops/s",
    ratio: 1.5,
    ratioMin: 1,
    ratioMax: 4,
    target: ">= 1.6",
    met: false,
  });
});

test("the median of an even number of values lies between the middle two", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
});

test("the best peer has the highest rate or the lowest latency", () => {
  const samples = new Map([
    ["varve", [{ rate: 99, p50: 0 }]],
    ["slow", [{ rate: 1, p50: 1 }]],
    ["fast", [{ rate: 2, p50: 3 }]],
  ]);
  expect(bestPeer(samples, "rate", "highest")).toBe("fast");
  expect(bestPeer(samples, "p50", "lowest")).toBe("slow");
  expect(bestPeer(new Map([["varve", []]]), "rate", "highest")).toBeUndefined();
});

test("a percentile is a value that was measured", () => {
  const sorted = Float64Array.from({ length: 1000 }, (_, i) => i + 1);
  expect(percentile(sorted, 50)).toBe(500);
  expect(percentile(sorted, 99.9)).toBe(999);
  expect(percentile(sorted, 100)).toBe(1000);
});

test("each limit is held the right way round", () => {
  expect(plainRow("row", 5, "ms", { below: 5 }).met).toBe(false);
  expect(plainRow("row", 5, "ms", { atMost: 5 }).met).toBe(true);
  expect(plainRow("row", 5, "ms", { atLeast: 5 }).met).toBe(true);
  expect(plainRow("row", 5, "ms").met).toBeUndefined();
});

test("a row as JSON has every field, and the chart is not in it", () => {
  const rows = [plainRow("row", 5, "ms")];
  const report = { suite: "s", quick: true, machine, options: {}, rows, chart: "<svg/>" };
  const parsed = JSON.parse(reportAsJson(report));
  expect(parsed.rows[0]).toMatchObject({ peer: null, ratio: null, target: null, met: null });
  expect(parsed).not.toHaveProperty("chart");
});

test("a chart has a bar for each row with a ratio, and escapes what it is given", () => {
  const ratios = { peer: "peer", peerValue: 1, ratio: 2, ratioMin: 1.5, ratioMax: 3 };
  const rows = [{ ...plainRow("a < b", 2, "ops/s"), ...ratios }, plainRow("alone", 1, "ms")];
  const svg = ratioChart({ suite: "s", quick: true, machine, options: {}, rows });
  expect(svg).toContain("a &lt; b, peer");
  expect(svg).toContain("&lt;cpu&gt;");
  expect(svg).not.toContain("alone");
});
