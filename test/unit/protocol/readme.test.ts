import { readFileSync } from "node:fs";
import { decodeAnswer, decodeRequest, ERROR_CODES, OPCODE } from "varve-protocol";
import { expect, test } from "vitest";
import { decodeAll } from "./feed.ts";

const readme = readFileSync(new URL("../../../protocol/README.md", import.meta.url), "utf8");

function rows(pattern: RegExp): RegExpExecArray[] {
  return [...readme.matchAll(new RegExp(pattern, "gm"))];
}

test("the specification's opcode table is the code's", () => {
  const table = rows(/^\| 0x([0-9A-F]{2}) +\| ([A-Z_]+) +\| (request|answer) +\|/);
  const documented = table.map(([, number, name, direction]) => [
    name,
    Number.parseInt(number ?? "", 16),
    direction,
  ]);
  const coded = Object.entries(OPCODE).map(([name, number]) => [
    name,
    number,
    number < 0x80 ? "request" : "answer",
  ]);
  expect(documented).toEqual(coded);
});

test("the specification's error table is the code's", () => {
  const table = rows(/^\| (\d+) +\| ([A-Z_]+) +\| .+ \| (?:yes|no)/);
  const documented = Object.fromEntries(table.map(([, number, name]) => [name, Number(number)]));
  expect(documented).toEqual(ERROR_CODES);
});

test("the specification's example session decodes to what it says", () => {
  const lines = rows(/^(client|server) {2}((?:[0-9a-f]{2} ?)+?) {2,}([A-Z_]+)$/);
  expect(lines.length).toBeGreaterThan(5);
  for (const [, side, hex, kind] of lines) {
    const bytes = new Uint8Array(Buffer.from((hex ?? "").replaceAll(" ", ""), "hex"));
    const decode = side === "client" ? decodeRequest : decodeAnswer;
    expect(decodeAll([bytes], (frame) => decode(frame).kind)).toEqual([kind]);
  }
});
