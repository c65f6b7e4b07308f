/** Ingests over TCP: what bounds them, and what ends them. */
import { encodeEmpty, encodeRequest, OPCODE, type Request } from "varve-protocol";
import { expect, test } from "vitest";
import { RawClient } from "../../support/raw-client.ts";
import { eventually, startTestServer } from "../../support/test-server.ts";

const BEGIN: Request = { kind: "INGEST_BEGIN", expiry: undefined };
const COMMIT: Request = { kind: "INGEST_COMMIT" };
const bytes = (text: string) => new TextEncoder().encode(text);
const dataOf = (...keys: string[]): Request => ({
  kind: "INGEST_DATA",
  pairs: keys.map((key) => [bytes(key), bytes("v".repeat(100))]),
});

const send = (client: RawClient, id: number, ...requests: Request[]) =>
  client.send((writer) => {
    for (const request of requests) encodeRequest(writer, id, request);
  });

/** Credit granted, minus nothing: all that was ever granted. */
function grantedTo(client: RawClient, id: number): number {
  return client
    .answersTo(id)
    .reduce((sum, answer) => sum + (answer.kind === "INGEST_READY" ? answer.credit : 0), 0);
}

test("credit is granted in the beginning, and again for what the store has taken", async () => {
  const { port, database } = await startTestServer({ ingestCreditBytes: 100 });
  const client = await RawClient.greeted(port);
  send(client, 1, BEGIN);
  await client.until(() => grantedTo(client, 1) === 100);
  send(client, 1, dataOf("a", "b"));
  const frameBytes = 4 + 2 * (8 + 1 + 100);
  await client.until(() => grantedTo(client, 1) === 100 + frameBytes);
  send(client, 1, dataOf("c"), COMMIT);
  await client.until(() => client.answersTo(1).some(({ kind }) => kind === "COMMITTED"));
  expect((await Array.fromAsync(database.scan())).length).toBe(3);
  client.socket.destroy();
});

test.each([
  ["without credit", [dataOf("a"), dataOf("b")]],
  ["behind the commit", [dataOf("a"), COMMIT, dataOf("b")]],
])("data %s ends the connection, and nothing is written or all", async (_, requests) => {
  const { port, database } = await startTestServer({ ingestCreditBytes: 1 });
  const client = await RawClient.greeted(port);
  send(client, 1, BEGIN);
  await client.until(() => grantedTo(client, 1) === 1);
  send(client, 1, ...requests);
  await client.closed;
  const error = client.answers.find((answer) => answer.kind === "ERROR");
  expect(error).toMatchObject({ error: { code: "PROTOCOL_ERROR" } });
  const keys = (await Array.fromAsync(database.scan())).map(([key]) => Buffer.from(key).toString());
  expect(["", "a"]).toContain(keys.join());
});

test("a CANCEL, and the end of the connection, leave nothing behind and make room", async () => {
  const { port, database, stats } = await startTestServer();
  const client = await RawClient.greeted(port);
  send(client, 1, BEGIN);
  await client.until(() => grantedTo(client, 1) > 0);
  send(client, 1, dataOf("a"));
  client.send((writer) => encodeEmpty(writer, 1, OPCODE.CANCEL));
  await client.until(() => client.answersTo(1).some(({ kind }) => kind === "ERROR"));
  expect(client.answersTo(1).at(-1)).toMatchObject({ error: { code: "ABORTED" } });
  // What is on its way for an ingest that has ended is ignored.
  send(client, 1, dataOf("b"), COMMIT);
  send(client, 2, BEGIN);
  await client.until(() => grantedTo(client, 2) > 0);
  send(client, 2, dataOf("c"));
  client.socket.destroy();
  await eventually(() => stats().connections === 0);
  const other = await RawClient.greeted(port);
  await expect.poll(() => database.ingest([["d", "1"]]).catch(() => undefined)).toBeDefined();
  expect((await Array.fromAsync(database.scan())).length).toBe(1);
  other.socket.destroy();
});

test("an ingest in which nothing comes ends with TIMEOUT", async () => {
  const { port } = await startTestServer({ scanIdleTimeoutMs: 30 });
  const client = await RawClient.greeted(port);
  send(client, 1, BEGIN);
  await client.until(() => client.answersTo(1).some(({ kind }) => kind === "ERROR"));
  expect(client.answersTo(1).at(-1)).toMatchObject({ error: { code: "TIMEOUT" } });
  client.socket.destroy();
});

test("an ingest does not count among the requests in flight", async () => {
  const { port } = await startTestServer({ requestsInFlightMax: 1 });
  const client = await RawClient.greeted(port);
  send(client, 1, BEGIN);
  await client.until(() => grantedTo(client, 1) > 0);
  send(client, 1, dataOf("a"), COMMIT);
  await client.until(() => client.answersTo(1).some(({ kind }) => kind === "COMMITTED"));
  client.socket.destroy();
});
