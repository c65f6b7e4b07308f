import { expect, test } from "vitest";
import { eventually } from "../../support/test-server.ts";
import { ask, put, RawConnection, startHttp } from "./support.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const PUT_HEAD = "PUT /kv-store/v1/kv/k HTTP/1.1\r\nHost: localhost\r\n";
const JSON_HEAD = `${PUT_HEAD}Content-Type: application/json\r\n`;
const BYTES_HEAD = `${PUT_HEAD}Content-Type: application/octet-stream\r\n`;

test("a body that is announced to be too long is refused before any of it is sent", async () => {
  const { port, kv, server } = await startHttp({ bodyBytesMax: 64 * KIB });
  const peer = new RawConnection(port);
  peer.say(`${JSON_HEAD}Content-Length: ${10 * MIB}\r\n\r\n`);
  await eventually(() => peer.isEnded);
  expect(peer.heard).toMatch(/^HTTP\/1\.1 413 [\s\S]*"code":"BODY_TOO_LARGE"/);
  expect(peer.heard.toLowerCase()).toContain("connection: close");
  expect(server.stats().bodyBytes).toBe(0);
  expect((await ask(kv)).status).toBe(200);
});

test("a peer that asks first is told 413, and one whose body is taken to go on", async () => {
  const { port } = await startHttp({ bodyBytesMax: 64 * KIB });
  const refused = new RawConnection(port);
  refused.say(`${JSON_HEAD}Expect: 100-continue\r\nContent-Length: ${MIB}\r\n\r\n`);
  await eventually(() => refused.heard.includes("\r\n\r\n"));
  expect(refused.heard).toMatch(/^HTTP\/1\.1 413 /);
  const taken = new RawConnection(port);
  const body = '{"value":"v"}';
  taken.say(`${JSON_HEAD}Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`);
  await eventually(() => taken.heard.includes("\r\n\r\n"));
  expect(taken.heard).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  taken.say(body);
  await eventually(() => taken.heard.includes('"version":1'));
});

test("a peer that sends all of a body that is too long reads the answer, and no reset", async () => {
  const { kv } = await startHttp({ bodyBytesMax: 64 * KIB });
  const { status, json } = await put(`${kv}k`, { value: "x".repeat(2 * MIB) });
  expect([status, json.code]).toEqual([413, "BODY_TOO_LARGE"]);
});

test("a body in chunks is refused as soon as it is too long", async () => {
  const { port, server } = await startHttp({ bodyBytesMax: 64 * KIB });
  const peer = new RawConnection(port);
  peer.say(`${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n`);
  const chunk = `${(16 * KIB).toString(16)}\r\n${"x".repeat(16 * KIB)}\r\n`;
  for (let i = 0; i < 5; i++) peer.say(chunk);
  await eventually(() => peer.isEnded);
  expect(peer.heard).toMatch(/^HTTP\/1\.1 413 [\s\S]*"code":"BODY_TOO_LARGE"/);
  await eventually(() => server.stats().bodyBytes === 0);
});

test("a value of raw bytes is held to what the store takes", async () => {
  const { kv } = await startHttp({}, { valueBytesMax: 1000 });
  const send = (bytes: number) =>
    ask(`${kv}k`, {
      method: "PUT",
      headers: { "content-type": "application/octet-stream" },
      body: new Uint8Array(bytes),
    });
  expect((await send(1000)).status).toBe(200);
  expect((await send(1001)).json.code).toBe("BODY_TOO_LARGE");
  const asText = await put(`${kv}k`, { value: "x".repeat(1001) });
  expect([asText.status, asText.json.code]).toEqual([413, "VALUE_TOO_LARGE"]);
});

test("a body of 16 MiB goes in and out, by length and in small chunks", async () => {
  const { kv, port } = await startHttp();
  const value = Buffer.alloc(16 * MIB, "0123456789abcdef");
  const headers = { "content-type": "application/octet-stream" };
  expect((await ask(`${kv}k`, { method: "PUT", headers, body: value })).status).toBe(200);
  const read = await ask(`${kv}k`, { headers: { accept: "application/octet-stream" } });
  expect(read.body.equals(value)).toBe(true);
  const chunked = new RawConnection(port);
  chunked.say(`${BYTES_HEAD}Transfer-Encoding: chunked\r\n\r\n`);
  const piece = `64\r\n${"y".repeat(100)}\r\n`.repeat(1000);
  for (let i = 0; i < 10; i++) chunked.say(piece);
  chunked.say("0\r\n\r\n");
  await eventually(() => chunked.heard.includes("\r\n\r\n{"));
  const whole = await ask(`${kv}k`, { headers: { accept: "application/octet-stream" } });
  expect(whole.body.equals(Buffer.alloc(MIB - 48_576, "y"))).toBe(true);
});

test("all bodies together are bounded: a further one is 429 with Retry-After, and room comes back", async () => {
  const { kv, port, server } = await startHttp({ bodiesBytesMax: 230 * KIB });
  const slow = Array.from({ length: 2 }, () => new RawConnection(port));
  for (const peer of slow) {
    peer.say(`${BYTES_HEAD}Content-Length: ${100 * KIB}\r\n\r\n${"x".repeat(80 * KIB)}`);
  }
  await eventually(() => server.stats().bodyBytes === 200 * KIB);
  const refused = await put(`${kv}other`, { value: "x".repeat(50 * KIB) });
  expect([refused.status, refused.json.code, refused.headers["retry-after"]]).toEqual([
    429,
    "OVERLOADED",
    "1",
  ]);
  expect((await ask(`${kv}other`)).status).toBe(404);
  for (const peer of slow) peer.socket.destroy();
  await eventually(() => server.stats().bodyBytes === 0);
  expect((await put(`${kv}other`, { value: "x".repeat(50 * KIB) })).status).toBe(200);
  await eventually(() => server.stats().bodyBytes === 0 && server.stats().inFlight === 0);
});

test("a body that does not come in time is 408, and others are served meanwhile", async () => {
  const { kv, port, server } = await startHttp({ requestTimeoutMs: 200, headersTimeoutMs: 100 });
  const peer = new RawConnection(port);
  peer.say(`${JSON_HEAD}Content-Length: 100\r\n\r\n{"val`);
  await eventually(() => server.stats().inFlight === 1);
  expect((await put(`${kv}k`, { value: "v" })).status).toBe(200);
  await eventually(() => peer.isEnded);
  expect(peer.heard).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"TIMEOUT"/);
  await eventually(() => server.stats().inFlight === 0 && server.stats().bodyBytes === 0);
});

test("headers that do not come in time are 408", async () => {
  const { port } = await startHttp({ requestTimeoutMs: 5000, headersTimeoutMs: 100 });
  const peer = new RawConnection(port);
  peer.say("GET /healthz HTT");
  await eventually(() => peer.isEnded);
  expect(peer.heard).toMatch(/^HTTP\/1\.1 408 /);
});

test("a peer that leaves in the middle of its body leaves nothing behind", async () => {
  const { kv, port, server } = await startHttp();
  const peer = new RawConnection(port);
  peer.say(`${JSON_HEAD}Content-Length: 100\r\n\r\n{"value":`);
  await eventually(() => server.stats().bodyBytes > 0);
  peer.socket.destroy();
  await eventually(() => server.stats().bodyBytes === 0 && server.stats().inFlight === 0);
  expect((await ask(`${kv}k`)).status).toBe(404);
});

test("requests that come in one piece are answered in their order", async () => {
  const { port } = await startHttp();
  const peer = new RawConnection(port);
  const one = (i: number) => {
    const body = `{"value":"${i}"}`;
    return `${JSON_HEAD}Content-Length: ${body.length}\r\n\r\n${body}`;
  };
  peer.say([1, 2, 3, 4].map(one).join(""));
  await eventually(() => peer.heard.match(/"value"/g)?.length === 4);
  expect([...peer.heard.matchAll(/"value":"(\d)"/g)].map(([, value]) => value)).toEqual([
    "1",
    "2",
    "3",
    "4",
  ]);
});
