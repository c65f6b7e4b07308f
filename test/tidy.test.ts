/** The rules of the house that a machine can hold: floors, file sizes, names, no private addresses. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "");
const sources = tracked.filter((path) => path.endsWith(".ts"));
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** The first prefix that matches a path gives its floor. */
const FLOORS: readonly (readonly [prefix: string, floor: number])[] = [
  // The top: it only starts what the command line knows how to do.
  ["src/main.ts", 8],
  ["src/cli/", 7],
  ["src/server/", 6],
  ["src/http/", 6],
  ["src/index.ts", 6],
  // What both doors record in, and what looks at the engine.
  ["src/telemetry/", 5.5],
  ["src/engine/", 5],
  ["src/compaction/", 4],
  ["src/version/", 3],
  ["src/cursor/", 3],
  ["src/log/", 2],
  ["src/memtable/", 2],
  ["src/table/", 2],
  ["src/fs/", 1],
  ["src/key.ts", 1],
  ["src/entry-cursor.ts", 1],
  ["src/kept-shapes.ts", 0],
  ["src/merge-operators.ts", 1],
  ["src/range-tombstones.ts", 1],
  // Between the kinds of entries and the structures that hold them.
  ["src/entry-header.ts", 1.5],
  ["src/bytes/", 0],
  ["src/durations.ts", 0],
  ["src/errors.ts", 0],
  ["src/options.ts", 0],
  ["src/store.ts", 0],
];

function floorOf(path: string): number {
  const floor = FLOORS.find(([prefix]) => path.startsWith(prefix))?.[1];
  if (floor === undefined) throw new Error(`${path} is on no floor`);
  return floor;
}

function importsOf(path: string): string[] {
  return [...read(path).matchAll(/(?:from|import)\s*\(?"([^"]+)"/g)].map((match) => match[1] ?? "");
}

test("a file imports from lower floors or its own folder only", () => {
  const wrong: string[] = [];
  for (const path of sources.filter((source) => source.startsWith("src/"))) {
    for (const name of importsOf(path).filter((imported) => imported.startsWith("."))) {
      const target = normalize(join(dirname(path), name));
      if (dirname(target) === dirname(path) && path.split("/").length > 2) continue;
      // The ground floor has nothing below it; its files may lean on one another.
      const isBelow = floorOf(target) < floorOf(path) || floorOf(path) === 0;
      if (!isBelow || floorOf(target) > floorOf(path)) wrong.push(`${path} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("protocol stands alone and the client imports nothing but the protocol", () => {
  const outside = (folder: string, allowed: RegExp) =>
    sources
      .filter((path) => path.startsWith(folder))
      .flatMap((path) => importsOf(path).map((name) => `${path}: ${name}`))
      .filter((line) => !allowed.test(line));
  expect(outside("protocol/", /: (\.\/|node:|msgpackr$)/)).toEqual([]);
  expect(outside("client/", /: (\.\/|node:|varve-protocol$)/)).toEqual([]);
});

test("no source file is longer than 500 lines", () => {
  const long = sources.filter((path) => read(path).split("\n").length > 500);
  expect(long).toEqual([]);
});

test("source files are named in kebab case", () => {
  const odd = sources.filter(
    (path) => !/^([a-z0-9-]+\/)*[a-z0-9-]+(\.test|\.config|\.d)?\.ts$/.test(path),
  );
  expect(odd).toEqual([]);
});

test("every source file opens with its job", () => {
  const silent = sources.filter(
    (path) =>
      path.startsWith("src/") && !/^(#!.*\n)?\s*(\/\*\*|\/\/|import|export \{)/.test(read(path)),
  );
  expect(silent).toEqual([]);
});

test("the lock file names no registry", () => {
  expect(read("package-lock.json")).not.toMatch(/"resolved": "http/);
});
