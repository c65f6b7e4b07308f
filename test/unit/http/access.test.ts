import { expect, test } from "vitest";
import { VarveError } from "../../../src/errors.ts";
import { parseTokens } from "../../../src/http/access.ts";
import { ask, startHttp } from "./support.ts";

const READ = "a token to read with";
const WRITE = "a-token-to-write-with";
const READ_TOKEN = READ.replaceAll(" ", "-");
const tokens = { read: [READ_TOKEN], write: [WRITE] };
const put = { method: "PUT", body: '{"value":"v"}' };
const json = { "content-type": "application/json" };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test("with tokens, a request needs one, and a write one to write with", async () => {
  const { kv } = await startHttp({ tokens });
  for (const headers of [{}, bearer("wrong"), { authorization: `Basic ${WRITE}` }, bearer("")]) {
    const answer = await ask(`${kv}k`, { headers });
    expect([answer.status, answer.json.code]).toEqual([401, "UNAUTHENTICATED"]);
    expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
  }
  expect((await ask(`${kv}k`, { ...put, headers: { ...json, ...bearer(WRITE) } })).status).toBe(
    200,
  );
  expect((await ask(`${kv}k`, { headers: bearer(READ_TOKEN) })).status).toBe(200);
  expect((await ask(`${kv}k`, { headers: bearer(WRITE) })).status).toBe(200);
  for (const write of [put, { method: "DELETE" }]) {
    const answer = await ask(`${kv}k`, { ...write, headers: { ...json, ...bearer(READ_TOKEN) } });
    expect([answer.status, answer.json.code]).toEqual([403, "FORBIDDEN"]);
  }
  expect((await ask(`${kv}batch`, { method: "POST", headers: bearer(READ_TOKEN) })).status).toBe(
    403,
  );
});

test("a body is not read for who has no token", async () => {
  const { kv, server } = await startHttp({ tokens, bodiesBytesMax: 1000 });
  const answer = await ask(`${kv}k`, {
    method: "PUT",
    headers: json,
    body: `{"value":"${"x".repeat(5000)}"}`,
  });
  expect(answer.status).toBe(401);
  expect(server.stats().bodyBytes).toBe(0);
});

test("health, readiness and documents need no token, and all the rest does", async () => {
  const { url } = await startHttp({ tokens });
  for (const path of [
    "/healthz",
    "/readyz",
    "/kv-store/schema/",
    "/kv-store/docs/",
    "/kv-store/redoc/",
  ]) {
    expect((await ask(`${url}${path}`)).status, path).toBe(200);
  }
  for (const path of ["/kv-store/v1/kv/", "/kv-store/v1/kv/k", "/kv-store/v1/changes/"]) {
    expect((await ask(`${url}${path}`)).status, path).toBe(401);
  }
});

test.each([
  ["localhost", 200],
  ["localhost:8000", 200],
  ["LOCALHOST", 200],
  ["127.0.0.1:8000", 200],
  ["[::1]:8000", 200],
  ["10.1.2.3", 200],
  ["evil.example", 403],
  ["evil.example:8000", 403],
  ["localhost.evil.example", 403],
  ["127.0.0.1.evil.example", 403],
  ["[::1].evil.example", 403],
])("without tokens, Host: %s is answered with %i, against DNS rebinding", async (host, status) => {
  const { kv } = await startHttp();
  const answer = await ask(kv, { headers: { host } });
  expect(answer.status).toBe(status);
  if (status === 403) expect(answer.json.code).toBe("FORBIDDEN");
});

test("with tokens any name will do", async () => {
  const { kv } = await startHttp({ tokens });
  const answer = await ask(kv, { headers: { host: "varve.example", ...bearer(READ_TOKEN) } });
  expect(answer.status).toBe(200);
});

test.each([
  ["no JSON", "nonsense", /JSON/],
  ["no tokens", "{}", /none/],
  ["a short token", '{"read":["short"]}', /16 characters/],
  ["a token that is no string", '{"write":[1]}', /strings/],
  ["a role that is not known", '{"admin":["0123456789abcdef"]}', /admin/],
  ["a list", "null", /read/],
  ["a token that has spaces", '{"read":["a token of words"]}', /space/],
  ["a token that is not ASCII", '{"write":["0123456789abcdéf"]}', /ASCII/],
])("a file of tokens with %s is refused", (_, text, said) => {
  expect(() => parseTokens(text)).toThrow(VarveError);
  expect(() => parseTokens(text)).toThrow(said);
});
