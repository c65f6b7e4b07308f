/** The open snapshots' sequences: each is there until its last snapshot is closed. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { SnapshotList } from "../../../src/engine/snapshot-list.ts";

test("tells the distinct sequences of what is open, ascending", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(20))), (steps) => {
      const list = new SnapshotList();
      const open: number[] = [];
      for (const [isAdd, pick] of steps) {
        if (isAdd) {
          list.add(pick);
          open.push(pick);
        } else if (open.length > 0) {
          const [closed] = open.splice(pick % open.length, 1);
          list.remove(closed!);
        }
        expect(list.sequences()).toEqual([...new Set(open)].sort((a, b) => a - b));
        expect(list.count).toBe(open.length);
      }
    }),
  );
});

test("sequences beyond 32 bits are in order as numbers", () => {
  const list = new SnapshotList();
  for (const sequence of [2 ** 40, 9, 2 ** 53 - 1, 10, 0]) list.add(sequence);
  expect(list.sequences()).toEqual([0, 9, 10, 2 ** 40, 2 ** 53 - 1]);
});
