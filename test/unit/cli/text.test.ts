import { expect, test } from "vitest";
import { parseDuration } from "../../../src/cli/durations.ts";
import { integerOf, parseInteger } from "../../../src/cli/integers.ts";
import { formatSize, parseSize } from "../../../src/cli/sizes.ts";
import { toBytes, toLine, toText } from "../../../src/cli/text.ts";

test.each([
  ["0", 0],
  ["1536", 1536],
  ["64KiB", 65_536],
  ["1.5 GiB", 1.5 * 2 ** 30],
  ["100MB", 100_000_000],
  ["2gib", 2 ** 31],
])("the size %s is %d bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(["", "MiB", "-1", "1 XB", "1e3", "1,5MiB"])("%j is not a size", (text) => {
  expect(() => parseSize(text)).toThrow(/a size is a number/);
});

test.each([
  [0, "0 B"],
  [1023, "1,023 B"],
  [1536, "1.5 KiB"],
  [512 * 2 ** 20, "512 MiB"],
])("%d bytes are shown as %s", (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});

test.each([
  ["250", 250],
  ["250ms", 250],
  ["10s", 10_000],
  ["1.5 m", 90_000],
  ["2h", 7_200_000],
  ["7d", 604_800_000],
])("the time %s is %d ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "s", "-1s", "1w", "1e3", "1,5s", "10S"])("%j is not a time", (text) => {
  expect(() => parseDuration(text)).toThrow(/a time is a number/);
});

test.each([
  ["0", 0n],
  ["+7", 7n],
  ["-9223372036854775808", -(2n ** 63n)],
])("%s is a whole number", (text, integer) => {
  expect(integerOf(text)).toBe(integer);
  expect(parseInteger(text)).toBe(integer);
});

test.each(["", "1.5", "0x10", "seven", "1 2", "--1"])("%j is not a whole number", (text) => {
  expect(integerOf(text)).toBeUndefined();
  expect(() => parseInteger(text)).toThrow(/is not a whole number/);
});

test("UTF-8 is shown as text, and other bytes are escaped, none lost", () => {
  expect(toText(toBytes("Zürich 🏔", "utf8"), "utf8")).toBe("Zürich 🏔");
  expect(toText(new Uint8Array([0x61, 0xff, 0x00, 0x5c]), "utf8")).toBe("a\\xff\\x00\\x5c");
});

test.each(["hex", "base64"] as const)("%s goes both ways", (encoding) => {
  const bytes = new Uint8Array([0, 1, 2, 0xfe, 0xff]);
  expect(new Uint8Array(toBytes(toText(bytes, encoding), encoding))).toEqual(bytes);
});

test("what is not hexadecimal is refused, not cut short", () => {
  expect(() => toBytes("0g", "hex")).toThrow("0g is not hexadecimal");
});

test.each([
  ["caf\u00e9 \\ 1", "caf\u00e9 \\ 1"],
  ["a\nb", "a\\x0ab"],
  ["\x1b[31mred\\", "\\x1b[31mred\\x5c"],
  ["\u2028", "\\u2028"],
])("on a line of its own %j is %s: nothing that speaks to a terminal", (text, shown) => {
  expect(toLine(Buffer.from(text), "utf8")).toBe(shown);
});
