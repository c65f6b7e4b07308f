/** The meter: that it counts right, by door and operation, and that each reader has windows of its own. */
import { expect, test } from "vitest";
import { percentilesOf } from "../../../src/telemetry/latency-buckets.ts";
import { MeterWindow, OperationMeter, slotOf } from "../../../src/telemetry/operation-meter.ts";
import { DOORS, OPERATIONS, type OperationName } from "../../../src/telemetry/operations.ts";

interface Seen {
  readonly count: number;
  readonly errors: number;
  readonly p50: number | undefined;
  readonly p999: number | undefined;
}

function look(window: MeterWindow): Partial<Record<OperationName, Seen>> {
  const seen: Partial<Record<OperationName, Seen>> = {};
  window.advance((operation, count, errors, buckets) => {
    const percentiles = percentilesOf(buckets);
    seen[operation] = { count, errors, p50: percentiles?.p50, p999: percentiles?.p999 };
  });
  return seen;
}

test("each door's operation has a slot of its own", () => {
  const slots = DOORS.flatMap((door) => OPERATIONS.map((operation) => slotOf(door, operation)));
  expect(new Set(slots).size).toBe(DOORS.length * OPERATIONS.length);
});

test("percentiles of a window tell of that window alone", () => {
  const meter = new OperationMeter();
  const window = new MeterWindow(meter);
  const slot = slotOf("tcp", "put");
  for (let i = 0; i < 1000; i++) meter.record(slot, 1, false, 1);
  expect(look(window).put!.p50! / 1000).toBeCloseTo(1, 1);
  for (let i = 0; i < 10; i++) meter.record(slot, 50, false, 1);
  const { count, p50, p999 } = look(window).put!;
  expect(count).toBe(10);
  expect(Math.abs(p50! / 50_000 - 1)).toBeLessThan(0.04);
  expect(p999).toBe(p50);
  expect(look(window)).toEqual({});
});

test("two readers do not take anything from one another", () => {
  const meter = new OperationMeter();
  const often = new MeterWindow(meter);
  const seldom = new MeterWindow(meter);
  for (let second = 0; second < 60; second++) {
    meter.record(slotOf("http", "get"), 2, second % 2 === 0, 1);
    expect(look(often).get).toMatchObject({ count: 1, errors: second % 2 === 0 ? 1 : 0 });
  }
  expect(look(seldom).get).toMatchObject({ count: 60, errors: 30 });
});

test("a window tells of both doors together, and begins where it is made", () => {
  const meter = new OperationMeter();
  meter.record(slotOf("tcp", "get"), 1, false, 1);
  const window = new MeterWindow(meter);
  meter.record(slotOf("tcp", "get"), 1, false, 1);
  meter.record(slotOf("http", "get"), 100, false, 1);
  const { get } = look(window);
  expect(get!.count).toBe(2);
  expect(get!.p50! / 1000).toBeCloseTo(1, 1);
  expect(Math.abs(get!.p999! / 100_000 - 1)).toBeLessThan(0.04);
});

test("what was not timed is counted, and has the latency of what was", () => {
  const meter = new OperationMeter();
  const window = new MeterWindow(meter);
  const slot = slotOf("tcp", "get");
  meter.record(slot, 1, false, 1);
  meter.skip(slot, 98);
  meter.record(slot, 64, false, 99);
  const { count, p50 } = look(window).get!;
  expect(count).toBe(100);
  expect(Math.abs(p50! / 64_000 - 1)).toBeLessThan(0.04);
  expect(meter.sumsMs[slot]).toBe(1 + 64 * 99);
});
