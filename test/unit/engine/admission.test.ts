import { expect, test } from "vitest";
import { Admission } from "../../../src/engine/admission.ts";
import { VarveError } from "../../../src/errors.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const NONE = { memtables: 0, level0: 0, debt: 0 };
const MIB = 1024 * 1024;

function setUp({ room = true, writeDelayMaxMs = 1000 } = {}) {
  const clock = new ManualClock();
  const state = { room };
  const admission = new Admission({ clock, writeDelayMaxMs, hasRoom: () => state.room });
  const applied: number[] = [];
  const write = (id: number, bytes = 1) =>
    admission.wait(1, bytes, async () => {
      applied.push(id);
      return id;
    });
  return { clock, state, admission, applied, write };
}

test("without backlog a write passes at once", () => {
  const { admission } = setUp();
  expect(admission.mayPass(1, 100)).toBe(true);
  expect(admission.stats()).toMatchObject({ delayedMs: 0, bytesPerSecond: null });
});

test("waits for room and goes on in order when there is some", async () => {
  const { state, admission, applied, write } = setUp({ room: false });
  expect(admission.mayPass(1, 1)).toBe(false);
  const writes = [write(1), write(2), write(3)];
  expect(applied).toEqual([]);
  state.room = true;
  admission.update(NONE);
  expect(applied).toEqual([1, 2, 3]);
  expect(await Promise.all(writes)).toEqual([1, 2, 3]);
});

test("a write may not overtake those that wait", () => {
  const { state, admission, write } = setUp({ room: false });
  void write(1);
  state.room = true;
  expect(admission.mayPass(1, 1)).toBe(false);
});

test("the rate falls steadily as the backlog grows", () => {
  const { admission } = setUp();
  const rates = [0.01, 0.25, 0.5, 0.75, 0.99].map((level0) => {
    admission.update({ ...NONE, level0 });
    return admission.stats().bytesPerSecond ?? Number.POSITIVE_INFINITY;
  });
  expect(rates).toEqual([...rates].sort((a, b) => b - a));
  expect(rates[0]).toBeGreaterThan(64 * MIB);
  expect(rates.at(-1)).toBeLessThan(2 * MIB);
});

test("a delayed write waits in proportion to the bytes before it", () => {
  const { clock, admission, applied, write } = setUp();
  admission.update({ ...NONE, debt: 0.999999 });
  void write(1, MIB / 10);
  void write(2, MIB / 10);
  expect(applied).toEqual([1]);
  clock.advance(50);
  expect(applied).toEqual([1]);
  clock.advance(60);
  expect(applied).toEqual([1, 2]);
  expect(admission.stats().delayed.debt).toBe(2);
});

test("at a hard limit a write fails with OVERLOADED after its time, and says when to try again", async () => {
  const { clock, admission, applied, write } = setUp();
  admission.update({ ...NONE, level0: 1 });
  const refused = expect(write(1)).rejects.toMatchObject({ code: "OVERLOADED", retryable: true });
  clock.advance(1001);
  await refused;
  expect(applied).toEqual([]);
  expect(admission.stats()).toMatchObject({ refused: 1, waiting: 0 });
});

test("more bytes than may wait are refused at once", async () => {
  const { write, state } = setUp({ room: false });
  void write(1, 100 * MIB);
  await expect(write(2, 100 * MIB)).rejects.toMatchObject({ code: "OVERLOADED" });
  state.room = true;
});

test("a single write larger than the whole allowance is not refused for its size", async () => {
  const { admission, write, state, applied } = setUp({ room: false });
  const large = write(1, 200 * MIB);
  state.room = true;
  admission.update(NONE);
  await large;
  expect(applied).toEqual([1]);
});

test("a rotation in the middle of letting writes through lets each through once", () => {
  const { state, admission, applied } = setUp({ room: false });
  for (let id = 0; id < 5; id++) {
    void admission.wait(1, 1, async () => {
      applied.push(id);
      admission.update(NONE);
    });
  }
  state.room = true;
  admission.update(NONE);
  expect(applied).toEqual([0, 1, 2, 3, 4]);
});

test("failure rejects all that wait, and all that come later", async () => {
  const { admission, write } = setUp({ room: false });
  const waiting = expect(write(1)).rejects.toMatchObject({ code: "CLOSED" });
  admission.fail(new VarveError("CLOSED", "closed"));
  await waiting;
  await expect(write(2)).rejects.toMatchObject({ code: "CLOSED" });
});
