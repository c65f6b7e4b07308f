/**
 * Answers wait in memory for their readers. A few hundred connections that asked for large values, and read none of it,
 * took all memory; so did one batch that named one key many times, whose every item was answered with its last value.
 */
import { expect, test } from "vitest";
import { eventually } from "../support/test-server.ts";
import { ask, post, put, RawConnection, startHttp } from "../unit/http/support.ts";

const MIB = 1024 * 1024;

function unread(port: number, head: string): RawConnection {
  const peer = new RawConnection(port);
  peer.socket.pause();
  peer.say(`GET /kv-store/v1/kv/${head}\r\nHost: localhost\r\n\r\n`);
  return peer;
}

test.each([
  ["an entry", "k HTTP/1.1"],
  ["a value's bytes", "k HTTP/1.1\r\nAccept: application/octet-stream"],
  ["a page", "?limit=10 HTTP/1.1"],
])(
  "what is asked for beyond the room for %s that waits is 429, until it is read",
  async (_, head) => {
    const { server, port, kv, database } = await startHttp({ answersBytesMax: 20 * MIB });
    await database.put("k", "x".repeat(15 * MIB));
    const peer = unread(port, head);
    await eventually(() => server.stats().answerBytes >= 15 * MIB);
    for (const path of ["k", ""]) {
      const { status, headers, json } = await ask(`${kv}${path}`);
      expect([status, json.code, headers["retry-after"]]).toEqual([429, "OVERLOADED", "1"]);
    }
    const stream = await ask(kv, { headers: { accept: "application/x-ndjson" } }).catch(
      () => "cut",
    );
    expect(stream).toBe("cut");
    expect((await put(`${kv}small`, { value: "v" })).status).toBe(200);
    expect((await ask(`${kv}small`)).status).toBe(200);
    peer.socket.destroy();
    await eventually(() => server.stats().answerBytes === 0);
    expect((await ask(`${kv}k`)).status).toBe(200);
  },
);

test("streams that nobody reads take half of the room, and others have the rest", async () => {
  const { server, port, kv, database } = await startHttp({ answersBytesMax: 40 * MIB });
  await database.put("k", "x".repeat(15 * MIB));
  const headers = { accept: "application/x-ndjson" };
  const peer = unread(port, " HTTP/1.1\r\nAccept: application/x-ndjson");
  await eventually(() => server.stats().answerBytes >= 15 * MIB);
  expect(await ask(kv, { headers }).catch(() => "cut")).toBe("cut");
  expect((await ask(`${kv}k`)).status).toBe(200);
  peer.socket.destroy();
  await eventually(() => server.stats().answerBytes === 0);
  expect((await ask(kv, { headers })).status).toBe(200);
});

test("an answer of which its reader takes nothing is cut in time", async () => {
  const { server, port, database } = await startHttp({ streamIdleTimeoutMs: 300 });
  await database.put("k", "x".repeat(15 * MIB));
  unread(port, "k HTTP/1.1");
  await eventually(() => server.stats().answerBytes > 0);
  await eventually(() => server.stats().connections === 0);
  expect(server.stats().answerBytes).toBe(0);
});

test("a batch whose answer would be far longer than itself writes nothing", async () => {
  const { kv } = await startHttp();
  const last = JSON.stringify({ key: "k", value: "x".repeat(MIB) });
  const items = `${'{"key":"k","value":""},'.repeat(10_000)}${last}`;
  const { status, json } = await post(`${kv}batch`, `{"items":[${items}]}`);
  expect([status, json.code]).toEqual([413, "BATCH_TOO_LARGE"]);
  expect((await ask(`${kv}k`)).status).toBe(404);
});
