/** What the server asks of its store for each write, and what it makes of what the store says. */
import { encodeCounter, encodeRequest, type Request } from "varve-protocol";
import { expect, test } from "vitest";
import { VarveError } from "../../../src/errors.ts";
import type { ServedStore } from "../../../src/server/served-store.ts";
import { RawClient } from "../../support/raw-client.ts";
import { changed, startTestServer } from "../../support/test-server.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const key = bytes("k");
const durability = undefined;

/** The answer to one request, from a server over a store of which some methods are replaced. */
async function answerTo(
  request: Request,
  changes: Partial<ServedStore>,
  frameBytesMax?: number,
): Promise<unknown> {
  const { port } = await startTestServer({}, (database) => changed(database, changes));
  const client = await RawClient.greeted(port, frameBytesMax);
  client.send((writer) => encodeRequest(writer, 1, request));
  await client.until(() => client.answers.length === 1);
  client.socket.destroy();
  return client.answers[0];
}

/** What the store was called with. */
async function argsOf(method: keyof ServedStore, request: Request): Promise<unknown[]> {
  const calls: unknown[][] = [];
  const stub = async (...args: unknown[]) => {
    calls.push(args);
    return { version: 3, value: -4n };
  };
  const answer = await answerTo(request, { [method]: stub });
  expect(answer).toMatchObject({ version: 3 });
  expect(calls).toHaveLength(1);
  return calls[0]!;
}

test("conditions and expiries are handed to the store as its options", async () => {
  const conditions = [
    { key: bytes("a"), absent: true as const },
    { key: bytes("b"), sequence: 5 },
  ];
  const value = bytes("v");
  const put = { kind: "PUT", key, value, durability } as const;
  expect(await argsOf("put", put)).toStrictEqual([key, value, undefined]);
  const synced = { ...put, durability: "always" } as const;
  expect(await argsOf("put", synced)).toStrictEqual([key, value, { durability: "always" }]);
  expect(await argsOf("put", { ...synced, conditions, expiry: { ttlMs: 7 } })).toStrictEqual([
    key,
    value,
    { durability: "always", if: conditions, ttlMs: 7 },
  ]);
  expect(await argsOf("put", { ...put, expiry: { expiresAt: 8 } })).toStrictEqual([
    key,
    value,
    { expiresAt: 8 },
  ]);
  const remove = { kind: "DELETE", key, durability, conditions } as const;
  expect(await argsOf("delete", remove)).toStrictEqual([key, { if: conditions }]);
  const operations = [
    { type: "put", key, value, ttlMs: 9 } as const,
    { type: "merge", key, operator: "add", operand: encodeCounter(1) } as const,
  ];
  const batch = { kind: "BATCH", durability, operations, conditions } as const;
  expect(await argsOf("batch", batch)).toStrictEqual([operations, { if: conditions }]);
});

test("merges, increments and expiries reach the store, and what they came to the client", async () => {
  const operand = bytes("more");
  const merge = { kind: "MERGE", durability: "none", operator: "append", key, operand } as const;
  expect(await argsOf("merge", merge)).toStrictEqual([
    key,
    "append",
    operand,
    { durability: "none" },
  ]);
  const increment = { kind: "INCREMENT", durability, delta: -(2n ** 63n), key } as const;
  expect(await argsOf("increment", increment)).toStrictEqual([key, -(2n ** 63n), undefined]);
  const incremented = { version: 3, value: -4n };
  expect(await answerTo(increment, { increment: async () => incremented })).toEqual({
    kind: "INCREMENTED",
    requestId: 1,
    ...incremented,
  });
  const expire = { kind: "EXPIRE", durability: "always", key } as const;
  expect(await argsOf("expire", { ...expire, expiry: { ttlMs: 5 } })).toStrictEqual([
    key,
    { ttlMs: 5 },
    { durability: "always" },
  ]);
  expect(await argsOf("persist", expire)).toStrictEqual([key, { durability: "always" }]);
});

test("expire and persist of an absent key are answered by ABSENT", async () => {
  const absent = async () => undefined;
  const expire = { kind: "EXPIRE", durability, key } as const;
  const answer = { kind: "ABSENT", requestId: 1 };
  expect(await answerTo({ ...expire, expiry: { ttlMs: 5 } }, { expire: absent })).toEqual(answer);
  expect(await answerTo(expire, { persist: absent })).toEqual(answer);
});

test("the key of a failed condition is told, unless the client's frames are too small for it", async () => {
  const long = new Uint8Array(10_000).fill(7);
  const put = { kind: "PUT", key, value: key, durability } as const;
  const error = new VarveError("CONDITION_FAILED", "changed", { key: long, sequence: 5 });
  const fails = { put: () => Promise.reject(error) };
  expect(await answerTo(put, fails)).toMatchObject({ error: { key: long, sequence: 5 } });
  const short = (await answerTo(put, fails, 10_000)) as { error: VarveError };
  expect(short.error).toMatchObject({ code: "CONDITION_FAILED", message: "changed" });
  expect(short.error.key).toBeUndefined();
});

test.each<[method: keyof ServedStore, request: Request]>([
  ["merge", { kind: "MERGE", durability, operator: "add", key, operand: encodeCounter(1) }],
  ["increment", { kind: "INCREMENT", durability, delta: 1n, key }],
  ["expire", { kind: "EXPIRE", durability, key, expiry: { ttlMs: 1 } }],
  ["persist", { kind: "EXPIRE", durability, key }],
])("what the store refuses is an error of that request alone: %s", async (method, request) => {
  const refuse = () => Promise.reject(new VarveError("NO_SPACE", "full", { retryable: true }));
  expect(await answerTo(request, { [method]: refuse })).toMatchObject({
    kind: "ERROR",
    requestId: 1,
    error: { code: "NO_SPACE", retryable: true },
  });
});
