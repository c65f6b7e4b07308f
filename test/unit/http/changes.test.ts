import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../support/test-server.ts";
import { ask, post, put, startHttp } from "./support.ts";

interface SentEvent {
  readonly event: string;
  readonly id: string;
  readonly data: Record<string, unknown> & { operations: Record<string, unknown>[] };
}

/** Reads events as a browser does: fields by line, an event by empty line. */
class EventReader {
  readonly events: SentEvent[] = [];
  readonly #controller = new AbortController();
  status = 0;
  isEnded = false;

  constructor(url: string, lastEventId?: string) {
    onTestFinished(() => this.stop());
    void this.#read(url, lastEventId === undefined ? {} : { "last-event-id": lastEventId });
  }

  /** But for those that say how far it is. */
  get told(): SentEvent[] {
    return this.events.filter(({ event }) => event !== "progress");
  }

  stop(): void {
    this.#controller.abort();
  }

  async #read(url: string, headers: Record<string, string>): Promise<void> {
    try {
      const response = await fetch(url, { headers, signal: this.#controller.signal });
      this.status = response.status;
      let text = "";
      for await (const chunk of response.body ?? []) {
        text += new TextDecoder().decode(chunk);
        const blocks = text.split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) this.#take(block);
      }
    } catch {
      // Aborted by the test, or cut by the server.
    }
    this.isEnded = true;
  }

  #take(block: string): void {
    const fields = block.split("\n").map((line) => /^(\w+): (.*)$/.exec(line)?.slice(1) ?? []);
    const of = (name: string) =>
      fields.filter(([field]) => field === name).map(([, value]) => value);
    this.events.push({
      event: of("event")[0] ?? "",
      id: of("id")[0] ?? "",
      data: JSON.parse(of("data").join("\n")) as SentEvent["data"],
    });
  }
}

const FEED = { feedRetentionBytes: 64 * 1024 * 1024 };

test("what is committed is told batch by batch, with its sequence as id", async () => {
  const { url, kv } = await startHttp({}, FEED);
  const reader = new EventReader(`${url}/kv-store/v1/changes/`);
  await eventually(() => reader.events.length === 1);
  expect(reader.events[0]?.event).toBe("progress");
  const written = await put(`${kv}a?ttl=1h`, { value: "1" });
  await post(`${kv}batch/`, {
    items: [
      { key: "/w==", key_encoding: "base64", value: "2" },
      { key: "a", delete: true },
    ],
  });
  await eventually(() => reader.told.length === 2);
  const [first, second] = reader.told;
  expect(first).toEqual({
    event: "commit",
    id: written.headers.etag?.replaceAll('"', ""),
    data: {
      sequence: Number(first?.id),
      time: written.json.updated_at,
      operations: [{ type: "put", key: "a", value: "1", expires_at: written.json.expires_at }],
    },
  });
  expect(second?.data.operations).toEqual([
    { type: "put", key: "/w==", key_encoding: "base64", value: "2" },
    { type: "delete", key: "a" },
  ]);
});

test("merges and deleted ranges are told, too", async () => {
  const { url, database } = await startHttp({}, FEED);
  await database.merge("n", "add", 2n ** 62n);
  await database.merge("log", "append", "x");
  await database.deleteRange({ gte: "a", lt: "b" });
  const reader = new EventReader(`${url}/kv-store/v1/changes/?since=0`);
  await eventually(() => reader.told.length === 3);
  expect(reader.told.map(({ data }) => data.operations[0])).toEqual([
    { type: "merge", key: "n", operator: "add", operand: String(2n ** 62n) },
    { type: "merge", key: "log", operator: "append", operand: "eA==" },
    { type: "deleteRange", gte: "a", lt: "b" },
  ]);
});

test("a reader that goes on with Last-Event-ID, again and again, misses nothing and is told nothing twice", async () => {
  const { url, database } = await startHttp({}, FEED);
  const COUNT = 300;
  const writing = (async () => {
    for (let i = 0; i < COUNT; i++) {
      await database.batch([
        { type: "put", key: `k${i}`, value: "v" },
        { type: "put", key: `second${i}`, value: "v" },
      ]);
    }
  })();
  const told: string[] = [];
  let last = "0";
  let readers = 0;
  while (told.length < COUNT * 2) {
    // `since` is what the first connection began with; the header goes before it.
    const reader = new EventReader(`${url}/kv-store/v1/changes/?since=0`, last);
    readers++;
    const enough = Math.min(COUNT, told.length / 2 + 50) - told.length / 2;
    await eventually(() => reader.told.length >= enough);
    reader.stop();
    await eventually(() => reader.isEnded);
    for (const { id, event, data } of reader.events) {
      last = id;
      if (event === "commit") told.push(...data.operations.map(({ key }) => String(key)));
    }
  }
  await writing;
  expect(readers).toBeGreaterThan(3);
  expect(told).toEqual(Array.from({ length: COUNT }, (_, i) => [`k${i}`, `second${i}`]).flat());
});

test("only keys of the range are told, and only of the keyspace", async () => {
  const { url, database } = await startHttp({}, FEED);
  const orders = await database.keyspace("orders");
  await orders.put("b", "theirs");
  for (const key of ["a", "b", "c", "d"]) await database.put(key, "v");
  const keysOf = async (query: string, count: number) => {
    const reader = new EventReader(`${url}/kv-store/v1/changes/?since=0&${query}`);
    await eventually(() => reader.told.length === count);
    return reader.told.map(({ data }) => data.operations[0]?.key);
  };
  expect(await keysOf("start=b&end=c", 2)).toEqual(["b", "c"]);
  expect(await keysOf("prefix=d", 1)).toEqual(["d"]);
  expect(await keysOf("keyspace=orders", 1)).toEqual(["b"]);
});

test("where there is nothing to tell, it is said how far the feed is", async () => {
  const { url, database } = await startHttp({ heartbeatMs: 10 }, FEED);
  const { version } = await database.put("other", "v");
  const reader = new EventReader(`${url}/kv-store/v1/changes/?prefix=none`);
  await eventually(() => reader.events.length >= 3);
  expect(
    reader.events.every(({ event, id }) => event === "progress" && id === String(version)),
  ).toBe(true);
});

test("an ingest is one event with its range", async () => {
  const { url, database } = await startHttp({}, FEED);
  const reader = new EventReader(`${url}/kv-store/v1/changes/`);
  await eventually(() => reader.events.length === 1);
  await database.ingest([
    ["x1", "v"],
    ["x2", "v"],
  ]);
  await eventually(() => reader.told.length === 1);
  expect(reader.told[0]).toMatchObject({
    event: "ingest",
    data: { gte: "x1", lt: expect.any(String) },
  });
});

test("a batch that is large is told whole", async () => {
  const { url, database } = await startHttp({}, FEED);
  const value = "x".repeat(10_000);
  await database.batch(
    Array.from({ length: 500 }, (_, i) => ({ type: "put" as const, key: `k${i}`, value })),
  );
  const reader = new EventReader(`${url}/kv-store/v1/changes/?since=0`);
  await eventually(() => reader.told.length === 1);
  expect(reader.told[0]?.data.operations).toHaveLength(500);
});

test("a past that is not kept any more is 410 with the oldest sequence that can be asked for", async () => {
  const { url, database } = await startHttp();
  for (let i = 0; i < 5; i++) {
    await database.put(`k${i}`, "v");
    await database.flush();
  }
  const { status, json } = await ask(`${url}/kv-store/v1/changes/?since=0`);
  expect([status, json.code]).toEqual([410, "COMPACTED"]);
  expect(json.sequence).toBeGreaterThan(0);
});

test.each([
  ["?since=-1", {}],
  ["?since=soon", {}],
  ["?since=999999", {}],
  ["", { "last-event-id": "soon" }],
])("changes%s with %o are refused", async (query, headers) => {
  const { url } = await startHttp({}, FEED);
  const { status, json } = await ask(`${url}/kv-store/v1/changes/${query}`, { headers });
  expect([status, json.code]).toEqual([400, "INVALID_ARGUMENT"]);
});

test("a reader that leaves is not watched for any more", async () => {
  const { url, server, database } = await startHttp({}, FEED);
  const reader = new EventReader(`${url}/kv-store/v1/changes/`);
  await eventually(() => server.stats().streams === 1 && database.stats().feed.watchers === 1);
  reader.stop();
  await eventually(() => server.stats().streams === 0 && database.stats().feed.watchers === 0);
});
