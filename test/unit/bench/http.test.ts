/** What the HTTP suite asks for is the same for every side, and covers what it says it does. */
import { expect, test } from "vitest";
import { isoTime } from "../../../bench/http/postgres-store.ts";
import { type Data, deal, loadRequests, requestsOf } from "../../../bench/http/requests.ts";
import { BARE, KINDS, MANY, POSTGRES, TASKS } from "../../../bench/http/tasks.ts";
import { ticksIn } from "../../../bench/support/processor-time.ts";

const data: Data = { entries: 1000, valueBytes: 100, different: 400 };

interface Item {
  readonly key: string;
  readonly value: string;
}

function itemsOf({ body = "" }: { readonly body?: string }): Item[] {
  return (JSON.parse(body) as { items: Item[] }).items;
}

const loaded = [...loadRequests(data, 300)].flatMap(itemsOf);
const keys = new Set(loaded.map(({ key }) => key));

test("a load writes every entry once, in batches of at most the size, with values of the length", () => {
  expect([...loadRequests(data, 300)].map((batch) => itemsOf(batch).length)).toEqual([
    300, 300, 300, 100,
  ]);
  expect(keys.size).toBe(data.entries);
  expect(loaded.every(({ value }) => value.length === data.valueBytes)).toBe(true);
});

test.each(KINDS)(
  "requests of the kind %s are the same each time, and differ from one another",
  (kind) => {
    const requests = requestsOf(kind, data);
    expect(requests).toEqual(requestsOf(kind, data));
    const kinds = new Set(requests.map(({ path, body }) => `${path} ${body}`));
    expect(kinds.size).toBeGreaterThan(0.8 * requests.length);
  },
);

test("GET and PUT ask for keys that were loaded, all over them", () => {
  for (const kind of ["GET", "PUT"] as const) {
    const asked = requestsOf(kind, data).map(({ path }) => path.split("/").at(-2) ?? "");
    expect(asked).toHaveLength(data.different);
    expect(asked.every((key) => keys.has(key))).toBe(true);
    expect(new Set(asked).size).toBeGreaterThan(data.different / 2);
  }
});

test("a range spans exactly a hundred of the loaded entries", () => {
  for (const { path } of requestsOf("range", data)) {
    const query = new URL(path, "http://host").searchParams;
    const [start, end] = [query.get("start") ?? "", query.get("end") ?? ""];
    const inside = [...keys].filter((key) => key >= start && key <= end);
    expect(inside).toHaveLength(MANY);
    expect(query.get("limit")).toBe(String(MANY));
  }
});

test("a batch has a hundred different keys of those that were loaded", () => {
  for (const request of requestsOf("batch", data)) {
    const items = itemsOf(request);
    expect(new Set(items.map(({ key }) => key)).size).toBe(MANY);
    expect(items.every(({ key }) => keys.has(key))).toBe(true);
  }
});

test("each connection is dealt as many requests, all are dealt, and no connection is left without", () => {
  expect(deal([1, 2, 3, 4, 5, 6], 3)).toEqual([
    [1, 4],
    [2, 5],
    [3, 6],
  ]);
  expect(deal([1, 2, 3], 2)).toEqual([
    [1, 3],
    [2, 1],
  ]);
  expect(deal([1, 2], 5)).toEqual([[1], [2], [1], [2], [1]]);
});

test("every kind of request runs at 10, 50 and 200 connections", () => {
  expect(TASKS.map(({ kind, connections }) => `${kind} ${connections}`)).toEqual(
    KINDS.flatMap((kind) => [10, 50, 200].map((connections) => `${kind} ${connections}`)),
  );
});

test("the targets are those of 50 connections: of GET against both, of PUT against the store alone", () => {
  const limits = TASKS.flatMap(({ name, limits: of }) =>
    Object.entries(of).map(([peer, limit]) => [name, peer, limit]),
  );
  expect(limits).toEqual([
    ["GET, 50 connections", BARE, { atLeast: 0.6 }],
    ["GET, 50 connections", POSTGRES, { atLeast: 2.5 }],
    ["durable PUT, 50 connections", POSTGRES, { atLeast: 3 }],
  ]);
});

test.each([
  ["2026-01-31 12:00:00+00", "2026-01-31T12:00:00.000Z"],
  ["2026-01-31 12:00:00.5+00", "2026-01-31T12:00:00.500Z"],
  ["2026-01-31 12:00:00.123+00", "2026-01-31T12:00:00.123Z"],
])("PostgreSQL’s time %s is %s", (text, iso) => {
  expect(isoTime(text)).toBe(iso);
});

test("a process’ ticks are its own and those of its ended children, whatever its name is", () => {
  const stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 90 80 0 0 1000 200 30 4 20 0 1 0 55 1 2";
  expect(ticksIn(stat)).toBe(1234);
});
