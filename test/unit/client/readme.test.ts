import { readFileSync } from "node:fs";
import { ERROR_CODES } from "varve-client";
import { expect, test } from "vitest";
import { VarveClient } from "../../../client/client.ts";
import { ClientStore } from "../../../client/client-store.ts";
import { resolveSettings } from "../../../client/options.ts";

const readme = readFileSync(new URL("../../../client/README.md", import.meta.url), "utf8");

test("the README's options and defaults are the code's", () => {
  const rows = readme.matchAll(/^\| `(\w+)` +\| ("[^"]+"|\d+|none) +\|/gm);
  const documented = Object.fromEntries([...rows].map(([, name, value]) => [name, value]));
  const { host, port, ...settings } = resolveSettings("varve://h", {});
  const coded = Object.entries(settings).map(([name, value]) => [
    name,
    value === undefined ? "none" : JSON.stringify(value),
  ]);
  expect(documented).toEqual(Object.fromEntries(coded));
  expect([host, port]).toEqual(["h", 7420]);
});

test("the README names every call of the client", () => {
  const calls = [ClientStore, VarveClient]
    .flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype))
    .filter((name) => name !== "constructor" && name !== "server");
  for (const call of calls) expect(readme).toContain(`\`${call}(`);
});

test("the README names only error codes that exist", () => {
  const codes = readme.slice(readme.indexOf("## Errors")).matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g);
  for (const [, code] of codes) expect(Object.keys(ERROR_CODES)).toContain(code);
});
