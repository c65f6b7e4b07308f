/** When the socket took a full connection's answers at once, no `drain` came, and the rest was never sent. */
import { encodeRequest } from "varve-protocol";
import { expect, test } from "vitest";
import { RawClient } from "../support/raw-client.ts";
import { startTestServer } from "../support/test-server.ts";

const key = new TextEncoder().encode("key");

test("requests that wait for room for their answers are answered when the socket took all at once", async () => {
  const { port, database } = await startTestServer({ answerBytesMax: 1000 });
  await database.put(key, new Uint8Array(500));
  const client = await RawClient.greeted(port);
  client.send((writer) => {
    for (let id = 1; id <= 100; id++) encodeRequest(writer, id, { kind: "GET", key });
  });
  await client.until(() => client.answers.length === 100);
  expect(client.answers.map(({ requestId }) => requestId)).toEqual(
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  client.socket.destroy();
});

test("so does a scan", async () => {
  const { port, database } = await startTestServer({ answerBytesMax: 1000 });
  for (let i = 0; i < 10; i++) await database.put(`${i}`, new Uint8Array(100_000));
  const client = await RawClient.greeted(port);
  client.send((writer) => encodeRequest(writer, 1, { kind: "SCAN", credit: 2 ** 31, options: {} }));
  await client.until(() => client.answers.at(-1)?.kind === "SCAN_END");
  expect(client.answers.at(-1)).toMatchObject({ count: 10 });
  client.socket.destroy();
});
