/** Numbers as the page writes them. */
import { expect, test } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDate,
  formatDuration,
  formatMicroseconds,
  formatShare,
  formatShort,
  formatTimes,
} from "../../dashboard/text/format.ts";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1 KiB"],
  [1536, "1.5 KiB"],
  [1_048_575, "1 MiB"],
  [128 * 1024 * 1024, "128 MiB"],
  [1.16 * 1024 ** 3, "1.16 GiB"],
  [5 * 1024 ** 6, "5120 PiB"],
])("%i bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, "0"],
  [0.25, "0.25"],
  [7.04, "7.04"],
  [42.4, "42"],
  [999.4, "999"],
  [1000, "1 k"],
  [12_345, "12.3 k"],
  [999_499, "999 k"],
  [999_500, "1 M"],
  [3_210_000_000, "3.21 G"],
])("%d is %s in short", (count, text) => {
  expect(formatShort(count)).toBe(text);
});

test("every digit of a count is there, in groups", () => {
  expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(["0", "999", "1,000", "1,234,567"]);
});

test.each([
  [0, "0 µs"],
  [0.8, "0.8 µs"],
  [42, "42 µs"],
  [999.4, "999 µs"],
  [1000, "1 ms"],
  [2310, "2.31 ms"],
  [1_200_000, "1.2 s"],
])("a latency of %d µs is %s", (us, text) => {
  expect(formatMicroseconds(us)).toBe(text);
});

test.each([
  [-5, "0 s"],
  [59_400, "59 s"],
  [59_600, "1 min"],
  [200_000, "3 min 20 s"],
  [7_500_000, "2 h 5 min"],
  [172_800_000, "2 d"],
  [273_600_000, "3 d 4 h"],
])("%d ms go on for %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test("only all is 100 %, and only nothing is 0 %", () => {
  expect([0, 0.0004, 0.5, 0.992, 0.99951, 1].map(formatShare)).toEqual([
    "0 %",
    "< 0.1 %",
    "50.0 %",
    "99.2 %",
    "> 99.9 %",
    "100 %",
  ]);
});

test("a factor has three digits that count", () => {
  expect([1, 2.44, 12.05, 130.4].map(formatTimes)).toEqual(["1×", "2.44×", "12.1×", "130×"]);
});

test("a date is written from the largest part to the smallest, where the reader is", () => {
  expect(formatDate(new Date(2026, 2, 1, 4, 3, 7).getTime())).toBe("2026-03-01 04:03:07");
});
