import { expect, test } from "vitest";
import { VarveError } from "../../../src/errors.ts";
import { eventually } from "../../support/test-server.ts";
import { ask, changedStore, put, RawConnection, startHttp } from "./support.ts";

async function filled(count = 10) {
  const http = await startHttp();
  await http.database.batch(
    Array.from({ length: count }, (_, i) => ({
      type: "put" as const,
      key: `k${String(i).padStart(4, "0")}`,
      value: `value ${i}`,
    })),
  );
  return http;
}

const keysOf = (items: readonly Record<string, unknown>[]) => items.map(({ key }) => key);

test("both ends of a range are in it, in the order of keys, or backwards", async () => {
  const { kv } = await filled();
  const forwards = await ask(`${kv}?start=k0002&end=k0004`);
  expect(keysOf(forwards.json.items)).toEqual(["k0002", "k0003", "k0004"]);
  expect(forwards.json.cursor).toBeNull();
  const backwards = await ask(`${kv}?start=k0002&end=k0004&reverse=true`);
  expect(keysOf(backwards.json.items)).toEqual(["k0004", "k0003", "k0002"]);
});

test("items of a page are the entries that GETs answer with", async () => {
  const { kv } = await filled(3);
  await put(`${kv}k0001?ttl=1h`, { value: "again" });
  const { json } = await ask(kv);
  for (const item of json.items) expect((await ask(`${kv}${item.key}`)).json).toEqual(item);
  expect(json.items[1]).toMatchObject({ version: 2, expires_at: expect.any(String) });
});

test.each([false, true])(
  "pages go on by their cursors to the end (reverse: %s)",
  async (reverse) => {
    const { kv } = await filled(25);
    const found: unknown[] = [];
    let cursor: string | null = "";
    let pages = 0;
    while (cursor !== null) {
      const from: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { json } = await ask(`${kv}?prefix=k&limit=10&reverse=${reverse}${from}`);
      found.push(...keysOf(json.items));
      cursor = json.cursor;
      pages++;
    }
    const all = Array.from({ length: 25 }, (_, i) => `k${String(i).padStart(4, "0")}`);
    expect(found).toEqual(reverse ? all.toReversed() : all);
    expect(pages).toBe(3);
  },
);

test("a prefix, and bounds that are not UTF-8, hold", async () => {
  const { kv, database } = await startHttp();
  for (const key of [
    Uint8Array.of(0x61),
    Uint8Array.of(0xfe),
    Uint8Array.of(0xff),
    Uint8Array.of(0xff, 1),
  ]) {
    await database.put(key, "v");
  }
  const encoded = (...bytes: number[]) => Buffer.from(bytes).toString("base64");
  expect(keysOf((await ask(`${kv}?start=%FF`)).json.items)).toEqual([
    encoded(0xff),
    encoded(0xff, 1),
  ]);
  expect(keysOf((await ask(`${kv}?end=%FE`)).json.items)).toEqual(["a", encoded(0xfe)]);
  expect(keysOf((await ask(`${kv}?prefix=%ff%01`)).json.items)).toEqual([encoded(0xff, 1)]);
  await database.put("a b", "v");
  expect(keysOf((await ask(`${kv}?prefix=a+b`)).json.items)).toEqual(["a b"]);
});

test("keys alone come without values", async () => {
  const { kv } = await filled(2);
  const { json } = await ask(`${kv}?keys_only=true`);
  expect(json.items.every((item) => !("value" in item) && item.version === 1)).toBe(true);
});

test.each([
  ["limit=0", /limit/],
  ["limit=1001", /at most 1000.*cursor/],
  ["limit=many", /limit/],
  ["cursor=nonsense", /cursor/],
  ["cursor=*", /base64/],
  ["limt=3", /limt/],
  ["start=a&start=b", /more than once/],
  ["start=%F", /percent-encoded/],
  ["reverse=perhaps", /reverse/],
  ["encoding=hex", /utf8, json, base64/],
])("?%s is refused, and it is said why", async (query, detail) => {
  const { kv } = await filled(1);
  const { status, json } = await ask(`${kv}?${query}`);
  expect([status, json.code]).toEqual([400, "INVALID_ARGUMENT"]);
  expect(json.detail).toMatch(detail);
});

test("a page has 100 entries unless told otherwise, and up to 1000", async () => {
  const { kv } = await filled(1200);
  expect((await ask(kv)).json.items).toHaveLength(100);
  expect((await ask(`${kv}?limit=1000`)).json.items).toHaveLength(1000);
});

test("a page of large values ends early, and its cursor goes on", async () => {
  const { kv, database } = await startHttp();
  const value = "x".repeat(1024 * 1024);
  for (let i = 0; i < 8; i++) await database.put(`big${i}`, value);
  const first = await ask(`${kv}?prefix=big`);
  expect(first.json.items.length).toBeLessThan(8);
  const second = await ask(`${kv}?prefix=big&cursor=${first.json.cursor}`);
  expect(first.json.items.length + second.json.items.length).toBe(8);
});

const NDJSON = { accept: "application/x-ndjson" };
const linesOf = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("a range as lines is all of it, each line the entry that a GET answers with", async () => {
  const { kv } = await filled(1200);
  const { status, headers, text } = await ask(kv, { headers: NDJSON });
  expect([status, headers["content-type"]]).toEqual([200, "application/x-ndjson"]);
  const lines = linesOf(text);
  expect(lines).toHaveLength(1200);
  expect(lines[7]).toEqual((await ask(`${kv}k0007`)).json);
  const some = await ask(`${kv}?start=k0010&limit=3&reverse=true`, { headers: NDJSON });
  expect(keysOf(linesOf(some.text))).toEqual(["k1199", "k1198", "k1197"]);
  expect((await ask(`${kv}?prefix=none`, { headers: NDJSON })).text).toBe("");
});

test("a JSON document with line breaks is one line of a stream", async () => {
  const { kv, database } = await startHttp();
  await database.put("d", '{\r\n "n": 12345678901234567890\n}');
  const { text } = await ask(`${kv}?encoding=json`, { headers: NDJSON });
  expect(text.trimEnd().split("\n")).toHaveLength(1);
  expect(text).toContain('"value":{"n":12345678901234567890}');
});

test("a stream sees one moment, whatever is written meanwhile", async () => {
  const { kv, port, database } = await filled(1000);
  const slow = new RawConnection(port);
  slow.socket.pause();
  slow.say(
    `GET ${new URL(kv).pathname} HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n`,
  );
  await eventually(() => database.stats().openScans === 1 || slow.socket.bytesRead > 0);
  await database.deleteRange({ gte: "" });
  slow.socket.resume();
  await eventually(() => slow.heard.endsWith("0\r\n\r\n"));
  expect(slow.heard.match(/"key":"k\d+"/g)).toHaveLength(1000);
});

test("a reader that is slow holds the stream back, and no more than parts of it are in memory", async () => {
  const { kv, port, server, database } = await startHttp();
  const value = "x".repeat(64 * 1024);
  for (let i = 0; i < 800; i++) await database.put(`k${i}`, value);
  const slow = new RawConnection(port);
  slow.socket.pause();
  slow.say(
    `GET ${new URL(kv).pathname} HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n`,
  );
  // Until nothing more is written: what the sockets' buffers take.
  let before = -1;
  await eventually(() => {
    const { bytesOut } = server.stats();
    const isStill = bytesOut > 0 && bytesOut === before;
    before = bytesOut;
    return isStill && server.stats().streams === 1;
  });
  const { bytesOut } = server.stats();
  expect(bytesOut).toBeLessThan(20 * 1024 * 1024);
  expect(database.stats().openScans).toBe(1);
  // Others are served.
  expect((await ask(`${kv}k1`)).status).toBe(200);
  slow.socket.destroy();
  await eventually(() => server.stats().streams === 0);
  await eventually(() => database.stats().openScans === 0 && database.stats().snapshots === 0);
});

test("a reader that takes nothing for long is cut off", async () => {
  const { kv, port, server, database } = await startHttp({ streamIdleTimeoutMs: 50 });
  const value = "x".repeat(256 * 1024);
  for (let i = 0; i < 100; i++) await database.put(`k${i}`, value);
  const slow = new RawConnection(port);
  slow.socket.pause();
  slow.say(
    `GET ${new URL(kv).pathname} HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n`,
  );
  await eventually(() => server.stats().streams === 1);
  await eventually(() => server.stats().streams === 0);
  await eventually(() => database.stats().openScans === 0);
});

test("a stream that fails in the middle says why on its last line, and does not end as a whole one", async () => {
  let reads = 0;
  const { kv, port, database } = await startHttp({}, {}, (opened) =>
    changedStore(opened, {
      async snapshot() {
        const snapshot = await opened.snapshot();
        return new Proxy(snapshot, {
          get(target, name) {
            if (name === "getEntryCached" && ++reads > 3) {
              throw new VarveError("CORRUPTION", "000000003.table at 17: not what was written");
            }
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
      },
    }),
  );
  for (let i = 0; i < 10; i++) await database.put(`k${i}`, "v");
  const reader = new RawConnection(port);
  reader.say(
    `GET ${new URL(kv).pathname} HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n`,
  );
  await eventually(() => reader.isEnded);
  expect(reader.heard).toContain('"code":"CORRUPTION"');
  expect(reader.heard).not.toMatch(/\r\n0\r\n\r\n$/);
});

test("more streams than there may be are refused, with when to try again", async () => {
  const { kv, url, server } = await startHttp({ streamsMax: 1 });
  const controller = new AbortController();
  const first = await fetch(`${url}/kv-store/v1/changes/`, { signal: controller.signal });
  expect(first.status).toBe(200);
  const refused = await ask(kv, { headers: NDJSON });
  expect([refused.status, refused.json.code, refused.headers["retry-after"]]).toEqual([
    429,
    "OVERLOADED",
    "1",
  ]);
  expect((await ask(`${url}/kv-store/v1/changes`)).status).toBe(429);
  expect((await ask(kv)).status).toBe(200);
  controller.abort();
  await eventually(() => server.stats().streams === 0);
  expect((await ask(kv, { headers: NDJSON })).status).toBe(200);
});
