import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import { keyBounds } from "../../../src/cursor/bounds.ts";

const key = fc.array(fc.constantFrom(0, 1, 97, 254, 255), { maxLength: 4 }).map((bytes) => {
  return Uint8Array.from(bytes);
});
const startsWith = (whole: Uint8Array, prefix: Uint8Array) =>
  compareBytes(whole.subarray(0, prefix.length), prefix) === 0;

test("a key is within the bounds exactly where it satisfies every option", () => {
  const bound = fc.option(key, { nil: undefined });
  const options = fc.record({ gte: bound, gt: bound, lt: bound, lte: bound, prefix: bound });
  fc.assert(
    fc.property(options, fc.array(key, { minLength: 1 }), (given, keys) => {
      const { lower, upper } = keyBounds(given);
      const { gte, gt, lt, lte, prefix } = given;
      for (const candidate of [...keys, ...Object.values(given).filter((b) => b !== undefined)]) {
        const want =
          (gte === undefined || compareBytes(candidate, gte) >= 0) &&
          (gt === undefined || compareBytes(candidate, gt) > 0) &&
          (lt === undefined || compareBytes(candidate, lt) < 0) &&
          (lte === undefined || compareBytes(candidate, lte) <= 0) &&
          (prefix === undefined || startsWith(candidate, prefix));
        const got =
          (lower === undefined || compareBytes(candidate, lower) >= 0) &&
          (upper === undefined || compareBytes(candidate, upper) < 0);
        expect(got).toBe(want);
      }
    }),
    { numRuns: 500 },
  );
});

test("nothing comes after a prefix of the largest bytes", () => {
  expect(keyBounds({ prefix: Uint8Array.of(255, 255) }).upper).toBeUndefined();
  expect(keyBounds({ prefix: Uint8Array.of(1, 255) }).upper).toEqual(Uint8Array.of(2));
  expect(keyBounds({})).toEqual({ lower: undefined, upper: undefined });
});

test("a prefix is not changed, in a Buffer neither", () => {
  const prefix = Buffer.from("user:");
  expect(keyBounds({ prefix }).upper).toEqual(new TextEncoder().encode("user;"));
  expect(prefix.toString()).toBe("user:");
});
