/** Bytes as text and back. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bestView,
  decodeText,
  hexDump,
  parseHex,
  parsePrintable,
  percentEncode,
  prettyJson,
  printable,
  toHex,
} from "../../dashboard/text/bytes.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const anyBytes = fc.uint8Array({ maxLength: 80 });
const anyText = fc.string({ unit: "binary", maxLength: 40 }).map(utf8);

test("what is printed can be typed in again, whatever the bytes are", () => {
  fc.assert(
    fc.property(fc.oneof(anyBytes, anyText), (bytes) => {
      expect(parsePrintable(printable(bytes))).toEqual(bytes);
    }),
  );
});

test("what is printed can be seen: one line, no controls, no marks that turn text around", () => {
  fc.assert(
    fc.property(fc.oneof(anyBytes, anyText), (bytes) => {
      expect(printable(bytes)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test.each([
  [utf8("user:42"), "user:42"],
  [utf8("größe ✓"), "größe ✓"],
  [utf8("a\\x41"), "a\\\\x41"],
  [Uint8Array.of(0, 0xff, 0x41), "\\x00\\xffA"],
  [utf8("\u202egnp"), "\\xe2\\x80\\xaegnp"],
])("%j is printed as %s", (bytes, text) => {
  expect(printable(bytes)).toBe(text);
});

test("a backslash that begins no escape stands for itself", () => {
  expect(parsePrintable("c:\\temp\\x4")).toEqual(utf8("c:\\temp\\x4"));
});

test("what is percent-encoded is one segment of a path, and decodes to the same bytes", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const encoded = percentEncode(bytes);
      expect(encoded).toMatch(/^[A-Za-z0-9_~.%-]*$/);
      const decoded = encoded.replace(/%(..)/g, (_, digits) =>
        String.fromCharCode(Number.parseInt(digits, 16)),
      );
      expect(Uint8Array.from(decoded, (char) => char.charCodeAt(0))).toEqual(bytes);
    }),
  );
});

test("a hex dump has sixteen bytes a line, and the text beside them", () => {
  const dump = hexDump(utf8("Hello, sediment!\n<b>"));
  expect(dump.split("\n")).toEqual([
    "00000000  48 65 6c 6c 6f 2c 20 73  65 64 69 6d 65 6e 74 21  |Hello, sediment!|",
    "00000010  0a 3c 62 3e                                       |.<b>|",
  ]);
  expect(hexDump(new Uint8Array(100), 40).split("\n")).toHaveLength(3);
});

test("digits that are shown can be read again, and other text is no digits", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      expect(parseHex(toHex(bytes))).toEqual(bytes);
    }),
  );
  expect(toHex(new Uint8Array(17)).split("\n")).toHaveLength(2);
  expect(parseHex("0")).toBeUndefined();
  expect(parseHex("0g")).toBeUndefined();
});

test("JSON is laid out without a change to what it says", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const pretty = prettyJson(utf8(text));
      expect(JSON.parse(pretty ?? "")).toEqual(JSON.parse(text));
      const isPlain = JSON.stringify(JSON.parse(text)) === text;
      if (isPlain) expect(pretty).toBe(JSON.stringify(JSON.parse(text), null, 2));
    }),
  );
});

test("numbers too large for a program, doubled names and escapes stay as they are stored", () => {
  const text = '{"a":12345678901234567890,"a":1.50,"s":"\\u00e9, [1]: {}","e":[],"o":{}}';
  expect(prettyJson(utf8(text))).toBe(
    '{\n  "a": 12345678901234567890,\n  "a": 1.50,\n  "s": "\\u00e9, [1]: {}",\n  "e": [],\n  "o": {}\n}',
  );
  expect(prettyJson(utf8("{"))).toBeUndefined();
  expect(prettyJson(Uint8Array.of(0xff))).toBeUndefined();
});

test.each([
  ['{"a":1}', "json"],
  ["[1,", "text"],
  ["42", "text"],
  ["two\nlines", "text"],
  ["\u0000\u0001", "hex"],
])("%j is best seen as %s", (text, view) => {
  expect(bestView(utf8(text))).toBe(view);
});

test("bytes that are not UTF-8 are no text, and a byte order mark is part of it", () => {
  expect(decodeText(Uint8Array.of(0xc3, 0x28))).toBeUndefined();
  expect(decodeText(utf8("\ufeffa"))).toBe("\ufeffa");
});
