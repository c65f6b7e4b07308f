/** What the TCP door tells the telemetry: every request, as what it is, once. */

import { connect } from "varve-client";
import { encodeEmpty, encodeRequest, OPCODE, type Request } from "varve-protocol";
import { expect, onTestFinished, test } from "vitest";
import { VarveError } from "../../../src/errors.ts";
import { RequestMeter } from "../../../src/server/request-meter.ts";
import type { Door, OperationName } from "../../../src/telemetry/telemetry.ts";
import { RawClient } from "../../support/raw-client.ts";
import { changed, eventually, startTestServer } from "../../support/test-server.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Keeps what it is told. */
class Told {
  seconds = 0;
  readonly counts = new Map<string, number>();
  readonly errors: string[] = [];
  readonly keys = new Map<string, string>();
  timedWeight = 0;
  timed = 0;

  record(
    door: Door,
    operation: OperationName,
    durationMs: number,
    isError: boolean,
    key?: Uint8Array,
    weight = 1,
  ): void {
    expect(durationMs).toBeGreaterThanOrEqual(0);
    expect(durationMs).toBeLessThan(60_000);
    this.skip(door, operation, 1);
    if (isError) this.errors.push(operation);
    if (key !== undefined) this.keys.set(operation, Buffer.from(key).toString());
    if (operation === "get") this.timedWeight += weight;
    this.timed++;
  }

  skip(door: Door, operation: OperationName, count: number): void {
    expect(door).toBe("tcp");
    this.counts.set(operation, (this.counts.get(operation) ?? 0) + count);
  }
}

async function startMeasured(...[wrap]: [Parameters<typeof startTestServer>[1]?]) {
  const told = new Told();
  const started = await startTestServer({ telemetry: told }, wrap);
  return { ...started, told };
}

test("each call of a client is told once, as the operation that it is", async () => {
  const { told, port, server } = await startMeasured();
  const db = await connect(`varve://127.0.0.1:${port}`);
  onTestFinished(() => db.close());
  await db.put("a", "1");
  await db.get("a");
  await db.getEntry("a");
  await db.getMany(["a", "b"]);
  await db.batch([{ type: "put", key: "b", value: "2" }]);
  await db.increment("n");
  await db.expire("b", { ttlMs: 100_000 });
  await db.delete("b");
  await db.deleteRange({ gte: "x", lt: "y" });
  await db.merge("n", "add", 2);
  await db.history("a");
  await db.page({ prefix: "a" });
  await db.count({ gte: "a" });
  for await (const _ of db.scan({ gte: "a" }));
  await db.ingest([["z", "9"]]);
  await db.keyspaces();
  const expected = {
    get: 1,
    getEntry: 1,
    getMany: 1,
    put: 1,
    delete: 1,
    deleteRange: 1,
    batch: 1,
    merge: 1,
    increment: 1,
    expire: 1,
    scan: 1,
    page: 1,
    count: 1,
    history: 1,
    ingest: 1,
  };
  await eventually(() => told.counts.has("ingest"));
  expect(Object.fromEntries(told.counts)).toMatchObject(expected);
  expect(told.counts.get("admin")).toBeGreaterThan(0);
  expect(told.errors).toEqual([]);
  expect(told.keys.get("getEntry")).toBe("a");
  expect(told.keys.get("scan")).toBe("a");
  expect(server.connections(10)).toMatchObject([{ client: expect.any(String), watches: 0 }]);
});

test("GETs are all counted, few are timed, and those tell for the others", async () => {
  const { told, port, database } = await startMeasured();
  await database.put("a", "1");
  const client = await RawClient.greeted(port);
  const rounds = 500;
  for (let i = 1; i <= rounds; i++) {
    client.send((writer) => {
      for (let j = 0; j < 4; j++) encodeRequest(writer, 1 + j, { kind: "GET", key: bytes("a") });
    });
    await client.until(() => client.answers.length === 4 * i);
  }
  expect(told.counts.get("get")).toBe(4 * rounds);
  expect(told.timed).toBeLessThan(rounds / 2);
  expect(told.timed).toBeGreaterThanOrEqual(64);
  expect(told.timedWeight).toBeGreaterThan(3.5 * rounds);
  expect(told.timedWeight).toBeLessThanOrEqual(4 * rounds);
  client.socket.destroy();
});

test("in each new second the first chunks are timed all", () => {
  const told = new Told();
  const meter = new RequestMeter(told);
  const chunk = () => meter.answeredFromMemory(1, meter.chunkBegins());
  for (let i = 0; i < 1000; i++) chunk();
  const before = told.timed;
  told.seconds++;
  for (let i = 0; i < 64; i++) chunk();
  expect(told.timed).toBe(before + 64);
});

test("a failure is told as one, but not where a condition did not hold", async () => {
  const failing = { put: async () => Promise.reject(new VarveError("NO_SPACE", "full")) };
  const { told, port, database } = await startMeasured((db) => changed(db, failing));
  await database.put("a", "1");
  const client = await RawClient.greeted(port);
  const put = { kind: "PUT", key: bytes("a"), value: bytes("2"), durability: undefined } as const;
  const conditions = [{ key: bytes("a"), absent: true as const }];
  const remove: Request = { kind: "DELETE", key: bytes("a"), durability: undefined, conditions };
  client.send((writer) => {
    encodeRequest(writer, 1, put);
    encodeRequest(writer, 2, remove);
  });
  await client.until(() => client.answers.length === 2);
  expect(told.errors).toEqual(["put"]);
  expect(told.counts.get("delete")).toBe(1);
  client.socket.destroy();
});

test("a watch and a ping are told, too", async () => {
  const { told, port } = await startMeasured();
  const client = await RawClient.greeted(port);
  client.send((writer) => encodeEmpty(writer, 1, OPCODE.PING));
  await client.until(() => client.answers.length === 1);
  expect(told.counts.get("admin")).toBe(1);
  client.socket.destroy();
  const db = await connect(`varve://127.0.0.1:${port}`);
  onTestFinished(() => db.close());
  const watch = db.watch();
  await db.put("a", "1");
  await watch.next();
  await watch.return?.();
  await eventually(() => told.counts.has("watch"));
  expect(told.errors).toEqual([]);
});

test("every opcode of a request has an operation", () => {
  const told = new Told();
  const meter = new RequestMeter(told);
  const steering = ["HELLO", "CANCEL", "SCAN_CREDIT", "SCAN_SEEK", "WATCH_CREDIT", "INGEST_DATA"];
  const requests = Object.entries(OPCODE).filter(([, opcode]) => opcode < 0x80);
  const untold = requests.filter(([, opcode]) => {
    const before = told.timed;
    meter.answered(opcode, 0, 1, false);
    return told.timed === before;
  });
  expect(untold.map(([name]) => name).sort()).toEqual([...steering, "INGEST_COMMIT"].sort());
});

test("connections are told with their traffic, the busiest first, and no more than asked for", async () => {
  const { server, port } = await startMeasured();
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.greeted(port)));
  const busy = clients[1]!;
  busy.send((writer) => {
    for (let i = 1; i <= 50; i++) encodeRequest(writer, i, { kind: "GET", key: bytes("a") });
  });
  await busy.until(() => busy.answers.length === 50);
  const all = server.connections(10);
  expect(all).toHaveLength(3);
  expect(new Set(all.map(({ id }) => id)).size).toBe(3);
  expect(all[0]).toMatchObject({ peer: `127.0.0.1:${busy.socket.localPort}`, in_flight: 0 });
  expect(all[0]!.bytes_in).toBeGreaterThan(all[1]!.bytes_in);
  expect(all[0]!.bytes_out).toBeGreaterThan(0);
  expect(server.connections(2)).toHaveLength(2);
  for (const { socket } of clients) socket.destroy();
});
