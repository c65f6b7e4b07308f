import { ERROR_CODES, type ErrorCode } from "varve-protocol";
import { expect, test } from "vitest";
import { VarveError } from "../../../src/errors.ts";
import { STATUS } from "../../../src/http/status.ts";
import { eventually } from "../../support/test-server.ts";
import { ask, changedStore, post, put, RawConnection, startHttp } from "./support.ts";

test("every error code has a status", () => {
  expect(Object.keys(STATUS).sort()).toEqual(Object.keys(ERROR_CODES).sort());
  for (const [status, title] of Object.values(STATUS)) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(title).not.toBe("");
  }
});

test.each(Object.keys(ERROR_CODES) as ErrorCode[])(
  "%s is a problem document with its status, code and detail",
  async (code) => {
    const { kv } = await startHttp({}, {}, (database) =>
      changedStore(database, {
        getEntryCached: () => {
          throw new VarveError(code, "what happened");
        },
      }),
    );
    const { status, headers, json } = await ask(`${kv}k`);
    expect(status).toBe(STATUS[code][0]);
    expect(headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(json).toEqual({
      type: expect.stringMatching(/^urn:varve:error:[a-z-]+$/),
      title: STATUS[code][1],
      status,
      detail: "what happened",
      code,
    });
    expect(headers["www-authenticate"]).toBe(
      code === "UNAUTHENTICATED" ? 'Bearer realm="varve"' : undefined,
    );
  },
);

test("a refusal that says when to try again has Retry-After in whole seconds", async () => {
  const { kv } = await startHttp({}, {}, (database) =>
    changedStore(database, {
      put: () => Promise.reject(new VarveError("OVERLOADED", "later", { retryAfterMs: 1200 })),
    }),
  );
  const { status, headers, json } = await put(`${kv}k`, { value: "v" });
  expect([status, headers["retry-after"], json.retry_after_ms]).toEqual([429, "2", 1200]);
});

test("a write that may have been made says so", async () => {
  const { kv } = await startHttp({}, {}, (database) =>
    changedStore(database, {
      put: () => Promise.reject(new VarveError("LOG_FAILED", "broken", { maybeApplied: true })),
    }),
  );
  const { status, json } = await put(`${kv}k`, { value: "v" });
  expect([status, json.code, json.maybe_applied]).toEqual([503, "LOG_FAILED", true]);
});

test("a defect is INTERNAL, told without its insides and logged with them", async () => {
  const { kv, lines } = await startHttp({}, {}, (database) =>
    changedStore(database, {
      getEntryCached: () => {
        throw new TypeError("secret is not a function");
      },
    }),
  );
  const { status, text, json } = await ask(`${kv}k`);
  expect([status, json.code]).toEqual([500, "INTERNAL"]);
  expect(text).not.toContain("secret");
  expect(lines).toContainEqual(
    expect.objectContaining({ level: "error", message: "a request failed" }),
  );
});

test("a full disk is 507, and deletes go on", async () => {
  const { kv } = await startHttp({}, { freeSpaceReserve: 2 ** 52 });
  const { status, json } = await put(`${kv}k`, { value: "v" });
  expect([status, json.code]).toEqual([507, "NO_SPACE"]);
  expect((await post(`${kv}batch`, { items: [{ key: "k", value: "v" }] })).status).toBe(507);
  expect((await ask(`${kv}k`, { method: "DELETE" })).status).toBe(204);
});

test("an address where there is nothing is 404", async () => {
  const { url, kv } = await startHttp();
  for (const [path, method] of [
    ["/nothing/", "GET"],
    ["/kv-store/v1/", "GET"],
    ["/dashboard/nothing.js", "GET"],
    ["/kv-store/v1/kvs/", "PUT"],
  ] as const) {
    const answer = await ask(`${url}${path}`, { method });
    expect([answer.status, answer.json.code]).toEqual([404, "NOT_FOUND"]);
  }
  const { json } = await ask(`${kv}absent`);
  expect(json).toMatchObject({ code: "NOT_FOUND", key: "absent" });
});

test.each([
  "/kv-store/v1/kv/%",
  "/kv-store/v1/kv/%F",
  "/kv-store/v1/kv/a%zz/",
  "/kv-store/v1/kv/?start=%",
  "/kv-store/v1/kv/?%F=1",
  "/kv-store/docs/%FF",
])("bad percent-encoding in %s is 400", async (path) => {
  const { url } = await startHttp();
  const { status, json } = await ask(`${url}${path}`);
  expect([status, json.code]).toEqual([400, "INVALID_ARGUMENT"]);
});

test.each([
  ["/kv-store/v1/kv/k", "text/html", 406],
  ["/kv-store/v1/kv/k", "application/json;q=0", 406],
  ["/kv-store/v1/kv/", "application/octet-stream", 406],
  ["/kv-store/v1/changes/", "application/json", 406],
  ["/kv-store/v1/kv/k", "text/html, application/*;q=0.5", 200],
  ["/kv-store/v1/kv/k", "text/html, */*;q=0.1", 200],
  ["/kv-store/v1/kv/", "application/json, */*", 200],
])("%s with Accept: %s is %i", async (path, accept, status) => {
  const { url, kv } = await startHttp();
  await put(`${kv}k`, { value: "v" });
  const answer = await ask(`${url}${path}`, { headers: { accept } });
  expect(answer.status).toBe(status);
  if (status === 406) expect(answer.json.code).toBe("NOT_ACCEPTABLE");
});

test("of what is accepted the better liked is answered", async () => {
  const { kv } = await startHttp();
  await put(`${kv}k`, { value: "v" });
  const accept = "application/json;q=0.5, application/octet-stream";
  expect((await ask(`${kv}k`, { headers: { accept } })).text).toBe("v");
});

test.each([
  ["Content-Encoding: gzip", "Content-Length: 2\r\n\r\n\x1f\x8b"],
  ["Transfer-Encoding: gzip, chunked", "\r\n2\r\n\x1f\x8b\r\n0\r\n\r\n"],
])("a body with %s is 415, and not stored as it came", async (coding, rest) => {
  const { port, kv } = await startHttp();
  const peer = new RawConnection(port);
  peer.say(
    "PUT /kv-store/v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n" +
      `${coding}\r\n${rest}`,
  );
  await eventually(() => peer.heard.includes("\r\n\r\n"));
  expect(peer.heard).toMatch(/^HTTP\/1\.1 415 /);
  expect((await ask(`${kv}k`)).status).toBe(404);
});

test("a body of another kind is 415, and says which are taken", async () => {
  const { kv } = await startHttp();
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "nonsense"]) {
    const answer = await put(`${kv}k`, '{"value":"v"}', { "content-type": type });
    expect([answer.status, answer.json.code]).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
    expect(answer.json.detail).toMatch(/application\/json.*octet-stream/);
  }
  const bare = await ask(`${kv}k`, { method: "PUT", body: "v" });
  expect(bare.status).toBe(415);
  const charset = await put(
    `${kv}k`,
    { value: "v" },
    { "content-type": "application/json; charset=utf-8" },
  );
  expect(charset.status).toBe(200);
});

test.each([
  ["no JSON", '{"value": '],
  ["nothing", ""],
  ["a string", '"v"'],
  ["a list", "[]"],
  ["null", "null"],
  ["no value", "{}"],
  ["a number as the value", '{"value": 42}'],
  ["a field that is not known", '{"value": "v", "vale": "w"}'],
  ["an encoding that is not known", '{"value": "v", "encoding": "hex"}'],
  ["half of a surrogate pair", '{"value": "\\ud800"}'],
  ["bytes that are not UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
  [
    "a document as deep as it is long",
    `{"value":${"[".repeat(200_000)}${"]".repeat(200_000)},"encoding":"json"}`,
  ],
])("a body with %s is 400, and writes nothing", async (_, body) => {
  const { kv } = await startHttp();
  const answer = await ask(`${kv}k`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body,
  });
  expect([answer.status, answer.json.code]).toEqual([400, "INVALID_ARGUMENT"]);
  expect((await ask(`${kv}k`)).status).toBe(404);
});

test("what is not HTTP is told so, and the connection closed", async () => {
  const { port } = await startHttp();
  const peer = new RawConnection(port);
  peer.say("VARV\x00\x01 what is this\r\n\r\n");
  await eventually(() => peer.isEnded);
  expect(peer.heard).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*"code":"PROTOCOL_ERROR"/);
});

test("headers that are too long are 431", async () => {
  const { port } = await startHttp({ headerBytesMax: 8192 });
  const peer = new RawConnection(port);
  peer.say(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(10_000)}\r\n\r\n`);
  await eventually(() => peer.isEnded);
  expect(peer.heard).toMatch(/^HTTP\/1\.1 431 [\s\S]*"code":"HEADERS_TOO_LARGE"/);
});

test("a read-only database answers reads, and writes with 403", async () => {
  const { kv } = await startHttp({ isReadOnly: true }, {}, (database) =>
    changedStore(database, {
      put: () => Promise.reject(new VarveError("READ_ONLY", "the database is read-only")),
    }),
  );
  expect((await ask(`${kv}k`)).status).toBe(404);
  const { status, json } = await put(`${kv}k`, { value: "v" });
  expect([status, json.code]).toEqual([403, "READ_ONLY"]);
});

test.each([
  ["POST", "/kv-store/v1/kv/some/key/", "DELETE, GET, HEAD, PUT"],
  ["PUT", "/kv-store/v1/kv/?limit=1", "GET"],
  ["DELETE", "/kv-store/v1/changes/", "GET"],
  ["POST", "/metrics", "GET, HEAD"],
])("%s %s is 405, and Allow says what there is", async (method, path, allow) => {
  const { url } = await startHttp();
  const answer = await ask(`${url}${path}`, { method });
  expect([answer.status, answer.json.code]).toEqual([405, "METHOD_NOT_ALLOWED"]);
  expect(answer.headers.allow).toBe(allow);
});
