import { VarveError } from "varve-client";
import { expect, test } from "vitest";
import { frameOf, LIMITS, WELCOME } from "./fake-server.ts";
import { bytes, connected, expectFailure } from "./support.ts";

test("every call sends its request and resolves to its answer", async () => {
  await using pair = await connected();
  const { client, peer } = pair;

  const put = client.put("k", "v", { durability: "interval" });
  const putRequest = await peer.take("PUT");
  expect(putRequest).toMatchObject({ durability: "interval", key: bytes("k"), value: bytes("v") });
  const deletion = client.delete(bytes("k"));
  const deleteRequest = await peer.take("DELETE");
  expect(deleteRequest).toMatchObject({ durability: undefined, key: bytes("k") });
  peer.answer(deleteRequest.id, { kind: "COMMITTED", version: 8 });
  peer.answer(putRequest.id, { kind: "COMMITTED", version: 7 });
  expect(await put).toEqual({ version: 7 });
  expect(await deletion).toEqual({ version: 8 });

  const operations = [
    { type: "put", key: "a", value: bytes("1") },
    { type: "delete", key: "b" },
  ] as const;
  const batch = client.batch(operations, { durability: "none" });
  const batchRequest = await peer.take("BATCH");
  expect(batchRequest).toMatchObject({
    durability: "none",
    operations: [
      { type: "put", key: bytes("a"), value: bytes("1") },
      { type: "delete", key: bytes("b") },
    ],
  });
  peer.answer(batchRequest.id, { kind: "COMMITTED", version: 2 ** 53 - 1 });
  expect(await batch).toEqual({ version: 2 ** 53 - 1 });

  const gets = [client.get("x"), client.get("y"), client.get("z")];
  const [x, y, z] = [await peer.take("GET"), await peer.take("GET"), await peer.take("GET")];
  peer.answer(z.id, { kind: "ABSENT" });
  peer.answer(x.id, { kind: "VALUE", value: bytes("") });
  peer.answer(y.id, { kind: "VALUE", value: bytes("why") });
  expect(await Promise.all(gets)).toEqual([bytes(""), bytes("why"), undefined]);

  const many = client.getMany(["a", bytes("b"), "c"]);
  const manyRequest = await peer.take("GET_MANY");
  expect(manyRequest.keys).toEqual([bytes("a"), bytes("b"), bytes("c")]);
  const values = [bytes("1"), undefined, bytes("")];
  peer.answer(manyRequest.id, { kind: "VALUES", values });
  expect(await many).toEqual(values);

  const ping = client.ping();
  peer.answer((await peer.take("PING")).id, { kind: "PONG" });
  expect(await ping).toBeUndefined();

  const stats = client.stats();
  peer.answer((await peer.take("STATS")).id, { kind: "RESULT", result: { keys: 3 } });
  expect(await stats).toEqual({ keys: 3 });

  const flush = client.flush();
  peer.answer((await peer.take("FLUSH")).id, { kind: "RESULT", result: null });
  expect(await flush).toBeUndefined();

  const verify = client.verify();
  const report = { tables: 1, tableBytes: 10, entries: 2, problems: [] };
  peer.answer((await peer.take("VERIFY")).id, { kind: "RESULT", result: report });
  expect(await verify).toEqual(report);

  const compact = client.compact({ gte: "a" });
  const compactRequest = await peer.take("COMPACT");
  expect(compactRequest.range).toEqual({ gte: bytes("a") });
  peer.answer(compactRequest.id, { kind: "RESULT", result: null });
  expect(await compact).toBeUndefined();
});

test("calls of one tick leave in one write, in order", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const before = peer.chunks;
  const gets = Array.from({ length: 50 }, (_, i) => client.get(`key ${i}`));
  for (let i = 0; i < 50; i++) {
    const request = await peer.take("GET");
    expect(request.key).toEqual(bytes(`key ${i}`));
    peer.answer(request.id, { kind: "ABSENT" });
  }
  await Promise.all(gets);
  expect(peer.chunks - before).toBe(1);
});

test("answers that come in pieces and all at once are told apart", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const gets = Array.from({ length: 20 }, (_, i) => client.get(`${i}`));
  const frames: Uint8Array[] = [];
  for (let i = 0; i < 20; i++) {
    const { id, key } = await peer.take("GET");
    frames.unshift(frameOf(id, { kind: "VALUE", value: key }));
  }
  const all = Buffer.concat(frames);
  const write = (part: Uint8Array) => new Promise((resolve) => peer.socket.write(part, resolve));
  for (let at = 0; at < all.length; at += 7) await write(all.subarray(at, at + 7));
  expect(await Promise.all(gets)).toEqual(Array.from({ length: 20 }, (_, i) => bytes(`${i}`)));
});

test("values are the caller's to change", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const gets = [client.get("a"), client.get("b")];
  const large = new Uint8Array(100_000).fill(9);
  peer.answer((await peer.take("GET")).id, { kind: "VALUE", value: bytes("one") });
  peer.answer((await peer.take("GET")).id, { kind: "VALUE", value: large });
  const [one, two] = await Promise.all(gets);
  one?.fill(0);
  expect(two).toEqual(large);
});

test("arguments may be changed as soon as the call has returned", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const key = bytes("key");
  const put = client.put(key, key);
  key.fill(0);
  const request = await peer.take("PUT");
  expect([request.key, request.value]).toEqual([bytes("key"), bytes("key")]);
  peer.answer(request.id, { kind: "COMMITTED", version: 1 });
  await put;
});

test("the server's errors come out as they were sent", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const put = client.put("k", "v");
  const error = new VarveError("OVERLOADED", "later", { retryAfterMs: 12 });
  peer.answer((await peer.take("PUT")).id, { kind: "ERROR", error });
  await expectFailure(put, {
    code: "OVERLOADED",
    message: "later",
    retryAfterMs: 12,
    retryable: true,
    maybeApplied: false,
  });
});

test("wrong arguments are refused with the engine's codes, and nothing is sent", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const wrong = (value: unknown) => value as never;
  const long = "k".repeat(LIMITS.keyBytesMax + 1);
  const operation = { type: "put", key: "k", value: "x".repeat(500) } as const;
  await expectFailure(client.get(""), { code: "KEY_EMPTY" });
  await expectFailure(client.get(wrong(undefined)), { code: "INVALID_ARGUMENT" });
  await expectFailure(client.get(long), { code: "KEY_TOO_LARGE" });
  await expectFailure(client.get("é".repeat(9)), { code: "KEY_TOO_LARGE" });
  await expectFailure(client.get("k", { timeoutMs: -1 }), { code: "INVALID_ARGUMENT" });
  await expectFailure(client.get("k", { signal: wrong({}) }), { code: "INVALID_ARGUMENT" });
  await expectFailure(client.delete(new Uint8Array(0)), { code: "KEY_EMPTY" });
  await expectFailure(client.put(long, "v"), { code: "KEY_TOO_LARGE" });
  await expectFailure(client.put("k", wrong(7)), { code: "INVALID_ARGUMENT" });
  await expectFailure(client.put("k", new Uint8Array(LIMITS.valueBytesMax + 1)), {
    code: "VALUE_TOO_LARGE",
  });
  await expectFailure(client.put("k", "v", { durability: wrong("sometimes") }), {
    code: "INVALID_ARGUMENT",
  });
  await expectFailure(client.getMany(wrong("k")), { code: "INVALID_ARGUMENT" });
  await expectFailure(client.getMany(wrong(undefined)), { code: "INVALID_ARGUMENT" });
  await expectFailure(client.getMany(["k", ""]), { code: "KEY_EMPTY" });
  await expectFailure(client.getMany(new Array(11).fill("k")), { code: "BATCH_TOO_LARGE" });
  await expectFailure(client.batch(wrong({})), { code: "INVALID_ARGUMENT" });
  await expectFailure(client.batch([wrong({ type: "merge", key: "k" })]), {
    code: "INVALID_ARGUMENT",
  });
  await expectFailure(client.batch([wrong(null)]), { code: "INVALID_ARGUMENT" });
  await expectFailure(client.batch([operation, operation]), { code: "BATCH_TOO_LARGE" });
  await expectFailure(client.batch(new Array(11).fill({ type: "delete", key: "k" })), {
    code: "BATCH_TOO_LARGE",
  });
  await expectFailure(client.compact({ gte: wrong(1) }), { code: "INVALID_ARGUMENT" });

  const ping = client.ping();
  peer.answer((await peer.take("PING")).id, { kind: "PONG" });
  await ping;
});

test("a request longer than the server's frames is refused here, and the connection goes on", async () => {
  const limits = { ...LIMITS, frameBytesMax: 100 };
  await using pair = await connected({}, { ...WELCOME, limits });
  const { client, peer } = pair;
  const operation = { type: "put", key: "k", value: "x".repeat(100) } as const;
  await expectFailure(client.put("k", "x".repeat(100)), { code: "INVALID_ARGUMENT" });
  await expectFailure(client.batch([operation]), { code: "BATCH_TOO_LARGE" });
  const ping = client.ping();
  peer.answer((await peer.take("PING")).id, { kind: "PONG" });
  await ping;
});
