import { type Entry, VarveError } from "varve-client";
import { scanEntryBytes } from "varve-protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { bytes, connected, expectFailure, expectThrow } from "./support.ts";

const entry = (number: number): Entry => [bytes(`key ${number}`), bytes(`value ${number}`)];
const entries = (start: number, end: number): Entry[] =>
  Array.from({ length: end - start }, (_, i) => entry(start + i));
/** The body of a SCAN_DATA frame with these entries. */
const bodyBytes = (page: readonly Entry[]): number =>
  page.reduce((sum, [key, value]) => sum + scanEntryBytes(key, value), 4);

test("a scan sends its bounds and iterates over what the server sends", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const seen: Entry[] = [];
  const reading = (async () => {
    const bounds = { gte: "a", lt: bytes("z"), prefix: "k", limit: 5, reverse: true };
    for await (const got of client.scan(bounds)) seen.push(got);
  })();
  const request = await peer.take("SCAN");
  expect(request.credit).toBe(256 * 1024);
  expect(request.options).toEqual({
    gte: bytes("a"),
    lt: bytes("z"),
    prefix: bytes("k"),
    limit: 5,
    reverse: true,
    keysOnly: false,
  });
  peer.answer(request.id, { kind: "SCAN_DATA", entries: entries(0, 3) });
  peer.answer(request.id, { kind: "SCAN_DATA", entries: [] });
  peer.answer(request.id, { kind: "SCAN_DATA", entries: entries(3, 5) });
  peer.answer(request.id, { kind: "SCAN_END", count: 5 });
  await reading;
  expect(seen).toEqual(entries(0, 5));
});

test("credit is granted again as entries are read, not as they come", async () => {
  const page = entries(0, 4);
  await using pair = await connected({ scanCreditBytes: 2 * bodyBytes(page) });
  const { client, peer } = pair;
  const scan = client.scan();
  const { id, credit } = await peer.take("SCAN");
  expect(credit).toBe(2 * bodyBytes(page));
  peer.answer(id, { kind: "SCAN_DATA", entries: page });
  peer.answer(id, { kind: "SCAN_DATA", entries: page });
  expect(await scan.nextMany(3)).toEqual(page.slice(0, 3));
  const ping = client.ping();
  peer.answer((await peer.take("PING")).id, { kind: "PONG" });
  await ping;
  expect(await scan.next()).toEqual({ done: false, value: page[3] });
  expect(await peer.take("SCAN_CREDIT")).toMatchObject({ id, credit: bodyBytes(page) });
  const rest = scan.nextMany(100);
  expect(await peer.take("SCAN_CREDIT")).toMatchObject({ id, credit: bodyBytes(page) });
  peer.answer(id, { kind: "SCAN_DATA", entries: page });
  peer.answer(id, { kind: "SCAN_END", count: 12 });
  expect(await rest).toEqual([...page, ...page]);
  expect(await scan.nextMany(1)).toEqual([]);
  expect(await scan.next()).toEqual({ done: true, value: undefined });
});

test("calls of next that overlap are answered in order", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const scan = client.scan();
  const calls = [scan.next(), scan.nextMany(2), scan.next(), scan.nextMany(2), scan.next()];
  const { id } = await peer.take("SCAN");
  peer.answer(id, { kind: "SCAN_DATA", entries: entries(0, 2) });
  peer.answer(id, { kind: "SCAN_DATA", entries: entries(2, 5) });
  peer.answer(id, { kind: "SCAN_END", count: 5 });
  expect(await Promise.all(calls)).toEqual([
    { done: false, value: entry(0) },
    entries(1, 3),
    { done: false, value: entry(3) },
    entries(4, 5),
    { done: true, value: undefined },
  ]);
});

test("leaving a scan early cancels it, and what is still on its way is ignored", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const reading = (async () => {
    for await (const [key] of client.scan()) return key;
    return undefined;
  })();
  const { id } = await peer.take("SCAN");
  peer.answer(id, { kind: "SCAN_DATA", entries: entries(0, 2) });
  expect(await reading).toEqual(bytes("key 0"));
  expect((await peer.take("CANCEL")).id).toBe(id);
  peer.answer(id, { kind: "SCAN_DATA", entries: entries(2, 4) });
  peer.answer(id, { kind: "ERROR", error: new VarveError("ABORTED", "as you wish") });
  const ping = client.ping();
  peer.answer((await peer.take("PING")).id, { kind: "PONG" });
  await ping;
});

test("return ends calls that wait, and returning twice is fine", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const scan = client.scan();
  const [next, many] = [scan.next(), scan.nextMany(2)];
  await peer.take("SCAN");
  await scan.return();
  await scan[Symbol.asyncDispose]();
  expect(await next).toEqual({ done: true, value: undefined });
  expect(await many).toEqual([]);
  await peer.take("CANCEL");
  expect(peer.untaken).toEqual([]);
});

test("an error in the middle surfaces after the entries before it, once", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const scan = client.scan();
  const { id } = await peer.take("SCAN");
  peer.answer(id, { kind: "SCAN_DATA", entries: entries(0, 3) });
  peer.answer(id, { kind: "ERROR", error: new VarveError("CORRUPTION", "block 7") });
  expect(await scan.nextMany(2)).toEqual(entries(0, 2));
  expect(await scan.nextMany(2)).toEqual(entries(2, 3));
  await expectFailure(scan.next(), { code: "CORRUPTION", message: "block 7" });
  expect(await scan.next()).toEqual({ done: true, value: undefined });
});

test("several scans and gets share the connection", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const scans = [client.scan({ gte: "a" }), client.scan({ gte: "b" })] as const;
  const get = client.get("c");
  const [a, b] = [await peer.take("SCAN"), await peer.take("SCAN")];
  peer.answer(b.id, { kind: "SCAN_DATA", entries: entries(10, 12) });
  peer.answer((await peer.take("GET")).id, { kind: "VALUE", value: bytes("c") });
  peer.answer(a.id, { kind: "SCAN_DATA", entries: entries(0, 2) });
  peer.answer(b.id, { kind: "SCAN_END", count: 2 });
  peer.answer(a.id, { kind: "SCAN_END", count: 2 });
  expect(await get).toEqual(bytes("c"));
  expect(await scans[0].nextMany(5)).toEqual(entries(0, 2));
  expect(await scans[1].nextMany(5)).toEqual(entries(10, 12));
});

test("an aborted scan fails at once and drops what it holds", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const controller = new AbortController();
  const scan = client.scan({ signal: controller.signal });
  const { id } = await peer.take("SCAN");
  peer.answer(id, { kind: "SCAN_DATA", entries: entries(0, 3) });
  expect(await scan.next()).toEqual({ done: false, value: entry(0) });
  controller.abort();
  await expectFailure(scan.next(), { code: "ABORTED", maybeApplied: false });
  expect((await peer.take("CANCEL")).id).toBe(id);
});

test("a scan's time limit runs while its reader waits for the server", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const scan = client.scan({ timeoutMs: 1000 });
  const { id } = await peer.take("SCAN");
  peer.answer(id, { kind: "SCAN_DATA", entries: entries(0, 1) });
  expect(await scan.next()).toEqual({ done: false, value: entry(0) });
  vi.advanceTimersByTime(5000);
  const second = scan.next();
  vi.advanceTimersByTime(999);
  peer.answer(id, { kind: "SCAN_DATA", entries: entries(1, 2) });
  expect(await second).toEqual({ done: false, value: entry(1) });
  const third = scan.next();
  vi.advanceTimersByTime(1000);
  await expectFailure(third, { code: "TIMEOUT" });
  expect((await peer.take("CANCEL")).id).toBe(id);
});

test("a scan whose end counts other entries than came loses the connection", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const scan = client.scan();
  const { id } = await peer.take("SCAN");
  peer.answer(id, { kind: "SCAN_DATA", entries: entries(0, 1) });
  peer.answer(id, { kind: "SCAN_END", count: 2 });
  expect(await scan.nextMany(5)).toEqual(entries(0, 1));
  await expectFailure(scan.next(), { code: "CONNECTION_LOST" });
});

test("entries are the caller's to change", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const scan = client.scan();
  const { id } = await peer.take("SCAN");
  peer.answer(id, { kind: "SCAN_DATA", entries: entries(0, 2) });
  const [[key, value]] = (await scan.nextMany(1)) as [Entry];
  key.fill(0);
  value.fill(0);
  expect(await scan.nextMany(1)).toEqual([entry(1)]);
});

test("wrong arguments are thrown at once", async () => {
  await using pair = await connected();
  const { client } = pair;
  const wrong = (value: unknown) => value as never;
  expectThrow(() => client.scan(wrong(null)), { code: "INVALID_ARGUMENT" });
  expectThrow(() => client.scan({ gte: wrong(1) }), { code: "INVALID_ARGUMENT" });
  expectThrow(() => client.scan({ gte: "k".repeat(17) }), { code: "KEY_TOO_LARGE" });
  expectThrow(() => client.scan({ limit: -1 }), { code: "INVALID_ARGUMENT" });
  expectThrow(() => client.scan({ reverse: wrong("yes") }), { code: "INVALID_ARGUMENT" });
  expectThrow(() => client.scan({ timeoutMs: 0 }), { code: "INVALID_ARGUMENT" });
  const scan = client.scan();
  await expectFailure(scan.nextMany(0), { code: "INVALID_ARGUMENT" });
});
