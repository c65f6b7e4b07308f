/** Watches over TCP: what bounds them, and how they outlive their connection and the server. */
import { connect } from "varve-client";
import { encodeEmpty, encodeRequest, OPCODE, type Request } from "varve-protocol";
import { expect, onTestFinished, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { Server } from "../../../src/server/server.ts";
import type { CommitEvent, Watch } from "../../../src/store.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { RawClient } from "../../support/raw-client.ts";
import { eventually, startTestServer } from "../../support/test-server.ts";

const logger = { debug() {}, info() {}, warn() {}, error() {} };
const watchOf = (credit: number, since = 0): Request => ({
  kind: "WATCH",
  credit,
  since,
  range: {},
});

async function commitsOf(watch: Watch, count: number): Promise<CommitEvent[]> {
  const commits: CommitEvent[] = [];
  while (commits.length < count) {
    const { value } = await watch.next();
    if (value === undefined) throw new Error("the watch has ended");
    if (value.type === "commit") commits.push(value);
  }
  return commits;
}

function partsTo(client: RawClient, id: number) {
  return client
    .answersTo(id)
    .flatMap((answer) => (answer.kind === "WATCH_DATA" ? answer.parts : []));
}

test("a watch outlives its connection, and the server: nothing is missed, nothing told twice", async () => {
  const fs = new MemoryFileSystem();
  const open = () => Database.open("/db", { fs, background: "inline" });
  let database = await open();
  const serve = async (port: number) => {
    const storeLimits = database.limits;
    const server = new Server({ store: database.stored, storeLimits, version: "0", logger });
    return { server, port: await server.listen(port, "127.0.0.1") };
  };
  let { server, port } = await serve(0);
  const client = await connect(`varve://127.0.0.1:${port}`);
  const watch = client.watch({ prefix: "k", heartbeatMs: 50 });
  expect(await watch.next()).toEqual({ done: false, value: { type: "progress", sequence: 0 } });
  const told: string[] = [];
  const expected: string[] = [];
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 5; i++) {
      await database.batch([
        { type: "put", key: `k${i}`, value: `${round}` },
        { type: "put", key: "other", value: "" },
      ]);
      expected.push(`k${i}=${round}`);
    }
    // Some of it is read only after the server has gone.
    for (const { operations } of await commitsOf(watch, told.length === 0 ? 2 : 5)) {
      for (const operation of operations) {
        if (operation.type !== "put") continue;
        told.push(`${Buffer.from(operation.key)}=${Buffer.from(operation.value)}`);
      }
    }
    await server.close();
    await database.flush();
    await database.close();
    database = await open();
    ({ server } = await serve(port));
  }
  const rest = await commitsOf(watch, expected.length - told.length);
  for (const { operations } of rest) {
    for (const operation of operations) {
      if (operation.type !== "put") continue;
      told.push(`${Buffer.from(operation.key)}=${Buffer.from(operation.value)}`);
    }
  }
  expect(told).toEqual(expected);
  await watch.return();
  await client.close();
  await server.close();
  await database.close();
});

test("what came too late is COMPACTED, with the sequence to go on from, over TCP, too", async () => {
  const fs = new MemoryFileSystem();
  const database = await Database.open("/db", { fs, background: "inline", feedRetentionBytes: 0 });
  const storeLimits = database.limits;
  const server = new Server({ store: database.stored, storeLimits, version: "0", logger });
  const client = await connect(`varve://127.0.0.1:${await server.listen(0, "127.0.0.1")}`);
  const { version } = await client.put("a", "1");
  await client.flush();
  const gone = client.watch({ since: 0 });
  await expect(gone.next()).rejects.toMatchObject({ code: "COMPACTED", sequence: version });
  const watch = client.watch({ since: version });
  const after = await client.put("b", "2");
  expect(await commitsOf(watch, 1)).toMatchObject([{ sequence: after.version }]);
  await client.close();
  await server.close();
  await database.close();
});

test("too many watches are OVERLOADED, on a connection and on the server", async () => {
  const { port, stats } = await startTestServer({ watchesMax: 2, watchesTotalMax: 3 });
  const url = `varve://127.0.0.1:${port}`;
  const [one, two] = await Promise.all([connect(url), connect(url)]);
  const open = [one.watch(), one.watch()];
  for (const watch of open) await watch.next();
  await expect(one.watch().next()).rejects.toMatchObject({ code: "OVERLOADED", retryable: true });
  await two.watch().next();
  await expect(two.watch().next()).rejects.toMatchObject({ code: "OVERLOADED" });
  await open[0]?.return();
  await eventually(() => (stats() as unknown as { watches: number }).watches === 2);
  await two.watch().next();
  await Promise.all([one.close(), two.close()]);
  await eventually(() => (stats() as unknown as { watches: number }).watches === 0);
});

test("a client without credit is sent nothing more, and may be quiet as long as it likes", async () => {
  const { port, database } = await startTestServer({ scanIdleTimeoutMs: 1 });
  for (let i = 0; i < 10; i++) await database.put(`k${i}`, "v".repeat(100));
  const client = await RawClient.greeted(port);
  client.send((writer) => encodeRequest(writer, 1, watchOf(150)));
  await client.until(() => partsTo(client, 1).length === 2);
  // Another request's answer comes, and nothing of the watch before it.
  for (let id = 2; id < 20; id++) {
    client.send((writer) => encodeRequest(writer, id, { kind: "PING" }));
    await client.until(() => client.answersTo(id).length === 1);
  }
  expect(partsTo(client, 1)).toHaveLength(2);
  client.send((writer) => encodeRequest(writer, 1, { kind: "WATCH_CREDIT", credit: 10_000 }));
  await client.until(() => partsTo(client, 1).length === 11);
  client.send((writer) => encodeEmpty(writer, 1, OPCODE.CANCEL));
  await client.until(() => client.answersTo(1).some(({ kind }) => kind === "ERROR"));
  expect(client.answersTo(1).at(-1)).toMatchObject({ kind: "ERROR", error: { code: "ABORTED" } });
  client.socket.destroy();
});

test("a batch of many frames comes in parts, and a client that leaves off within it is told so", async () => {
  const { port, database } = await startTestServer({ scanIdleTimeoutMs: 20 });
  const value = "v".repeat(30_000);
  const operations = Array.from({ length: 10 }, (_, i) => ({
    type: "put" as const,
    key: `k${i}`,
    value,
  }));
  await database.batch(operations);
  const client = await RawClient.greeted(port);
  client.send((writer) => encodeRequest(writer, 1, watchOf(1000)));
  client.send((writer) => encodeRequest(writer, 2, watchOf(1_000_000)));
  await client.until(() => partsTo(client, 2).length === 6);
  const [progress, ...parts] = partsTo(client, 2);
  expect(progress).toEqual({ type: "progress", sequence: 0 });
  expect(parts.map((part) => "more" in part && part.more)).toEqual([true, true, true, true, false]);
  await client.until(() => client.answersTo(1).some(({ kind }) => kind === "ERROR"));
  expect(client.answersTo(1).at(-1)).toMatchObject({ kind: "ERROR", error: { code: "TIMEOUT" } });
  client.socket.destroy();
});

test("a server that shuts down says so to its watches", async () => {
  const { port, server } = await startTestServer();
  const client = await RawClient.greeted(port);
  onTestFinished(() => void client.socket.destroy());
  client.send((writer) => encodeRequest(writer, 1, watchOf(1000)));
  await client.until(() => partsTo(client, 1).length === 1);
  await server.close();
  const [, last] = client.answersTo(1);
  expect(last).toMatchObject({ kind: "ERROR", error: { code: "SHUTTING_DOWN" } });
});
