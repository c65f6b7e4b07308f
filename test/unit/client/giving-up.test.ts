import { expect, onTestFinished, test, vi } from "vitest";
import type { Peer } from "./fake-server.ts";
import { bytes, connected, expectFailure } from "./support.ts";

async function expectPing(client: { ping(): Promise<void> }, peer: Peer): Promise<void> {
  const ping = client.ping();
  peer.answer((await peer.take("PING")).id, { kind: "PONG" });
  await ping;
}

test("an aborted call fails at once, tells the server, and ignores its late answer", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const controller = new AbortController();
  const { signal } = controller;
  const [put, get] = [client.put("a", "1", { signal }), client.get("a", { signal })];
  const [putRequest, getRequest] = [await peer.take("PUT"), await peer.take("GET")];
  controller.abort(new Error("enough"));
  const error = await expectFailure(put, { code: "ABORTED", maybeApplied: true });
  expect(error.cause).toEqual(new Error("enough"));
  await expectFailure(get, { code: "ABORTED", maybeApplied: false });
  expect((await peer.take("CANCEL")).id).toBe(putRequest.id);
  expect((await peer.take("CANCEL")).id).toBe(getRequest.id);

  const other = client.get("b");
  const otherRequest = await peer.take("GET");
  expect([putRequest.id, getRequest.id]).not.toContain(otherRequest.id);
  peer.answer(getRequest.id, { kind: "VALUE", value: bytes("late") });
  peer.answer(putRequest.id, { kind: "COMMITTED", version: 1 });
  peer.answer(otherRequest.id, { kind: "VALUE", value: bytes("mine") });
  expect(await other).toEqual(bytes("mine"));
});

test("a call that is aborted before it was sent never leaves", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const controller = new AbortController();
  const first = client.get("first");
  const aborted = client.put("a", "1", { signal: controller.signal });
  const second = client.get("second");
  controller.abort();
  await expectFailure(aborted, { code: "ABORTED", maybeApplied: false });
  await expectFailure(client.get("b", { signal: AbortSignal.abort() }), { code: "ABORTED" });
  for (const key of ["first", "second"]) {
    const request = await peer.take("GET");
    expect(request.key).toEqual(bytes(key));
    peer.answer(request.id, { kind: "ABSENT" });
  }
  await Promise.all([first, second]);
  await expectPing(client, peer);
});

test("a call that waits for room can be aborted, too", async () => {
  await using pair = await connected({ requestsInFlightMax: 1 });
  const { client, peer } = pair;
  const controller = new AbortController();
  const first = client.get("first");
  const request = await peer.take("GET");
  const aborted = client.put("a", "1", { signal: controller.signal });
  const ping = client.ping();
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  await expectFailure(aborted, { code: "ABORTED", maybeApplied: false });
  peer.answer(request.id, { kind: "ABSENT" });
  peer.answer((await peer.take("PING")).id, { kind: "PONG" });
  await Promise.all([first, ping]);
});

test("a signal that fires after the answer changes nothing", async () => {
  await using pair = await connected();
  const { client, peer } = pair;
  const controller = new AbortController();
  const get = client.get("a", { signal: controller.signal });
  peer.answer((await peer.take("GET")).id, { kind: "ABSENT" });
  expect(await get).toBeUndefined();
  controller.abort();
  await expectPing(client, peer);
});

test("a call fails with TIMEOUT after its own time limit or the connection's", async () => {
  await using pair = await connected({ timeoutMs: 3000 });
  const { client, peer } = pair;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const put = client.put("a", "1", { timeoutMs: 500 });
  const get = client.get("a");
  const [putRequest, getRequest] = [await peer.take("PUT"), await peer.take("GET")];
  vi.advanceTimersByTime(500);
  await expectFailure(put, { code: "TIMEOUT", maybeApplied: true });
  expect((await peer.take("CANCEL")).id).toBe(putRequest.id);
  vi.advanceTimersByTime(2500);
  await expectFailure(get, { code: "TIMEOUT", maybeApplied: false });
  expect((await peer.take("CANCEL")).id).toBe(getRequest.id);
  peer.answer(putRequest.id, { kind: "COMMITTED", version: 1 });
  peer.answer(getRequest.id, { kind: "ABSENT" });
  await expectPing(client, peer);
});
