import fc from "fast-check";
import { expect, test } from "vitest";
import { Past } from "../../../src/version/past.ts";

const everywhere = () => true;

test("at first all of the past is whole", () => {
  expect(Past.WHOLE.prunedTo).toBe(0);
  expect(Past.WHOLE.prunedOf(7)).toBe(0);
});

test("what is dropped by the store's horizon is dropped of all keyspaces that have none of their own", () => {
  const past = Past.WHOLE.after({ to: 50, keyspaces: [[3, 0]] }, everywhere);
  expect([past.prunedTo, past.prunedOf(3), past.prunedOf(4)]).toEqual([50, 0, 50]);
});

test("a keyspace that gets a retention begins where the rest is by then, and ends where what is under way takes it", () => {
  const rest = Past.WHOLE.after({ to: 50, keyspaces: [] }, everywhere);
  // A flush that had begun before the keyspace had one.
  const late = rest.after({ to: 60, keyspaces: [] }, everywhere);
  expect(late.prunedOf(3)).toBe(60);
  const after = late.after({ to: 90, keyspaces: [[3, 0]] }, everywhere);
  expect([after.prunedTo, after.prunedOf(3)]).toEqual([90, 60]);
});

test("a keyspace whose retention was shorter never claims again what went then", () => {
  let past = Past.WHOLE.after({ to: 10, keyspaces: [[3, 0]] }, everywhere);
  past = past.after({ to: 10, keyspaces: [[3, 40]] }, everywhere);
  past = past.after({ to: 20, keyspaces: [[3, 15]] }, everywhere);
  expect([past.prunedTo, past.prunedOf(3)]).toEqual([20, 40]);
  // Taken back to the store's, which is behind it.
  past = past.after({ to: 30, keyspaces: [] }, everywhere);
  expect([past.prunedTo, past.prunedOf(3)]).toEqual([30, 40]);
  past = past.after({ to: 45, keyspaces: [] }, everywhere);
  expect([past.prunedTo, past.prunedOf(3)]).toEqual([45, 45]);
  expect(past.keyspaces).toEqual([]);
});

test("of a keyspace that was dropped nothing is known any more", () => {
  const past = Past.WHOLE.after({ to: 10, keyspaces: [[3, 5]] }, everywhere);
  expect(past.keyspaces).toEqual([[3, 5]]);
  expect(past.after({ to: 0, keyspaces: [] }, () => false).keyspaces).toEqual([]);
});

const sequence = fc.nat({ max: 30 });
const pruned = fc.record({
  to: sequence,
  keyspaces: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 5 }), sequence), {
    selector: ([id]) => id,
  }),
});

test("edits tell of every step, and one of all of them", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(pruned, fc.nat({ max: 6 }))), (steps) => {
      let past = Past.WHOLE;
      let told = Past.WHOLE;
      for (const [step, dropped] of steps) {
        const next = past.after(step, (id) => id !== dropped);
        const edit = next.changesSince(past);
        told = told.with(edit.prunedTo, edit.prunedKeyspaces);
        for (const id of [1, 2, 3, 4, 5]) {
          expect(told.prunedOf(id)).toBe(next.prunedOf(id));
          const own = new Map(step.keyspaces).get(id) ?? step.to;
          if (id !== dropped) {
            expect(next.prunedOf(id)).toBeGreaterThanOrEqual(Math.max(past.prunedOf(id), own));
          }
        }
        past = next;
      }
      const whole = past.changesSince(Past.WHOLE);
      const again = Past.WHOLE.with(whole.prunedTo, whole.prunedKeyspaces);
      expect([again.prunedTo, again.keyspaces]).toEqual([past.prunedTo, past.keyspaces]);
    }),
  );
});
