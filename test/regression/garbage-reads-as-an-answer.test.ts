/**
 * Bytes that are no HTTP, behind a request that was not answered yet, were answered first: a write that was made read as
 * one that was refused, and a stream had an answer in its midst.
 */
import { expect, test } from "vitest";
import { eventually } from "../support/test-server.ts";
import { ask, RawConnection, startHttp } from "../unit/http/support.ts";

const HOST = "Host: localhost\r\n";

test("a write is not answered with what is wrong behind it", async () => {
  const { port, kv } = await startHttp();
  const peer = new RawConnection(port);
  const body = '{"value":"v"}';
  peer.say(
    `PUT /kv-store/v1/kv/k HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}GARBAGE\r\n\r\n`,
  );
  await eventually(() => peer.isEnded);
  expect(peer.heard).not.toContain("HTTP/1.1 400");
  expect((await ask(`${kv}k`)).status).toBe(200);
});

test("a stream is cut where what follows its request is no HTTP", async () => {
  const { port, server } = await startHttp({ heartbeatMs: 50 });
  const peer = new RawConnection(port);
  peer.say(`GET /kv-store/v1/changes HTTP/1.1\r\n${HOST}\r\n`);
  await eventually(() => peer.heard.includes("event: progress"));
  peer.say("GARBAGE\r\n\r\n");
  await eventually(() => peer.isEnded);
  expect(peer.heard).not.toContain("400");
  await eventually(() => server.stats().streams === 0);
});
