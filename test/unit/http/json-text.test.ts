import fc from "fast-check";
import { expect, test } from "vitest";
import {
  assertFewParts,
  compactJson,
  elementTexts,
  memberText,
} from "../../../src/http/json-text.ts";

test("any JSON, however it is written, is the same JSON without its white space", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, "\t", "\n\r "), (document, space) => {
      const written = JSON.stringify(document, null, space);
      expect(compactJson(` ${written}\r\n`)).toBe(JSON.stringify(document));
    }),
  );
});

// Not against `JSON.parse`: that of V8 13.6 takes the name `"` for `\`, where it has met an object with that one before.
test("members and elements are found as they are written, the last one of a name", () => {
  const names = ["a", "value", '"', "\\", "\\\\", "{", ""];
  const list = fc.array(fc.tuple(fc.constantFrom(...names), fc.json()));
  fc.assert(
    fc.property(list, fc.constantFrom("", " ", "\n\t"), (members, space) => {
      const pairs = members.map(
        ([name, text]) => `${JSON.stringify(name)}${space}:${space}${text}${space}`,
      );
      const object = `${space}{${space}${pairs.join(`,${space}`)}}${space}`;
      for (const name of [...names, "absent"]) {
        const last = members.findLast(([of]) => of === name);
        expect(memberText(object, name)).toBe(last?.[1]);
      }
      const objects = pairs.map((pair) => `{${pair}}`);
      const array = `${space}[${space}${objects.join(`${space},${space}`)}]`;
      expect([...elementTexts(array)]).toEqual(objects);
    }),
  );
});

test("a member's name may be written with escapes, and the last one of a name counts", () => {
  expect(memberText('{"v\\u0061lue": 1.10, "value" :2e400 }', "value")).toBe("2e400");
  expect(memberText('{"value":2, "v\\u0061lue": 1.10}', "value")).toBe("1.10");
});

test("numbers, doubled names and escapes stay as they are written", () => {
  const text = '{"a":-0,"a":1.10,"b":12345678901234567890,"c":"\\u0041\\ud800"}';
  expect(compactJson(text.replaceAll(",", " ,\n"))).toBe(text);
});

test("parts are counted outside of strings, also where the text is no JSON", () => {
  expect(() => assertFewParts(JSON.stringify("[{:".repeat(100)), 10)).not.toThrow();
  expect(() => assertFewParts(`${"{},".repeat(10)}`, 10)).not.toThrow();
  expect(() => assertFewParts(`${"{},".repeat(11)}`, 10)).toThrow(/11 objects/);
  expect(() => assertFewParts(`"\\"${"[".repeat(20)}`, 10)).not.toThrow();
});
