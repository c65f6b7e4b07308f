/** The commands against a server process. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "varve-client";
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

function varve(words: readonly string[], stdin = "", url = server.url): Promise<Outcome> {
  return runVarve(url, words, stdin);
}

test("put, get and del act on one entry", async () => {
  expect(await varve(["put", "user:42", "Ada"])).toMatchObject({ code: 0, stderr: "" });
  expect(await varve(["get", "user:42"])).toEqual({ code: 0, stdout: "Ada\n", stderr: "" });
  const json = await varve(["get", "user:42", "--json"]);
  expect(JSON.parse(json.stdout)).toEqual({ key: "user:42", value: "Ada" });
  expect(await varve(["del", "user:42"])).toMatchObject({ code: 0 });
  expect(await varve(["get", "user:42"])).toEqual({
    code: 1,
    stdout: "",
    stderr: "user:42 is absent\n",
  });
});

test("a value comes from standard input, binary ones in hex", async () => {
  await varve(["put", "file", "-"], "line 1\nline 2\n");
  expect((await varve(["get", "file"])).stdout).toBe("line 1\nline 2\n\n");
  await varve(["put", "00ff", "fffe", "--encoding", "hex"]);
  expect((await varve(["get", "00ff", "--encoding", "hex"])).stdout).toBe("fffe\n");
});

test("count counts, and scan goes page by page, with keys alone", async () => {
  for (const key of ["p:1", "p:2", "p:3"]) await varve(["put", key, `of ${key}`]);
  expect((await varve(["count", "--prefix", "p:"])).stdout).toBe("3\n");
  expect((await varve(["count", "--gte", "p:2", "--lt", "p:9", "--json"])).stdout).toBe(
    '{"count":2}\n',
  );
  const page = ["scan", "--prefix", "p:", "--keys-only", "--limit", "2", "--json", "--cursor"];
  const lines = (text: string) =>
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const first = lines((await varve([...page, "-"])).stdout);
  expect(first.slice(0, 2)).toEqual([{ key: "p:1" }, { key: "p:2" }]);
  const second = lines((await varve([...page, first[2].cursor])).stdout);
  expect(second).toEqual([{ key: "p:3" }, { cursor: null }]);
  expect((await varve([...page, "wrong"])).code).toBe(1);
  const limited = await varve(["scan", "--prefix", "p:", "--limit-bytes", "1"]);
  expect(limited.stdout).toContain("1 entry");
});

test("history shows the versions of a key, and --at reads an older one", async () => {
  await varve(["put", "old", "1"]);
  await varve(["put", "old", "2"]);
  await varve(["del", "old"]);
  const { stdout } = await varve(["history", "old", "--json"]);
  const versions = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(versions.map(({ value }) => value)).toEqual([null, "2", "1"]);
  const at = String(versions[1].sequence);
  expect((await varve(["get", "old", "--at", at])).stdout).toBe("2\n");
  expect((await varve(["scan", "--prefix", "old", "--at", at])).stdout).toContain("1 entry");
  expect((await varve(["history", "old", "--limit", "1"])).stdout).toContain("1 version");
  expect((await varve(["get", "old", "--at", "x"])).code).toBe(1);
});

test("batch applies all lines of a file, and scan shows them in both directions", async () => {
  const file = join(directory, "batch.ndjson");
  const lines = [
    { type: "put", key: "b:1", value: "one" },
    { type: "put", key: "b:2", value: "two" },
    { type: "put", key: "b:3", value: "three" },
    { type: "delete", key: "b:2" },
  ];
  await writeFile(file, `${lines.map((line) => JSON.stringify(line)).join("\n")}\n\n`);
  const applied = await varve(["batch", file, "--json"]);
  expect(JSON.parse(applied.stdout)).toMatchObject({ operations: 4 });
  const scanned = await varve(["scan", "--prefix", "b:", "--reverse", "--json"]);
  expect(
    scanned.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { key: "b:3", value: "three" },
    { key: "b:1", value: "one" },
  ]);
  const table = await varve(["scan", "--gte", "b:1", "--lt", "b:3"]);
  expect(table.stdout).toMatch(/b:1\s+│ one/);
  expect(table.stdout).toMatch(/1 entry\n$/);
});

test("ingest puts all lines of a file that are in order, and none where one is not", async () => {
  const file = join(directory, "ingest.ndjson");
  const lines = Array.from({ length: 2500 }, (_, i) => ({
    key: `i:${String(i).padStart(5, "0")}`,
    value: String(i),
  }));
  await writeFile(file, lines.map((line) => JSON.stringify(line)).join("\n"));
  const ingested = await varve(["ingest", file, "--ttl", "1h", "--json"]);
  expect(JSON.parse(ingested.stdout)).toEqual({ version: expect.any(Number), entries: 2500 });
  expect((await varve(["get", "i:02499"])).stdout).toBe("2499\n");
  const put = '{"type":"put","key":"j:1","value":"1"}\n';
  expect(await varve(["ingest", "-"], put)).toMatchObject({ code: 0 });
  expect((await varve(["get", "j:1"])).stdout).toBe("1\n");
  const wrong = [
    ['{"key":"j:3","value":"1"}\n{"key":"j:2","value":"1"}', "pair 1"],
    ['{"key":"j:3","value":"1"}\nno', "line 2 is not JSON"],
    ['{"key":"j:3"}', "line 1 is not a key and a value"],
    ['{"type":"delete","key":"j:3"}', "line 1 is not a key and a value"],
  ] as const;
  for (const [text, told] of wrong) {
    const refused = await varve(["ingest", "-"], text);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(told) });
  }
  expect((await varve(["get", "j:3"])).code).toBe(1);
  const missing = await varve(["ingest", join(directory, "not-there")]);
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("ENOENT") });
});

test("a batch with a line that is wrong names the line and applies nothing", async () => {
  const lines = '{"type":"put","key":"never","value":"1"}\n{"type":"put","key":"x"}\n';
  const outcome = await varve(["batch", "-"], lines);
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toMatch(/^line 2 is neither/);
  expect((await varve(["get", "never"])).code).toBe(1);
});

test("snapshots lists what clients hold, and kill-snapshot ends one", async () => {
  expect((await varve(["snapshots"])).stdout).toBe("0 snapshots\n");
  await using client = await connect(server.url);
  const snapshot = await client.snapshot();
  const listed = JSON.parse((await varve(["snapshots", "--json"])).stdout);
  expect(listed).toMatchObject([{ sequence: snapshot.sequence }]);
  const id = String(listed[0].id);
  expect((await varve(["snapshots"])).stdout).toMatch(/127\.0\.0\.1:[\s\S]*\n1 snapshot\n$/);
  const killed = await varve(["kill-snapshot", id]);
  expect(killed).toEqual({ code: 0, stdout: `ended snapshot ${id}\n`, stderr: "" });
  await expect(snapshot.get("k")).rejects.toMatchObject({ code: "SNAPSHOT_EXPIRED" });
  const gone = await varve(["kill-snapshot", id]);
  expect(gone).toEqual({ code: 1, stdout: "", stderr: `there is no snapshot ${id}\n` });
  expect((await varve(["kill-snapshot", "x"])).code).not.toBe(0);
});

test("admin shows stats and levels, verifies, flushes and compacts", async () => {
  await varve(["put", "admin", "1"]);
  expect((await varve(["admin", "flush"])).stdout).toBe("flushed\n");
  expect((await varve(["admin", "compact", "--gte", "a", "--lte", "b"])).stdout).toBe(
    "compacted\n",
  );
  const levels = JSON.parse((await varve(["admin", "levels", "--json"])).stdout) as {
    files: number;
  }[];
  expect(levels.reduce((total, { files }) => total + files, 0)).toBeGreaterThan(0);
  const verified = await varve(["admin", "verify"]);
  expect(verified.stdout).toMatch(/^\d+ tables, .+ entries\nno damage found\n$/);
  const report = JSON.parse((await varve(["admin", "verify", "--json"])).stdout);
  expect(report).toMatchObject({ problems: [], entries: expect.any(Number) });
  expect((await varve(["admin", "levels"])).stdout).toMatch(/level.+tables.+size/);
  const stats = JSON.parse((await varve(["admin", "stats", "--json"])).stdout);
  expect(stats).toMatchObject({ server: { connections: 1 }, store: { snapshots: 0 } });
  expect((await varve(["admin", "stats"])).stdout).toMatch(/store\.bytesWritten\.user/);
});

test("errors are told in one line with their code", async () => {
  expect(await varve(["put", "", "x"])).toEqual({
    code: 1,
    stdout: "",
    stderr: "KEY_EMPTY: a key has at least one byte\n",
  });
  const outcome = await varve(["get", "x"], "", "varve://127.0.0.1:1");
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toMatch(/^CONNECTION_FAILED: .*127\.0\.0\.1:1/);
});

test("a wrong option is refused with what is allowed", async () => {
  const outcome = await varve(["put", "k", "v", "--durability", "sometimes"]);
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toMatch(/always, interval, none/);
});

test("watch prints what is committed, behind a sequence and for programs", async () => {
  const json = await varve(["put", "feed:1", "one", "--json"]);
  const { version } = JSON.parse(json.stdout) as { version: number };
  await varve(["del", "feed:1"]);
  await varve(["incr", "feed:n", "3"]);
  const watch = ["watch", "--prefix", "feed:", "--since", String(version - 1)];
  const printed = await varve([...watch, "--limit", "2"]);
  expect(printed).toMatchObject({ code: 0, stderr: "" });
  expect(printed.stdout.split("\n").map((line) => line.split(" ").slice(2).join(" "))).toEqual([
    "put feed:1 one",
    "delete feed:1",
    "",
  ]);
  const plain = await varve([...watch, "--limit", "1", "--json"]);
  const [progress, commit] = plain.stdout.trim().split("\n");
  expect(JSON.parse(progress ?? "")).toEqual({ type: "progress", sequence: version - 1 });
  expect(JSON.parse(commit ?? "")).toMatchObject({
    type: "commit",
    sequence: version,
    operations: [{ type: "put", key: "feed:1", value: "one" }],
  });
  const bad = await varve(["watch", "--since", "one"]);
  expect(bad.code).toBe(1);
});
