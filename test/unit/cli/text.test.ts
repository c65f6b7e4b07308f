import { expect, test } from "vitest";
import { formatSize, parseSize } from "../../../src/cli/sizes.ts";
import { toBytes, toText } from "../../../src/cli/text.ts";

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
