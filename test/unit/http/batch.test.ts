import { expect, test } from "vitest";
import { ask, post, put, startHttp } from "./support.ts";

test("a batch writes all of its items, and answers with what became of each", async () => {
  const { kv } = await startHttp();
  await put(`${kv}old`, { value: "v" });
  const { status, json } = await post(`${kv}batch/`, {
    items: [
      { key: "foo", value: "bar" },
      { key: "old", delete: true },
      { key: "/w==", key_encoding: "base64", value: "AQ==", encoding: "base64" },
      { key: "s", value: "v", ttl: 60 },
      { key: "t", value: "v", ttl: "10m" },
    ],
  });
  expect(status).toBe(200);
  expect(json.items).toMatchObject([
    { key: "foo", value: "bar", version: 1 },
    { key: "old", deleted: true },
    { key: "/w==", key_encoding: "base64", value: "AQ==", encoding: "base64" },
    { expires_at: expect.any(String) },
    { expires_at: expect.any(String) },
  ]);
  expect((await ask(`${kv}old`)).status).toBe(404);
  expect((await ask(`${kv}foo`)).json).toEqual(json.items[0]);
  expect((await ask(`${kv}%FF`)).status).toBe(200);
});

test("a later item on the same key wins, and none is not an error", async () => {
  const { kv } = await startHttp();
  const { json } = await post(`${kv}batch`, {
    items: [
      { key: "k", value: "1" },
      { key: "k", value: "2" },
    ],
  });
  expect(json.items.map(({ value }) => value)).toEqual(["2", "2"]);
  expect((await ask(`${kv}k`)).json).toMatchObject({ value: "2", version: 2 });
  expect((await post(`${kv}batch`, { items: [] })).json).toEqual({ items: [] });
});

test("JSON documents in a batch keep their numbers as they are written", async () => {
  const { kv } = await startHttp();
  const { text } = await post(
    `${kv}batch`,
    '{"items":[{"key":"a","value":{"n":1.10},"encoding":"json"},{"key":"b","value":"plain"}]}',
  );
  expect(text).toContain('"value":{"n":1.10},"encoding":"json"');
});

test.each([
  ["an item without a key", { items: [{ value: "v" }] }, /items\/0.*key/],
  [
    "an item without a value",
    { items: [{ key: "a", value: "v" }, { key: "k" }] },
    /items\/1: value/,
  ],
  ["a value with a delete", { items: [{ key: "k", value: "v", delete: true }] }, /items\/0/],
  ["a value that is a number", { items: [{ key: "k", value: 1 }] }, /items\/0.*encoding/],
  ["a field that is not known", { items: [{ key: "k", val: "v" }] }, /items\/0.*val/],
  ["a key with half of a surrogate pair", { items: [{ key: "\ud800", value: "v" }] }, /surrogate/],
  ["a key of no bytes", { items: [{ key: "", value: "v" }] }, /key/],
  ["items that are no list", { items: 1 }, /items/],
  ["no items", {}, /items/],
  ["a list", [], /object/],
])("%s is refused, and nothing of the batch is written", async (_, body, detail) => {
  const { kv } = await startHttp();
  const { status, json } = await post(`${kv}batch/`, body);
  expect(status).toBe(400);
  expect(json.detail).toMatch(detail);
  expect((await ask(kv)).json.items).toEqual([]);
});

test("a batch with more than the store takes is BATCH_TOO_LARGE", async () => {
  const { kv } = await startHttp({}, { batchOperationsMax: 2 });
  const items = ["a", "b", "c"].map((key) => ({ key, value: "v" }));
  const { status, json } = await post(`${kv}batch/`, { items });
  expect([status, json.code]).toEqual([413, "BATCH_TOO_LARGE"]);
});

test("a batch of bytes is 415", async () => {
  const { kv } = await startHttp();
  const headers = { "content-type": "application/octet-stream" };
  const { status, json } = await ask(`${kv}batch/`, { method: "POST", headers, body: "{}" });
  expect([status, json.code]).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
});
