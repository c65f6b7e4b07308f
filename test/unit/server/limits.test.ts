/** What bounds a peer: time, requests in flight, answers that it does not read, scans, connections. */
import { encodeRequest, type Request } from "varve-protocol";
import { expect, test } from "vitest";
import { type Commit, type Entry, NOT_CACHED } from "../../../src/store.ts";
import { RawClient } from "../../support/raw-client.ts";
import { changed, eventually, startTestServer } from "../../support/test-server.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const get = (key: string): Request => ({ kind: "GET", key: bytes(key) });
const put = (key: string, value: Uint8Array): Request => ({
  kind: "PUT",
  key: bytes(key),
  value,
  durability: undefined,
});
const SCAN: Request = { kind: "SCAN", credit: 1, options: {} };

test("a peer that says no HELLO in time is told so and disconnected", async () => {
  const { port, stats } = await startTestServer({ helloTimeoutMs: 30 });
  const silent = await RawClient.connect(port);
  const slow = await RawClient.connect(port);
  slow.socket.write(new Uint8Array([0x1c]));
  await Promise.all([silent.closed, slow.closed]);
  expect(silent.answers).toMatchObject([{ kind: "ERROR", error: { code: "PROTOCOL_ERROR" } }]);
  await eventually(() => stats().connections === 0);
});

test("10,000 gets in one go are answered in a few writes", async () => {
  const { port, database } = await startTestServer();
  await database.put("k", "v");
  const client = await RawClient.greeted(port);
  client.chunks = 0;
  client.send((writer) => {
    for (let id = 1; id <= 10_000; id++) encodeRequest(writer, id, get("k"));
  });
  await client.until(() => client.answers.length === 10_000);
  expect(new Set(client.answers.map(({ requestId }) => requestId)).size).toBe(10_000);
  expect(client.chunks).toBeLessThan(200);
  client.socket.destroy();
});

test("a client that asks for a lot and never reads cannot grow the server, and others are served", async () => {
  const answerBytesMax = 256 * 1024;
  const { port, database, stats } = await startTestServer({ answerBytesMax });
  const value = new Uint8Array(100_000);
  await database.put("large", value);
  const greedy = await RawClient.greeted(port);
  greedy.socket.pause();
  // 2 GB of answers, if all were made.
  greedy.send((writer) => {
    for (let id = 1; id <= 20_000; id++) encodeRequest(writer, id, get("large"));
  });
  const other = await RawClient.greeted(port);
  for (let id = 1; id <= 50; id++) {
    other.send((writer) => encodeRequest(writer, id, get("large")));
    await other.until(() => other.answersTo(id).length === 1);
  }
  const made = (stats() as unknown as { bytesOut: number }).bytesOut;
  // What the kernel's buffers took, beside what waits in the server.
  expect(made).toBeLessThan(50 * value.length + 40 * 1024 * 1024);
  greedy.socket.resume();
  await greedy.until(() => greedy.answers.length >= 2000);
  greedy.socket.destroy();
  other.socket.destroy();
});

test("past the limit of requests in flight the rest waits, and is answered in the end", async () => {
  const pending: ((commit: Commit) => void)[] = [];
  const { port, stats } = await startTestServer({ requestsInFlightMax: 10 }, (database) =>
    changed(database, { put: () => new Promise((resolve) => pending.push(resolve)) }),
  );
  const client = await RawClient.greeted(port);
  client.send((writer) => {
    for (let id = 1; id <= 100; id++) encodeRequest(writer, id, put("k", bytes("v")));
  });
  await eventually(() => stats().inFlight === 10);
  expect(pending).toHaveLength(10);
  for (let version = 1; version <= 100; version++) {
    await eventually(() => pending.length > 0);
    expect(stats().inFlight).toBeLessThanOrEqual(10);
    pending.shift()?.({ version });
  }
  await client.until(() => client.answers.length === 100);
  client.socket.destroy();
});

test("a scan without credit waits; credit lets it go on to its end", async () => {
  const { port, database, stats } = await startTestServer();
  await database.batch(
    Array.from({ length: 3000 }, (_, i) => ({
      type: "put" as const,
      key: `k${10_000 + i}`,
      value: new Uint8Array(100),
    })),
  );
  const client = await RawClient.greeted(port);
  client.send((writer) => encodeRequest(writer, 1, SCAN));
  await client.until(() => client.answers.length === 1);
  client.send((writer) => encodeRequest(writer, 2, { kind: "PING" }));
  await client.until(() => client.answersTo(2).length === 1);
  expect(client.answersTo(1)).toHaveLength(1);
  expect(stats()).toMatchObject({ scans: 1, inFlight: 1 });
  client.send((writer) => encodeRequest(writer, 1, { kind: "SCAN_CREDIT", credit: 2 ** 31 }));
  await client.until(() => client.answers.at(-1)?.kind === "SCAN_END");
  expect(client.answers.at(-1)).toMatchObject({ kind: "SCAN_END", count: 3000 });
  await eventually(() => stats().scans === 0 && database.stats().openScans === 0);
  client.socket.destroy();
});

test.each(["CANCEL", "the end of the connection", "time"])(
  "%s frees a scan's cursor",
  async (what) => {
    const { port, database, stats } = await startTestServer({ scanIdleTimeoutMs: 50 });
    await database.batch(
      Array.from({ length: 100 }, (_, i) => ({
        type: "put" as const,
        key: `k${i}`,
        value: new Uint8Array(10_000),
      })),
    );
    const client = await RawClient.greeted(port);
    client.send((writer) => encodeRequest(writer, 1, SCAN));
    await client.until(() => client.answers.length === 1);
    expect(database.stats().openScans).toBe(1);
    if (what === "CANCEL") client.send((writer) => encodeRequest(writer, 1, { kind: "CANCEL" }));
    if (what === "the end of the connection") client.socket.destroy();
    await eventually(() => database.stats().openScans === 0 && stats().scans === 0);
    if (!client.socket.destroyed) {
      await client.until(() => client.answers.length === 2);
      const code = what === "CANCEL" ? "ABORTED" : "TIMEOUT";
      expect(client.answers[1]).toMatchObject({ kind: "ERROR", error: { code } });
    }
    client.socket.destroy();
  },
);

test("a scan that fails in the middle ends with its error, not in silence", async () => {
  let calls = 0;
  const { port, lines } = await startTestServer({}, (database) =>
    changed(database, {
      scan: (options) => {
        const scan = database.scan(options);
        const nextMany = async (): Promise<Entry[]> => {
          if (calls++ > 0) throw new TypeError("not foreseen");
          return [[bytes("k"), bytes("v")]];
        };
        return Object.assign(scan, { nextMany });
      },
    }),
  );
  const client = await RawClient.greeted(port);
  client.send((writer) => encodeRequest(writer, 1, { ...SCAN, credit: 1000 } as Request));
  await client.until(() => client.answers.length === 2);
  expect(client.answers.map(({ kind }) => kind)).toEqual(["SCAN_DATA", "ERROR"]);
  expect(client.answers[1]).toMatchObject({ error: { code: "INTERNAL" } });
  expect(lines.filter(({ level }) => level === "error")).toHaveLength(1);
  client.socket.destroy();
});

test("too many scans and too many connections are OVERLOADED", async () => {
  const { port, database } = await startTestServer({ scansMax: 2, connectionsMax: 2 });
  await database.put("k", new Uint8Array(100_000));
  await database.put("l", new Uint8Array(100_000));
  const client = await RawClient.greeted(port);
  for (const id of [1, 2, 3]) client.send((writer) => encodeRequest(writer, id, SCAN));
  await client.until(() => client.answersTo(3).length === 1);
  expect(client.answersTo(3)).toMatchObject([{ error: { code: "OVERLOADED", retryAfterMs: 100 } }]);
  const second = await RawClient.greeted(port);
  const third = await RawClient.connect(port);
  await third.closed;
  expect(third.answers).toMatchObject([{ kind: "ERROR", error: { code: "OVERLOADED" } }]);
  client.socket.destroy();
  second.socket.destroy();
});

test("an answer longer than the client takes is an error of that request alone", async () => {
  const { port, database } = await startTestServer();
  await database.put("large", new Uint8Array(10_000));
  const client = await RawClient.greeted(port, 5000);
  client.send((writer) => {
    encodeRequest(writer, 1, get("large"));
    encodeRequest(writer, 2, { kind: "GET_MANY", keys: [bytes("large"), bytes("none")] });
    encodeRequest(writer, 3, { ...SCAN, credit: 100 } as Request);
    encodeRequest(writer, 4, { kind: "PING" });
  });
  await client.until(() => client.answers.length === 4);
  for (const id of [1, 2, 3]) {
    expect(client.answersTo(id)).toMatchObject([{ error: { code: "BATCH_TOO_LARGE" } }]);
  }
  expect(client.answersTo(4)).toMatchObject([{ kind: "PONG" }]);
  client.socket.destroy();
});

test("a read that is not in memory is answered when it comes", async () => {
  const { port } = await startTestServer({}, (database) =>
    changed(database, { getCached: () => NOT_CACHED, get: async () => bytes("later") }),
  );
  const client = await RawClient.greeted(port);
  client.send((writer) => encodeRequest(writer, 1, get("k")));
  await client.until(() => client.answers.length === 1);
  expect(client.answers).toMatchObject([{ kind: "VALUE", value: bytes("later") }]);
  client.socket.destroy();
});

test("closing answers what is in flight, refuses what comes, and ends", async () => {
  const pending: ((commit: Commit) => void)[] = [];
  const { port, server, stats } = await startTestServer({}, (database) =>
    changed(database, { put: () => new Promise((resolve) => pending.push(resolve)) }),
  );
  const client = await RawClient.greeted(port);
  client.send((writer) => encodeRequest(writer, 1, put("k", bytes("v"))));
  await eventually(() => stats().inFlight === 1);
  const closed = server.close();
  await client.until(() => client.answers.length === 1);
  expect(client.answers).toMatchObject([
    { requestId: 0, kind: "ERROR", error: { code: "SHUTTING_DOWN" } },
  ]);
  client.send((writer) => encodeRequest(writer, 2, get("k")));
  await client.until(() => client.answersTo(2).length === 1);
  expect(client.answersTo(2)).toMatchObject([{ error: { code: "SHUTTING_DOWN" } }]);
  pending[0]?.({ version: 1 });
  await client.until(() => client.answersTo(1).length === 1);
  expect(client.answersTo(1)).toMatchObject([{ kind: "COMMITTED", version: 1 }]);
  await closed;
  await client.closed;
});
