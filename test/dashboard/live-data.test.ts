/** Samples as charts have them, and what is said of a server that is not well. */
import { expect, test } from "vitest";
import type { Sample } from "../../dashboard/data/admin-types.ts";
import type { Live } from "../../dashboard/data/live.ts";
import {
  addSamples,
  columnsOf,
  operationsIn,
  sampleAt,
  stackColumns,
} from "../../dashboard/data/sample-series.ts";
import { alarmsOf } from "../../dashboard/page/alarms.ts";
import { FakeServer } from "./support/fake-server.ts";

const server = new FakeServer();
const [first] = server.admin.samples;
const at = (time: number, more: Partial<Sample> = {}): Sample => ({ ...first!, time, ...more });

test("samples are kept for ten minutes, each once", () => {
  const known = [at(1000), at(2000), at(600_500)];
  const times = (samples: readonly Sample[]) => samples.map(({ time }) => time);
  expect(times(addSamples(known, [at(600_500), at(601_500)]))).toEqual([2000, 600_500, 601_500]);
  expect(addSamples(known, [])).toBe(known);
});

test("a silence is a hole in the line, not a slope", () => {
  const samples = [at(1000), at(2000), at(9000)];
  const { times, values } = columnsOf(samples, [(sample) => sample.time]);
  expect(times).toEqual([1, 2, 3, 9]);
  expect(values).toEqual([[1000, 2000, null, 9000]]);
});

test("stacked columns lie on one another", () => {
  const columns = {
    times: [1, 2],
    values: [
      [1, 2],
      [10, null],
      [100, 100],
    ],
  };
  expect(stackColumns(columns).values).toEqual([
    [1, 2],
    [11, null],
    [111, 102],
  ]);
});

test("the sample of a time is the nearest, and without one the newest", () => {
  const samples = [at(1000), at(2000), at(3000)];
  expect(sampleAt(samples, 1900)?.time).toBe(2000);
  expect(sampleAt(samples, undefined)?.time).toBe(3000);
  expect(sampleAt([], 5)).toBeUndefined();
});

test("operations are named in order, those of all seconds", () => {
  const put = { rate: 1, errors: 0, p50: 1, p99: 1, p999: 1 };
  const samples = [at(1, { operations: { put } }), at(2, { operations: { get: put } })];
  expect(operationsIn(samples)).toEqual(["get", "put"]);
});

const calm: Live = {
  link: "live",
  answeredAt: 0,
  failure: undefined,
  unreadiness: [],
  samples: [at(1000, { delays: { memtables: 0, level0: 0, debt: 0, delayed_ms: 0, refused: 0 } })],
  stats: server.stats(),
  tree: undefined,
  slow: undefined,
  connections: undefined,
};

const titles = (live: Live) => alarmsOf(live, 5000).map(({ title }) => title);

test("a server that is well gives no alarm", () => {
  expect(alarmsOf(calm, 5000)).toEqual([]);
});

test("what is not known of an unreachable server is not said", () => {
  const live: Live = { ...calm, link: "unreachable", unreadiness: ["space on the disk is low"] };
  const [alarm, ...others] = alarmsOf(live, 65_000);
  expect(others).toEqual([]);
  expect(alarm?.detail).toContain("1 min 5 s ago");
});

test("refused writes are worse than delayed ones, and both have a reason", () => {
  const delays = { memtables: 0, level0: 3, debt: 2, delayed_ms: 9, refused: 0 };
  const [delayed] = alarmsOf({ ...calm, samples: [at(1, { delays })] }, 0);
  expect(delayed?.severity).toBe("warning");
  expect(delayed?.detail).toContain("Level 0 has many tables, and compaction is behind");
  const [refused] = alarmsOf(
    { ...calm, samples: [at(1, { delays: { ...delays, refused: 4 } })] },
    0,
  );
  expect(refused?.severity).toBe("bad");
  expect(refused?.detail).toContain("4 writes in the last second");
});

test("what the server says of its readiness is said once, the worst first", () => {
  const reasons = ["writes are held to 5 bytes a second", "LOG_FAILED: the log cannot be written"];
  const stats = { ...server.stats() };
  const delays = { ...stats.store.delays, bytesPerSecond: 5 };
  const store = { ...stats.store, delays };
  expect(titles({ ...calm, unreadiness: reasons, stats: { ...stats, store } })).toEqual([
    "The log failed",
    "Writes are delayed",
  ]);
  expect(titles({ ...calm, unreadiness: ["it is closing"] })).toEqual(["Not ready"]);
});
