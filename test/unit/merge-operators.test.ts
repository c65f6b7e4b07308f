/** Merge operators: what they come to, and that folding operands together first makes no difference. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { applyOperand, combineOperands } from "../../src/merge-operators.ts";
import { decodeCounter, encodeCounter, MERGE_OPERATORS } from "../../src/store.ts";

const counter = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const bytes = fc.uint8Array({ maxLength: 12 });
const numeric = fc.constantFrom("add" as const, "max" as const, "min" as const);

test("add, max and min are those of 64-bit integers", () => {
  fc.assert(
    fc.property(counter, counter, (a, b) => {
      const after = (operator: "add" | "max" | "min") =>
        decodeCounter(applyOperand(operator, encodeCounter(a), encodeCounter(b)));
      expect(after("add")).toBe(BigInt.asIntN(64, a + b));
      const [low, high] = a < b ? [a, b] : [b, a];
      expect(after("max")).toBe(high);
      expect(after("min")).toBe(low);
    }),
  );
});

test("on nothing, an operand takes the value's place", () => {
  fc.assert(
    fc.property(numeric, counter, (operator, operand) => {
      expect(decodeCounter(applyOperand(operator, undefined, encodeCounter(operand)))).toBe(
        operand,
      );
    }),
  );
  expect(applyOperand("append", undefined, Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 2));
});

test("any value is a counter: its first eight bytes, with zeros for those that are missing", () => {
  const one = encodeCounter(1);
  expect(decodeCounter(applyOperand("add", Uint8Array.of(), one))).toBe(1n);
  expect(decodeCounter(applyOperand("add", Uint8Array.of(5), one))).toBe(6n);
  const long = Uint8Array.from([...encodeCounter(41), 9, 9]);
  expect(applyOperand("add", long, one)).toEqual(encodeCounter(42));
});

test("append puts bytes behind, up to the largest value", () => {
  expect(applyOperand("append", Uint8Array.of(1), Uint8Array.of(2, 3))).toEqual(
    Uint8Array.of(1, 2, 3),
  );
  const largest = 16 * 1024 * 1024;
  const nearly = new Uint8Array(largest - 1);
  const full = applyOperand("append", nearly, Uint8Array.of(7, 8));
  expect(full.length).toBe(largest);
  expect(full.at(-1)).toBe(7);
  expect(applyOperand("append", full, Uint8Array.of(9)).length).toBe(largest);
});

test("operands may be folded together first, in any grouping", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...MERGE_OPERATORS),
      fc.option(bytes, { nil: undefined }),
      bytes,
      bytes,
      bytes,
      (operator, value, a, b, c) => {
        const apply = (before: Uint8Array | undefined, operand: Uint8Array) =>
          applyOperand(operator, before, operand);
        const combine = (older: Uint8Array, newer: Uint8Array) =>
          combineOperands(operator, older, newer);
        const oneByOne = apply(apply(apply(value, a), b), c);
        expect(apply(apply(value, combine(a, b)), c)).toEqual(oneByOne);
        expect(apply(apply(value, a), combine(b, c))).toEqual(oneByOne);
        expect(apply(value, combine(combine(a, b), c))).toEqual(oneByOne);
        expect(apply(value, combine(a, combine(b, c)))).toEqual(oneByOne);
      },
    ),
  );
});
