import { expect, test } from "vitest";
import { eventually } from "../../support/test-server.ts";
import { ask, keyPath, put, startHttp } from "./support.ts";

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

test("a PUT answers with the entry, a GET with the same, a DELETE with nothing", async () => {
  const { kv } = await startHttp();
  const written = await put(`${kv}user123/`, { value: "42" });
  expect(written.status).toBe(200);
  expect(written.headers["content-type"]).toBe("application/json");
  expect(written.json).toEqual({
    key: "user123",
    value: "42",
    version: 1,
    created_at: expect.stringMatching(TIME),
    updated_at: written.json.created_at,
  });
  const read = await ask(`${kv}user123/`);
  expect(read.status).toBe(200);
  expect(read.json).toEqual(written.json);
  expect(read.headers.etag).toBe(written.headers.etag);
  const deleted = await ask(`${kv}user123/`, { method: "DELETE" });
  expect([deleted.status, deleted.text]).toEqual([204, ""]);
  expect((await ask(`${kv}user123/`)).status).toBe(404);
  expect((await ask(`${kv}user123/`, { method: "DELETE" })).status).toBe(204);
});

test("versions count from 1, and afresh after a delete", async () => {
  const { kv } = await startHttp();
  const versions: unknown[] = [];
  for (const value of ["a", "b", "c"]) versions.push((await put(`${kv}k`, { value })).json.version);
  await ask(`${kv}k`, { method: "DELETE" });
  versions.push((await put(`${kv}k`, { value: "d" })).json.version);
  expect(versions).toEqual([1, 2, 3, 1]);
});

test("each of many PUTs of one key at once answers with the entry as it made it", async () => {
  const { kv } = await startHttp();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => put(`${kv}k`, { value: String(i) })),
  );
  for (const [i, { json }] of answers.entries()) expect(json.value).toBe(String(i));
  const versions = answers.map(({ json }) => Number(json.version)).sort((a, b) => a - b);
  expect(versions).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
});

test.each([
  ["with a slash at the end", "a", "a/"],
  ["with a slash in it", "a%2Fb", "a/b"],
  ["that ends with a slash", "a%2F", "a//"],
  ["that begins with a slash", "%2Fa", "/a/"],
  ["with a percent sign", "100%25", "100%25/"],
  ["with what looks percent-encoded", "%2541", "%2541/"],
  ["with a space and a plus", "a%20+b", "a%20%2Bb/"],
  ["with a question mark and a hash", "a%3F%23", "a%3F%23"],
  ["that is called batch", "batch", "batch/"],
  ["that is two dots", "%2E%2E", ".."],
])("a key %s is the same by either address", async (_, first, second) => {
  const { kv } = await startHttp();
  await put(`${kv}${first}`, { value: "here" });
  expect((await ask(`${kv}${second}`)).json.value).toBe("here");
});

test("the bytes of a key may be any, and are told as base64 where they are not UTF-8", async () => {
  const { kv, database } = await startHttp();
  const key = Uint8Array.of(0x00, 0xff, 0x2f, 0x25, 0x80);
  const { json } = await put(`${kv}${keyPath(key)}/`, { value: "v" });
  expect(json.key).toBe(Buffer.from(key).toString("base64"));
  expect(json.key_encoding).toBe("base64");
  expect(await database.get(key)).toEqual(new TextEncoder().encode("v"));
});

test("a key of 64 KiB, every byte percent-encoded, is written and read", async () => {
  const { kv, database } = await startHttp();
  const key = new Uint8Array(64 * 1024).fill(0xfe);
  expect((await put(`${kv}${keyPath(key)}`, { value: "v" })).status).toBe(200);
  expect((await ask(`${kv}${keyPath(key)}/`)).status).toBe(200);
  expect(await database.get(key)).toBeDefined();
  const longer = new Uint8Array(64 * 1024 + 1).fill(0x61);
  const refused = await put(`${kv}${new TextDecoder().decode(longer)}`, { value: "v" });
  expect([refused.status, refused.json.code]).toEqual([400, "KEY_TOO_LARGE"]);
});

test("a key of no bytes is refused", async () => {
  const { kv } = await startHttp();
  const refused = await put(`${kv}/`, { value: "v" });
  expect([refused.status, refused.json.code]).toEqual([400, "KEY_EMPTY"]);
});

test("a JSON document is stored as its text and comes back as it was, numbers and all", async () => {
  const { kv, database } = await startHttp();
  const document = '{"big":12345678901234567890,"small":1.10,"list":[1,"two",null],"__proto__":{}}';
  const written = await put(`${kv}d`, `{"value": ${document}, "encoding": "json"}`);
  expect(written.text).toContain(`"value":${document},"encoding":"json"`);
  expect(new TextDecoder().decode(await database.get("d"))).toBe(document);
  expect((await ask(`${kv}d?encoding=json`)).text).toContain(`"value":${document},`);
  const plain = await ask(`${kv}d`);
  expect(plain.json.value).toBe(document);
  expect(plain.json.encoding).toBeUndefined();
});

test("a value in the form that is asked for, if it can be had in that", async () => {
  const { kv, database } = await startHttp();
  await database.put("text", "no json");
  await database.put("bytes", Uint8Array.of(1, 0xff));
  await database.put("lines", '{\n"a": 1.0\n}');
  const read = async (path: string) => {
    const { json } = await ask(`${kv}${path}`);
    return [json.value, json.encoding];
  };
  expect(await read("text?encoding=json")).toEqual(["no json", undefined]);
  expect(await read("text?encoding=base64")).toEqual(["bm8ganNvbg==", "base64"]);
  expect(await read("bytes")).toEqual(["Af8=", "base64"]);
  expect(await read("bytes?encoding=utf8")).toEqual(["Af8=", "base64"]);
  expect(await read("bytes?encoding=json")).toEqual(["Af8=", "base64"]);
  expect((await ask(`${kv}lines?encoding=json`)).text).toContain('"value":{"a":1.0},');
});

test("base64 is taken in both alphabets, and bytes come back as they were", async () => {
  const { kv, database } = await startHttp();
  await put(`${kv}a`, { value: "-_8", encoding: "base64" });
  const answer = await put(`${kv}b`, { value: "+/8=", encoding: "base64" });
  expect(answer.json.encoding).toBe("base64");
  expect(await database.get("a")).toEqual(await database.get("b"));
  expect((await put(`${kv}c`, { value: "no!", encoding: "base64" })).status).toBe(400);
});

test("raw bytes go in by their content type and come out by Accept, with the rest in headers", async () => {
  const { kv } = await startHttp();
  const body = Uint8Array.of(0, 1, 2, 0xff);
  const written = await ask(`${kv}raw?ttl=1h`, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream" },
    body,
  });
  expect(written.json.version).toBe(1);
  const read = await ask(`${kv}raw`, { headers: { accept: "application/octet-stream" } });
  expect(new Uint8Array(read.body)).toEqual(body);
  expect(read.headers).toMatchObject({
    "content-type": "application/octet-stream",
    "content-length": "4",
    "varve-version": "1",
    "varve-created-at": written.json.created_at,
    "varve-updated-at": written.json.updated_at,
    "varve-expires-at": written.json.expires_at,
    etag: written.headers.etag,
  });
  const empty = await ask(`${kv}empty`, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream" },
  });
  expect(empty.json.value).toBe("");
});

test("an entry with a ttl says when it expires, and is gone then", async () => {
  const { kv } = await startHttp();
  const before = Date.now();
  const { json } = await put(`${kv}s?ttl=90`, { value: "v" });
  const expiresAt = Date.parse(String(json.expires_at));
  expect(expiresAt).toBeGreaterThanOrEqual(before + 90_000);
  expect(expiresAt).toBeLessThanOrEqual(Date.now() + 90_000);
  const [minutes, fraction] = [
    await put(`${kv}m?ttl=10m`, { value: "v" }),
    await put(`${kv}f?ttl=0.5`, { value: "v" }),
  ];
  expect(Date.parse(String(minutes.json.expires_at))).toBeGreaterThanOrEqual(before + 600_000);
  expect(Date.parse(String(fraction.json.expires_at))).toBeLessThan(Date.now() + 501);
  expect((await put(`${kv}s?ttl=soon`, { value: "v" })).status).toBe(400);
  expect((await put(`${kv}s?ttl=0`, { value: "v" })).status).toBe(400);
  await put(`${kv}gone?ttl=1ms`, { value: "v" });
  let status = 0;
  await eventually(() => {
    void ask(`${kv}gone`).then((answer) => {
      status = answer.status;
    });
    return status === 404;
  });
  const again = await put(`${kv}s`, { value: "for good" });
  expect(again.json.expires_at).toBeUndefined();
});

test("keyspaces have keys of their own, and are never created by asking", async () => {
  const { kv, database } = await startHttp();
  const orders = await database.keyspace("orders");
  await put(`${kv}1?keyspace=orders`, { value: "theirs" });
  await put(`${kv}1`, { value: "mine" });
  expect(await orders.get("1")).toEqual(new TextEncoder().encode("theirs"));
  expect((await ask(`${kv}1?keyspace=orders`)).json.value).toBe("theirs");
  expect((await ask(`${kv}?keyspace=orders`)).json.items).toHaveLength(1);
  for (const answer of [
    await put(`${kv}1?keyspace=none`, { value: "v" }),
    await ask(`${kv}1?keyspace=none`),
    await ask(`${kv}?keyspace=none`),
    await ask(`${kv}1?keyspace=none`, { method: "DELETE" }),
  ]) {
    expect([answer.status, answer.json.code]).toEqual([404, "NO_SUCH_KEYSPACE"]);
  }
  expect(await database.keyspaces()).toHaveLength(1);
});

test("a durability is taken for one write", async () => {
  const { kv, database } = await startHttp();
  const { syncs } = database.stats().writes;
  await put(`${kv}a?durability=none`, { value: "v" });
  expect(database.stats().writes.syncs).toBe(syncs);
  await put(`${kv}a?durability=always`, { value: "v" });
  expect(database.stats().writes.syncs).toBe(syncs + 1);
  expect((await put(`${kv}a?durability=perhaps`, { value: "v" })).status).toBe(400);
});
