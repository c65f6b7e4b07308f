/** The commands that write under conditions, for a time, or to counters, against a server process. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServerProcess, startServer } from "../../../bench/support/server-process.ts";
import { type Outcome, runVarve } from "./varve-process.ts";

let directory: string;
let server: ServerProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "varve-cli-"));
  server = await startServer(join(directory, "data"));
});

afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

function varve(words: readonly string[], stdin = ""): Promise<Outcome> {
  return runVarve(server.url, words, stdin);
}

async function json(...words: string[]): Promise<Record<string, unknown>> {
  return JSON.parse((await varve([...words, "--json"])).stdout);
}

test("put and del take a condition, and say what was in the way", async () => {
  const first = await json("put", "c", "1", "--if-absent");
  expect(first).toEqual({ version: expect.any(Number) });
  const refused = await varve(["put", "c", "2", "--if-absent"]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/^CONDITION_FAILED: .+\n$/);
  const second = await json("put", "c", "2", "--if-sequence", String(first.version));
  expect((await varve(["del", "c", "--if-sequence", String(first.version)])).code).toBe(1);
  expect((await varve(["get", "c"])).stdout).toBe("2\n");
  expect((await varve(["del", "c", "--if-sequence", String(second.version)])).code).toBe(0);
  expect((await varve(["del", "c", "--if-present"])).stderr).toMatch(/^CONDITION_FAILED: /);
  expect((await varve(["put", "c", "3", "--if-present"])).code).toBe(1);
  expect((await varve(["get", "c"])).code).toBe(1);
});

test("put --ttl, expire and persist decide when an entry expires, and entry tells it", async () => {
  const before = Date.now();
  await varve(["put", "e", "1", "--ttl", "2h"]);
  const put = await json("entry", "e");
  expect(put).toMatchObject({ key: "e", value: "1", revision: 1, sequence: expect.any(Number) });
  expect(put.createdAt).toBe(put.updatedAt);
  expect(put.expiresAt).toBeGreaterThanOrEqual(before + 7_200_000);
  expect(await json("expire", "e", "1d")).toEqual({ version: expect.any(Number) });
  expect((await json("entry", "e")).expiresAt).toBeGreaterThanOrEqual(before + 86_400_000);
  expect((await varve(["entry", "e"])).stdout).toMatch(/expires\s+│ \d{4}-\d\d-\d\dT/);
  expect((await varve(["persist", "e"])).stdout).toMatch(/^version \d+\n$/);
  expect(await json("entry", "e")).toMatchObject({ value: "1", expiresAt: null });
  expect((await varve(["entry", "e"])).stdout).toMatch(/value\s+│ 1\b.+expires\s+│ never/s);
});

test("a short time is over soon", async () => {
  await varve(["put", "short", "1", "--ttl", "1"]);
  while ((await varve(["get", "short"])).code === 0);
});

test.each([
  ["entry", "none"],
  ["expire", "none", "10s"],
  ["persist", "none"],
])("%s of an absent key says so", async (...words) => {
  expect(await varve(words)).toEqual({ code: 1, stdout: "", stderr: "none is absent\n" });
  const told = await varve([...words, "--json"]);
  expect(told).toMatchObject({ code: 1, stderr: "" });
  expect(Object.values(JSON.parse(told.stdout))).toContain(null);
});

test("incr adds, by 1 or what is given, also below 0, and prints the sum", async () => {
  expect(await varve(["incr", "i"])).toEqual({ code: 0, stdout: "1\n", stderr: "" });
  expect((await varve(["incr", "i", "41"])).stdout).toBe("42\n");
  expect((await varve(["incr", "i", "-50"])).stdout).toBe("-8\n");
  expect(await json("incr", "i", "9007199254740993")).toEqual({
    value: "9007199254740985",
    version: expect.any(Number),
  });
  await varve(["put", "text", "text"]);
  expect((await varve(["incr", "text"])).stderr).toMatch(/^NOT_A_COUNTER: /);
});

test("merge folds numbers and bytes", async () => {
  await varve(["merge", "m", "add", "5"]);
  expect(await json("merge", "m", "max", "-7")).toEqual({ version: expect.any(Number) });
  await varve(["merge", "m", "min", "3"]);
  expect((await varve(["incr", "m", "0"])).stdout).toBe("3\n");
  await varve(["merge", "log", "append", "one "]);
  const logInHex = Buffer.from("log").toString("hex");
  await varve(["merge", logInHex, "append", "74776f", "--encoding", "hex"]);
  expect((await varve(["get", "log"])).stdout).toBe("one two\n");
});

test("batch takes merges and puts that expire", async () => {
  const expiresAt = Date.now() + 3_600_000;
  const lines = [
    { type: "put", key: "b:1", value: "one", ttlMs: 3_600_000 },
    { type: "put", key: "b:2", value: "two", expiresAt },
    { type: "merge", key: "b:3", operator: "add", operand: -3 },
    { type: "merge", key: "b:3", operator: "add", operand: "9007199254740993" },
    { type: "merge", key: "b:2", operator: "append", operand: "!" },
  ];
  const applied = await varve(["batch", "-"], lines.map((line) => JSON.stringify(line)).join("\n"));
  expect(applied.stdout).toMatch(/^5 operations applied, version \d+\n$/);
  expect((await json("entry", "b:1")).expiresAt).toBeGreaterThanOrEqual(expiresAt);
  expect(await json("entry", "b:2")).toMatchObject({ value: "two!", expiresAt });
  expect((await varve(["incr", "b:3", "0"])).stdout).toBe("9007199254740990\n");
});

test.each([
  { type: "merge", key: "never", operator: "multiply", operand: "1" },
  { type: "merge", key: "never", operator: "add", operand: "1.5" },
  { type: "merge", key: "never", operator: "append", operand: 5 },
  { type: "merge", key: "never", operator: "add" },
])("batch names a line with a merge that is none: %j", async (line) => {
  const outcome = await varve(["batch", "-"], JSON.stringify(line));
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toMatch(/^line 1 is neither/);
});

test.each([
  ["an expiry that is none", { type: "put", key: "never", value: "1", ttlMs: "soon" }],
  ["two expiries", { type: "put", key: "never", value: "1", ttlMs: 5, expiresAt: 5 }],
])("batch refuses %s", async (_what, line) => {
  const outcome = await varve(["batch", "-"], JSON.stringify(line));
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toMatch(/^INVALID_ARGUMENT: /);
  expect((await varve(["get", "never"])).code).toBe(1);
});

test.each([
  [["put", "k", "v", "--ttl", "soon"], /a time is a number/],
  [["put", "k", "v", "--ttl", "0"], /^INVALID_ARGUMENT: ttlMs is 0/],
  [["put", "k", "v", "--if-absent", "--if-present"], /cannot be used with/],
  [["put", "k", "v", "--if-sequence", "-1"], /a sequence is a whole number from 0/],
  [["put", "k", "v", "--if-sequence", "new"], /new is not a whole number/],
  [["incr", "k", "9223372036854775808"], /^INVALID_ARGUMENT: /],
  [["merge", "k", "multiply", "2"], /add, max, min, append/],
  [["merge", "k", "add", "two"], /^add takes a whole number, not two/],
])("%j is refused with what is allowed", async (words, said) => {
  const outcome = await varve(words);
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toMatch(said);
});
