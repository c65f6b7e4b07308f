/** The operator's JSON: that it tells the truth, in the shapes that the document promises. */
import { Value } from "typebox/value";
import { expect, test } from "vitest";
import { Connections, Samples, Slow, Stats, Tree } from "../../../src/http/admin-schemas.ts";
import type { Sample } from "../../../src/telemetry/sample.ts";
import type { TreePicture } from "../../../src/telemetry/tree-picture.ts";
import { startAdminApp } from "../../support/admin-app.ts";

const ADMIN = "/kv-store/v1/admin";

test("every answer has the shape that its schema says", async () => {
  const { json, database, clock, telemetry } = await startAdminApp();
  for (let i = 0; i < 200; i++) await database.put(`key${i}`, "value ".repeat(10));
  telemetry.record("http", "put", 120, false, Buffer.from("key1"));
  clock.advance(2000);
  const schemas = {
    stats: Stats,
    samples: Samples,
    tree: Tree,
    slow: Slow,
    connections: Connections,
  };
  for (const [name, schema] of Object.entries(schemas)) {
    const answer = await json(`${ADMIN}/${name}/`);
    expect([...Value.Errors(schema, answer)], name).toEqual([]);
    expect(await json(`${ADMIN}/${name}`)).toBeTypeOf("object");
  }
});

test("stats tell what the engine, the doors and the process count, and what the caller may do", async () => {
  const { json, database } = await startAdminApp();
  await database.put("a", "1");
  const stats = await json(`${ADMIN}/stats/`);
  expect(stats).toMatchObject({
    version: "1.2.3",
    access: { role: "write", read_only: false },
    tcp: { connections: 3 },
    http: { connections: 1 },
  });
  expect(stats.store).toEqual(JSON.parse(JSON.stringify(database.stats())));
  expect(stats.process).toMatchObject({ resident_bytes: expect.any(Number) });
});

test("samples after a time are those that are newer, and no others", async () => {
  const { json, clock } = await startAdminApp();
  clock.advance(5000);
  const all = (await json(`${ADMIN}/samples/`)) as { samples: Sample[]; interval_ms: number };
  expect(all.interval_ms).toBe(1000);
  expect(all.samples).toHaveLength(5);
  const { time } = all.samples[2]!;
  const later = (await json(`${ADMIN}/samples/?after=${time}`)) as { samples: Sample[] };
  expect(later.samples).toEqual(all.samples.slice(3));
  clock.advance(1000);
  const next = (await json(`${ADMIN}/samples/?after=${all.samples[4]!.time}`)) as typeof later;
  expect(next.samples).toHaveLength(1);
});

test("a sample tells of its second alone", async () => {
  const { json, clock, telemetry, database } = await startAdminApp();
  for (let i = 0; i < 100; i++) telemetry.record("tcp", "get", 1, i < 10);
  await database.put("a", "1");
  clock.advance(1000);
  for (let i = 0; i < 50; i++) telemetry.record("http", "get", 8, false);
  clock.advance(1000);
  clock.advance(1000);
  const { samples } = (await json(`${ADMIN}/samples/`)) as { samples: Sample[] };
  expect(samples).toHaveLength(3);
  expect(samples[0]!.operations.get).toMatchObject({ rate: 100, errors: 10 });
  expect(samples[0]!.operations.get!.p50 / 1000).toBeCloseTo(1, 1);
  expect(samples[0]!.user_bytes).toBe(2);
  expect(samples[1]!.operations.get).toMatchObject({ rate: 50, errors: 0 });
  expect(Math.abs(samples[1]!.operations.get!.p99 / 8000 - 1)).toBeLessThan(0.04);
  expect(samples[1]!.user_bytes).toBe(0);
  expect(samples[2]!.operations).toEqual({});
});

test("the tree has each table of the engine once, and the names of keyspaces", async () => {
  const { json, database } = await startAdminApp();
  const orders = await database.keyspace("orders");
  for (let i = 0; i < 500; i++) {
    await database.put(`key${i % 97}`, `value ${i}`.repeat(4));
    await orders.put(`order${i}`, "x");
  }
  await database.flush();
  const tree = (await json(`${ADMIN}/tree/`)) as unknown as TreePicture;
  const layout = database.layout();
  expect(tree.version).toBe(layout.edits);
  for (const { level, tables } of layout.levels) {
    const drawn = tree.levels[level]!.tables.map(({ number }) => number);
    expect(drawn).toEqual(tables.map(({ number }) => number));
  }
  const bricks = tree.levels.flatMap(({ tables }) => tables);
  expect(bricks.some(({ smallest }) => smallest.startsWith("orders/order"))).toBe(true);
  expect(bricks.some(({ largest }) => largest.startsWith("key"))).toBe(true);
  // Asked once more without a change it is the same, from what was drawn before.
  expect(await json(`${ADMIN}/tree/`)).toEqual({ ...tree, memtables: tree.memtables });
});

test("slow operations are there with their keys, newest first, and quick ones are not", async () => {
  const { json, telemetry, database } = await startAdminApp();
  const orders = await database.keyspace("orders");
  await orders.put("o1", "1");
  telemetry.record("tcp", "get", 99, false, Buffer.from("quick"));
  telemetry.record("tcp", "get", 150, false, Buffer.from("slow"));
  telemetry.record("http", "scan", 2500, true, Buffer.from([0, 0, 0, 0, 1, 0x6f]));
  telemetry.record("tcp", "put", 300, false);
  telemetry.record("tcp", "watch", 60_000, false);
  const slow = await json(`${ADMIN}/slow/`);
  expect(slow).toMatchObject({
    threshold_ms: 100,
    operations: [
      { door: "tcp", operation: "put", key: null, duration_ms: 300 },
      { door: "http", operation: "scan", key: "orders/o", duration_ms: 2500, error: true },
      { door: "tcp", operation: "get", key: "slow", error: false },
    ],
  });
});

test("connections are listed up to 200, and counted all", async () => {
  const asked: number[] = [];
  const one = {
    id: 7,
    peer: "127.0.0.1:5",
    client: "c",
    since: 1,
    in_flight: 2,
    scans: 1,
    watches: 0,
    bytes_in: 10,
    bytes_out: 20,
  };
  const { json } = await startAdminApp({
    connections: (max) => {
      asked.push(max);
      return [one];
    },
  });
  const answer = await json(`${ADMIN}/connections/`);
  expect(answer).toEqual({ tcp: [one], tcp_total: 3, http_total: 1 });
  expect(asked).toEqual([200]);
});

test("answers are not to be kept by caches", async () => {
  const { app } = await startAdminApp();
  for (const name of ["stats", "samples", "tree", "slow", "connections"]) {
    const { headers } = await app.inject(`${ADMIN}/${name}/`);
    expect(headers["cache-control"]).toBe("no-store");
  }
});
