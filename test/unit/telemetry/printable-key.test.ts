/** Keys for people: readable, on one line, short, and never mistaken for one of another keyspace. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyMapping } from "../../../src/store.ts";
import { printableKey } from "../../../src/telemetry/printable-key.ts";

const names = new Map([[5, "orders"]]);
const print = (key: string | Uint8Array) =>
  printableKey(typeof key === "string" ? Buffer.from(key) : key, names);

test.each([
  ["user:42", "user:42"],
  ["Zoë 日本 🍕", "Zoë 日本 🍕"],
  ["a\nb\u0000", "a\\x0ab\\x00"],
  ["back\\slash", "back\\\\slash"],
  [Uint8Array.of(0x61, 0xff, 0xc3, 0x28), "a\\xff\\xc3("],
  [Uint8Array.of(0xc0, 0x80), "\\xc0\\x80"],
  [Uint8Array.of(0xed, 0xa0, 0x80), "\\xed\\xa0\\x80"],
  ["\u202eabc", "\\xe2\\x80\\xaeabc"],
])("%j is printed as %s", (key, printed) => {
  expect(print(key)).toBe(printed);
});

test("a keyspace is named, or told by its number, and the default one is not", () => {
  const stored = (id: number) => KeyMapping.of(id).toStored("k1") as Uint8Array;
  expect(print(stored(5))).toBe("orders/k1");
  expect(print(stored(6))).toBe("#6/k1");
  expect(print(stored(0))).toBe("(store)/k1");
  expect(print(KeyMapping.DEFAULT.toStored(Uint8Array.of(0, 1)) as Uint8Array)).toBe("\\x00\\x01");
});

test("any bytes come out printable, and in at most 48 characters", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (key) => {
      const printed = print(key);
      expect(printed).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/u);
      expect([...printed].length).toBeLessThanOrEqual(48);
    }),
  );
  expect(print("x".repeat(48))).toBe("x".repeat(48));
  expect(print("x".repeat(49))).toBe(`${"x".repeat(47)}…`);
});
