/** The commands on keyspaces, and `--keyspace` of those on entries, against a server process. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServerProcess, startServer } from "../../../bench/support/server-process.ts";
import { type Outcome, runVarve } from "./varve-process.ts";

let directory: string;
let server: ServerProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "varve-cli-keyspaces-"));
  server = await startServer(join(directory, "data"));
});

afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

function varve(...words: string[]): Promise<Outcome> {
  return runVarve(server.url, words, "");
}

test("a keyspace is created, used, altered, listed and dropped", async () => {
  const none = await varve("put", "k", "v", "--keyspace", "orders");
  expect(none).toMatchObject({ code: 1 });
  expect(none.stderr).toMatch(/^NO_SUCH_KEYSPACE: /);
  expect((await varve("keyspaces")).stdout).toBe("0 keyspaces\n");
  const created = await varve("keyspace", "create", "orders", "--ttl", "1h", "--codec", "zstd");
  expect(created).toMatchObject({ code: 0, stdout: "created keyspace orders\n" });
  const twice = await varve("keyspace", "create", "orders");
  expect(twice.stderr).toMatch(/^KEYSPACE_EXISTS: /);

  await varve("put", "k", "of orders", "--keyspace", "orders");
  await varve("put", "k", "of the store");
  expect((await varve("get", "k", "--keyspace", "orders")).stdout).toBe("of orders\n");
  expect((await varve("get", "k")).stdout).toBe("of the store\n");
  expect((await varve("count", "--keyspace", "orders")).stdout).toBe("1\n");
  expect((await varve("scan", "--keyspace", "orders", "--json")).stdout).toBe(
    '{"key":"k","value":"of orders"}\n',
  );

  const [listed] = JSON.parse((await varve("keyspaces", "--json")).stdout);
  expect(listed).toMatchObject({ name: "orders", ttlMs: 3_600_000, codec: "zstd" });
  const altered = await varve("keyspace", "alter", "orders", "--no-ttl", "--codec", "lz4");
  expect(altered).toMatchObject({ code: 0, stdout: "altered keyspace orders\n" });
  const [after] = JSON.parse((await varve("keyspaces", "--json")).stdout);
  expect(after).toMatchObject({ codec: "lz4" });
  expect(after).not.toHaveProperty("ttlMs");
  await varve("keyspace", "alter", "orders", "--ttl", "5m", "--level-codec");
  const shown = (await varve("keyspaces")).stdout;
  expect(shown).toMatch(/orders.+300000 ms/);
  expect(shown).toContain("1 keyspace\n");
  expect((await varve("keyspace", "alter", "orders")).stderr).toMatch(/^INVALID_ARGUMENT: /);

  expect(await varve("keyspace", "drop", "orders")).toMatchObject({
    code: 0,
    stdout: "dropped keyspace orders\n",
  });
  expect(await varve("keyspace", "drop", "orders")).toEqual({
    code: 1,
    stdout: "",
    stderr: "there is no keyspace orders\n",
  });
});

test("a keyspace has a retention of its own for as long as it is wanted", async () => {
  const words = ["--retention-time", "30d", "--retention", "1000"];
  expect(await varve("keyspace", "create", "audit", ...words)).toMatchObject({ code: 0 });
  const listed = async () => JSON.parse((await varve("keyspaces", "--json")).stdout)[0];
  const thirtyDays = 30 * 86_400_000;
  const both = { retentionMs: thirtyDays, retentionSequences: 1000 };
  expect(await listed()).toMatchObject({ name: "audit", ...both });
  expect((await varve("keyspaces")).stdout).toMatch(/audit.+2592000000 ms, 1000 sequences/);
  await varve("keyspace", "alter", "audit", "--retention", "0");
  expect(await listed()).toMatchObject({ retentionMs: thirtyDays, retentionSequences: 0 });
  await varve("keyspace", "alter", "audit", "--no-retention");
  const stores = await listed();
  expect(stores).not.toHaveProperty("retentionMs");
  expect(stores).not.toHaveProperty("retentionSequences");
  await varve("keyspace", "drop", "audit");
});
