/**
 * One request could end the process: a body of 32 MiB with millions of objects takes thirty times its length once it is
 * parsed, and the list of what is wrong with them took the rest.
 */
import { expect, test } from "vitest";
import { ask, post, put, startHttp } from "../unit/http/support.ts";

const MILLION = 1_000_000;

test("a body of millions of objects is refused before it is parsed", async () => {
  const { kv } = await startHttp();
  const { status, json } = await post(`${kv}batch`, `{"items":[${"{},".repeat(5 * MILLION)}{}]}`);
  expect([status, json.code]).toEqual([413, "BODY_TOO_LARGE"]);
  expect(json.detail).toMatch(/objects, arrays and members/);
});

test("of a million wrong items the first is told, and memory stays", async () => {
  const { kv } = await startHttp();
  const before = process.memoryUsage().rss;
  const items = `{"key":"k","value":"v"},${'{"key":"k","ttl":[]},'.repeat(MILLION)}0`;
  const { status, json } = await post(`${kv}batch`, `{"items":[${items}]}`);
  expect([status, json.code]).toEqual([400, "INVALID_ARGUMENT"]);
  expect(json.detail).toMatch(/^the body: items\/1\/ttl /);
  expect(process.memoryUsage().rss - before).toBeLessThan(600 * MILLION);
});

test("of many names that are not known the first is told", async () => {
  const { kv } = await startHttp();
  const names = Array.from({ length: 100_000 }, (_, i) => `"n${i}":1`).join();
  const { status, json } = await put(`${kv}k`, `{"value":"v",${names}}`);
  expect([status, json.detail]).toEqual([400, "the body has n0, which is not known here"]);
  const { json: nested } = await post(`${kv}batch`, `{"items":[{"key":"k",${names}}]}`);
  expect(nested.detail).toBe("the body: items/0 has n0, which is not known here");
});

test("a document that is nested too deeply is 400 in a batch, too", async () => {
  const { kv } = await startHttp();
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const item = `{"key":"k","value":${deep},"encoding":"json"}`;
  const { status, json } = await post(`${kv}batch`, `{"items":[${item}]}`);
  expect([status, json.detail]).toEqual([400, "items/0: the document is nested too deeply"]);
  expect((await ask(`${kv}k`)).status).toBe(404);
});
