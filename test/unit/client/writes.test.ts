/** Conditions, expiries, merges and increments: what is sent, what comes back, and what is refused here. */
import type { VarveClient } from "varve-client";
import { encodeCounter, type Request, VarveError } from "varve-protocol";
import { expect, test } from "vitest";
import { LIMITS } from "./fake-server.ts";
import { bytes, connected, expectFailure, type Pair } from "./support.ts";

/** What a program may pass where no type checker looks. */
const wrong = (value: unknown) => value as never;

/** The one request that a call sends, without its id; the call is answered as committed. */
async function sent(pair: Pair, kind: Request["kind"], call: Promise<unknown>): Promise<unknown> {
  const { id, ...request } = await pair.peer.take(kind);
  pair.peer.answer(id, { kind: "COMMITTED", version: 7 });
  expect(await call).toEqual({ version: 7 });
  return request;
}

test("a condition on the key itself and one in a list are the same", async () => {
  await using pair = await connected();
  const { client } = pair;
  const alone = await sent(pair, "PUT", client.put("k", "v", { if: { absent: true } }));
  const list = [{ key: "k", absent: true } as const];
  expect(await sent(pair, "PUT", client.put("k", "v", { if: list }))).toEqual(alone);
  expect(alone).toEqual({
    kind: "PUT",
    key: bytes("k"),
    value: bytes("v"),
    conditions: [{ key: bytes("k"), absent: true }],
  });
});

test("conditions go with put, delete and batch, on any keys", async () => {
  await using pair = await connected();
  const { client } = pair;
  const options = {
    durability: "none" as const,
    if: [
      { key: "a", present: true },
      { key: bytes("b"), sequence: 2 ** 53 - 1 },
    ] as const,
  };
  const conditions = [
    { key: bytes("a"), present: true },
    { key: bytes("b"), sequence: 2 ** 53 - 1 },
  ];
  const put = await sent(pair, "PUT", client.put("k", "v", options));
  expect(put).toMatchObject({ durability: "none", conditions });
  const remove = await sent(pair, "DELETE", client.delete("k", options));
  expect(remove).toMatchObject({ durability: "none", conditions });
  const batch = await sent(pair, "BATCH", client.batch([{ type: "delete", key: "k" }], options));
  expect(batch).toMatchObject({ durability: "none", conditions });
});

test("expiries go with put, batch and expire", async () => {
  await using pair = await connected();
  const { client } = pair;
  const ttl = await sent(pair, "PUT", client.put("k", "v", { ttlMs: 5, if: { sequence: 0 } }));
  expect(ttl).toMatchObject({
    expiry: { ttlMs: 5 },
    conditions: [{ key: bytes("k"), sequence: 0 }],
  });
  const at = await sent(pair, "PUT", client.put("k", "v", { expiresAt: 2 ** 43 - 1 }));
  expect(at).toMatchObject({ expiry: { expiresAt: 2 ** 43 - 1 }, conditions: undefined });
  const operations = [
    { type: "put", key: "a", value: "", ttlMs: 1 },
    { type: "put", key: "b", value: "", expiresAt: 0 },
    { type: "put", key: "c", value: "" },
  ] as const;
  expect(await sent(pair, "BATCH", client.batch(operations))).toMatchObject({
    operations: operations.map(({ key, value, ...more }) => ({
      key: bytes(key),
      value: bytes(value),
      ...more,
    })),
  });
  const expire = await sent(pair, "EXPIRE", client.expire("k", { ttlMs: 1 }));
  expect(expire).toEqual({ kind: "EXPIRE", key: bytes("k"), expiry: { ttlMs: 1 } });
  const persist = await sent(pair, "EXPIRE", client.persist("k", { durability: "always" }));
  expect(persist).toEqual({ kind: "EXPIRE", key: bytes("k"), durability: "always" });
});

test("operands of counters are sent as 8 bytes, whatever they are given as", async () => {
  await using pair = await connected();
  const { client } = pair;
  for (const operand of [-3, -3n, encodeCounter(-3)]) {
    expect(await sent(pair, "MERGE", client.merge("k", "add", operand))).toEqual({
      kind: "MERGE",
      operator: "add",
      key: bytes("k"),
      operand: encodeCounter(-3),
    });
    const operation = { type: "merge", key: "k", operator: "min", operand } as const;
    expect(await sent(pair, "BATCH", client.batch([operation]))).toMatchObject({
      operations: [{ ...operation, key: bytes("k"), operand: encodeCounter(-3) }],
    });
  }
  const append = client.merge("k", "append", "é", { durability: "interval" });
  expect(await sent(pair, "MERGE", append)).toMatchObject({
    operator: "append",
    operand: bytes("é"),
    durability: "interval",
  });
});

test("increment adds 1, or what is given, and resolves to the sum", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const deltas = [undefined, -5, 2n ** 63n - 1n];
  const calls = deltas.map((delta) => client.increment("k", delta));
  for (const delta of [1n, -5n, 2n ** 63n - 1n]) {
    const request = await peer.take("INCREMENT");
    expect(request).toMatchObject({ key: bytes("k"), delta });
    peer.answer(request.id, { kind: "INCREMENTED", version: 9, value: delta });
  }
  expect(await Promise.all(calls)).toEqual([
    { version: 9, value: 1n },
    { version: 9, value: -5n },
    { version: 9, value: 2n ** 63n - 1n },
  ]);
});

test("expire and persist of an absent key resolve to undefined", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const calls = [client.expire("k", { expiresAt: 1 }), client.persist("k")];
  for (const _ of calls) peer.answer((await peer.take("EXPIRE")).id, { kind: "ABSENT" });
  expect(await Promise.all(calls)).toEqual([undefined, undefined]);
});

test("getEntry tells when an entry expires, or that it does not", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const calls = [client.getEntry("k"), client.getEntry("k")];
  const entry = { value: bytes("v"), sequence: 1, revision: 1, createdAt: 2, updatedAt: 3 };
  for (const expiresAt of [4, undefined]) {
    const answer = { kind: "ENTRY", entry: { ...entry, expiresAt } } as const;
    peer.answer((await peer.take("GET_ENTRY")).id, answer);
  }
  expect(await Promise.all(calls)).toStrictEqual([
    { ...entry, expiresAt: 4 },
    { ...entry, expiresAt: undefined },
  ]);
});

test.each([5, undefined])("a failed condition tells its key and sequence %s", async (sequence) => {
  await using pair = await connected();
  const { client, peer } = pair;
  const put = client.put("k", "v", { if: { absent: true } });
  const details = { key: bytes("k"), ...(sequence === undefined ? {} : { sequence }) };
  const error = new VarveError("CONDITION_FAILED", "k is there", details);
  peer.answer((await peer.take("PUT")).id, { kind: "ERROR", error });
  const failure = await expectFailure(put, { code: "CONDITION_FAILED", message: "k is there" });
  expect(failure).toMatchObject({ retryable: false, maybeApplied: false });
  expect(failure.key).toEqual(bytes("k"));
  expect(failure.sequence).toBe(sequence);
});

test.each<[kind: Request["kind"], call: (client: VarveClient) => Promise<unknown>]>([
  ["MERGE", (client) => client.merge("k", "add", 1)],
  ["INCREMENT", (client) => client.increment("k")],
  ["EXPIRE", (client) => client.expire("k", { ttlMs: 1 })],
  ["EXPIRE", (client) => client.persist("k")],
])("%s may have been applied when its connection is lost", async (kind, call) => {
  await using pair = await connected();
  const { client, peer } = pair;
  const lost = call(client);
  await peer.take(kind);
  peer.socket.destroy();
  await expectFailure(lost, { code: "CONNECTION_LOST", maybeApplied: true, retryable: false });
});

test.each<[kind: Request["kind"], call: (client: VarveClient) => Promise<unknown>, answer: string]>(
  [
    ["MERGE", (client) => client.merge("k", "add", 1), "ABSENT"],
    ["MERGE", (client) => client.merge("k", "add", 1), "INCREMENTED"],
    ["INCREMENT", (client) => client.increment("k"), "COMMITTED"],
    ["INCREMENT", (client) => client.increment("k"), "ABSENT"],
    ["EXPIRE", (client) => client.persist("k"), "INCREMENTED"],
    ["PUT", (client) => client.put("k", "v"), "INCREMENTED"],
  ],
)("an answer to %s that does not fit ends the connection", async (kind, call, answer) => {
  await using pair = await connected();
  const { client, peer } = pair;
  const ended = call(client);
  const message = { kind: answer, version: 1, value: 1n };
  peer.answer((await peer.take(kind)).id, wrong(message));
  const error = await expectFailure(ended, { code: "CONNECTION_LOST" });
  expect(error.cause).toMatchObject({ code: "PROTOCOL_ERROR" });
});

const LONG = "k".repeat(LIMITS.keyBytesMax + 1);
const INVALID = "INVALID_ARGUMENT";

test.each<[code: string, call: (client: VarveClient) => Promise<unknown>]>([
  [INVALID, (client) => client.put("k", "v", { if: wrong({}) })],
  [INVALID, (client) => client.put("k", "v", { if: wrong(null) })],
  [INVALID, (client) => client.put("k", "v", { if: wrong("absent") })],
  [INVALID, (client) => client.put("k", "v", { if: wrong({ absent: false }) })],
  [INVALID, (client) => client.put("k", "v", { if: wrong({ present: true, absent: true }) })],
  [INVALID, (client) => client.put("k", "v", { if: wrong({ absent: true, key: "other" }) })],
  [INVALID, (client) => client.put("k", "v", { if: { sequence: -1 } })],
  [INVALID, (client) => client.put("k", "v", { if: { sequence: 2 ** 53 } })],
  [INVALID, (client) => client.delete("k", { if: { sequence: 0.5 } })],
  [INVALID, (client) => client.delete("k", { if: wrong([{ absent: true }]) })],
  ["KEY_EMPTY", (client) => client.delete("k", { if: [{ key: "", absent: true }] })],
  ["KEY_TOO_LARGE", (client) => client.batch([], { if: [{ key: LONG, absent: true }] })],
  [INVALID, (client) => client.batch([], { if: wrong({ absent: true }) })],
  [INVALID, (client) => client.put("k", "v", { ttlMs: 0 })],
  [INVALID, (client) => client.put("k", "v", { ttlMs: 1.5 })],
  [INVALID, (client) => client.put("k", "v", { ttlMs: wrong("1") })],
  [INVALID, (client) => client.put("k", "v", { expiresAt: -1 })],
  [INVALID, (client) => client.put("k", "v", { expiresAt: 2 ** 43 })],
  [INVALID, (client) => client.put("k", "v", { expiresAt: 1, ttlMs: 1 })],
  [INVALID, (client) => client.batch([{ type: "put", key: "k", value: "", ttlMs: 0 }])],
  [INVALID, (client) => client.expire("k", {})],
  [INVALID, (client) => client.expire("k", wrong(undefined))],
  [INVALID, (client) => client.expire("k", { ttlMs: 1, expiresAt: 1 })],
  ["KEY_EMPTY", (client) => client.expire("", { ttlMs: 1 })],
  ["KEY_TOO_LARGE", (client) => client.persist(LONG)],
  [INVALID, (client) => client.persist("k", { durability: wrong("never") })],
  [INVALID, (client) => client.merge("k", wrong("multiply"), 1)],
  [INVALID, (client) => client.merge("k", wrong(undefined), 1)],
  [INVALID, (client) => client.merge("k", "add", 0.5)],
  [INVALID, (client) => client.merge("k", "add", 2 ** 53)],
  [INVALID, (client) => client.merge("k", "max", 2n ** 63n)],
  [INVALID, (client) => client.merge("k", "min", "1")],
  [INVALID, (client) => client.merge("k", "min", new Uint8Array(7))],
  [INVALID, (client) => client.merge("k", "append", 1)],
  [
    "VALUE_TOO_LARGE",
    (client) => client.merge("k", "append", new Uint8Array(LIMITS.valueBytesMax + 1)),
  ],
  ["KEY_EMPTY", (client) => client.merge("", "add", 1)],
  [
    INVALID,
    (client) => client.batch([{ type: "merge", key: "k", operator: "add", operand: wrong(null) }]),
  ],
  [
    "BATCH_TOO_LARGE",
    (client) =>
      client.batch(
        new Array(3).fill({
          type: "merge",
          key: "k",
          operator: "append",
          operand: bytes("x".repeat(400)),
        }),
      ),
  ],
  [INVALID, (client) => client.increment("k", 0.5)],
  [INVALID, (client) => client.increment("k", -(2n ** 63n) - 1n)],
  [INVALID, (client) => client.increment("k", wrong("1"))],
  ["KEY_EMPTY", (client) => client.increment("")],
])("%s, and nothing is sent: %s", async (code, call) => {
  await using pair = await connected();
  const { client, peer } = pair;
  await expectFailure(call(client), { code: code as VarveError["code"] });
  const ping = client.ping();
  peer.answer((await peer.take("PING")).id, { kind: "PONG" });
  await ping;
});
