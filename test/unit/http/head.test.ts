import { expect, test } from "vitest";
import { eventually } from "../../support/test-server.ts";
import { ask, put, RawConnection, startHttp } from "./support.ts";

test.each([
  ["an entry", "/kv-store/v1/kv/k", {}],
  ["a value's bytes", "/kv-store/v1/kv/k", { accept: "application/octet-stream" }],
  ["what is not there", "/kv-store/v1/kv/absent", {}],
  ["health", "/healthz", {}],
  ["the page", "/", {}],
])("HEAD of %s is its GET without the body", async (_, path, headers) => {
  const { url, kv, server } = await startHttp();
  await put(`${kv}k`, { value: "v" });
  const got = await ask(`${url}${path}`, { headers });
  const head = await ask(`${url}${path}`, { method: "HEAD", headers });
  const { date: _date, ...rest } = got.headers;
  expect(head).toMatchObject({ status: got.status, text: "", headers: rest });
  await eventually(() => server.stats().inFlight === 0);
});

test("HEAD needs the token that GET needs, and leaves the connection usable", async () => {
  const token = "0123456789abcdef";
  const { port } = await startHttp({ tokens: { read: [token], write: [] } });
  const peer = new RawConnection(port);
  const head = "HEAD /kv-store/v1/kv/k HTTP/1.1\r\nHost: localhost\r\n";
  peer.say(`${head}\r\n${head}Authorization: Bearer ${token}\r\n\r\n`);
  await eventually(() => peer.heard.split("HTTP/1.1 ").length === 3);
  expect(peer.heard.match(/HTTP\/1\.1 (\d+)/g)).toEqual(["HTTP/1.1 401", "HTTP/1.1 404"]);
  expect(peer.heard).not.toContain("{");
});
