import fc from "fast-check";
import { MERGE_OPERATORS } from "varve-protocol";
import { expect, test } from "vitest";
import { foldOperand } from "../../../protocol/fold-operand.ts";
import { applyOperand } from "../../../src/merge-operators.ts";

const value = fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined });
const counter = fc.uint8Array({ minLength: 8, maxLength: 8 });

test("an operand does to a value what it does in the engine", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...MERGE_OPERATORS),
      value,
      counter,
      (operator, before, operand) => {
        expect(foldOperand(operator, before, operand)).toEqual(
          applyOperand(operator, before, operand),
        );
      },
    ),
    { numRuns: 500 },
  );
});

test("what append makes is cut where the engine cuts it", () => {
  const before = new Uint8Array(16 * 1024 * 1024 - 2).fill(1);
  const after = foldOperand("append", before, new Uint8Array([2, 3, 4]));
  expect(after.length).toBe(16 * 1024 * 1024);
  expect([...after.subarray(-2)]).toEqual([2, 3]);
});
