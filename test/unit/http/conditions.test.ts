import { expect, test } from "vitest";
import { VarveError } from "../../../src/errors.ts";
import { ask, changedStore, put, startHttp } from "./support.ts";

test("If-Match with the entry's tag writes once, and tells who comes after it of the present tag", async () => {
  const { kv } = await startHttp();
  const first = await put(`${kv}k`, { value: "1" });
  const tag = first.headers.etag ?? "";
  const second = await put(`${kv}k`, { value: "2" }, { "if-match": tag });
  expect(second.status).toBe(200);
  const third = await put(`${kv}k`, { value: "3" }, { "if-match": tag });
  expect(third.status).toBe(412);
  expect(third.headers["content-type"]).toMatch(/^application\/problem\+json/);
  expect(third.json).toMatchObject({ code: "CONDITION_FAILED", status: 412, key: "k" });
  expect(`"${third.json.sequence}"`).toBe(second.headers.etag);
  expect((await ask(`${kv}k`)).json.value).toBe("2");
});

test("If-None-Match: * creates, and never overwrites; If-Match: * the other way round", async () => {
  const { kv } = await startHttp();
  expect((await put(`${kv}k`, { value: "0" }, { "if-match": "*" })).status).toBe(412);
  expect((await put(`${kv}k`, { value: "1" }, { "if-none-match": "*" })).status).toBe(200);
  expect((await put(`${kv}k`, { value: "2" }, { "if-none-match": "*" })).status).toBe(412);
  expect((await put(`${kv}k`, { value: "3" }, { "if-match": "*" })).status).toBe(200);
});

test("of many who create a key at once, one does", async () => {
  const { kv } = await startHttp();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      put(`${kv}k`, { value: String(i) }, { "if-none-match": "*" }),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 412)).toHaveLength(19);
});

test.each([
  ["if-match", (tag: string) => `"1000", ${tag}`, 200],
  ["if-match", (tag: string) => `W/${tag}`, 412],
  ["if-match", () => '"1000", "other"', 412],
  ["if-none-match", (tag: string) => `"1000", ${tag}`, 412],
  ["if-none-match", (tag: string) => `W/${tag}`, 412],
  ["if-none-match", () => '"1000"', 200],
] as const)(
  "%s with lists and weak tags is compared as HTTP says (%#)",
  async (name, tags, status) => {
    const { kv } = await startHttp();
    const { headers } = await put(`${kv}k`, { value: "1" });
    const answer = await put(`${kv}k`, { value: "2" }, { [name]: tags(headers.etag ?? "") });
    expect(answer.status).toBe(status);
  },
);

test("an If-None-Match with tags, where there is no entry, creates it", async () => {
  const { kv } = await startHttp();
  expect((await put(`${kv}k`, { value: "1" }, { "if-none-match": '"1", "2"' })).status).toBe(200);
});

test("a DELETE has conditions, too", async () => {
  const { kv } = await startHttp();
  const { headers } = await put(`${kv}k`, { value: "1" });
  const remove = (tag: string) => ask(`${kv}k`, { method: "DELETE", headers: { "if-match": tag } });
  expect((await remove('"999"')).status).toBe(412);
  expect((await remove(headers.etag ?? "")).status).toBe(204);
  expect((await remove(headers.etag ?? "")).status).toBe(412);
});

test("a GET of what one has already is a 304 without a body", async () => {
  const { kv } = await startHttp();
  const { headers } = await put(`${kv}k`, { value: "1" });
  const tag = headers.etag ?? "";
  const get = (given: Record<string, string>) => ask(`${kv}k`, { headers: given });
  for (const same of [tag, `W/${tag}`, `"9", ${tag}`, "*"]) {
    const answer = await get({ "if-none-match": same });
    expect([answer.status, answer.text, answer.headers.etag]).toEqual([304, "", tag]);
  }
  expect((await get({ "if-none-match": '"9"' })).status).toBe(200);
  expect((await get({ "if-match": '"9"' })).status).toBe(412);
  expect((await get({ "if-match": tag })).status).toBe(200);
  expect((await ask(`${kv}absent`, { headers: { "if-none-match": "*" } })).status).toBe(404);
});

test.each([
  ["if-match", "1"],
  ["if-match", ""],
  ["if-none-match", '"1" "2"'],
  ["if-unmodified-since", "Sat, 31 Jan 2026 12:00:00 GMT"],
])("%s: %s is refused, and never passed over", async (name, value) => {
  const { kv } = await startHttp();
  const { status, json } = await put(`${kv}k`, { value: "1" }, { [name]: value });
  expect([status, json.code]).toEqual([400, "INVALID_ARGUMENT"]);
  expect((await ask(`${kv}k`)).status).toBe(404);
});

test("a write whose list of tags loses every race is a CONFLICT", async () => {
  let attempts = 0;
  const { kv } = await startHttp({}, {}, (database) =>
    changedStore(database, {
      put: () => {
        attempts++;
        return Promise.reject(new VarveError("CONDITION_FAILED", "somebody was faster"));
      },
    }),
  );
  const { status, json } = await put(`${kv}k`, { value: "1" }, { "if-none-match": '"5", "6"' });
  expect([status, json.code]).toEqual([409, "CONFLICT"]);
  expect(attempts).toBeGreaterThan(1);
});

test("a tag is compared as it is written, and not as a number", async () => {
  const { kv } = await startHttp();
  const { headers } = await put(`${kv}k`, { value: "v" });
  const padded = headers.etag?.replace('"', '"00') ?? "";
  expect((await put(`${kv}k`, { value: "w" }, { "if-match": padded })).status).toBe(412);
});
