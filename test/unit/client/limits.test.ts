import { expect, test } from "vitest";
import { LIMITS, WELCOME } from "./fake-server.ts";
import { bytes, connected, expectFailure } from "./support.ts";

test.each([
  ["the client's", { requestsInFlightMax: 3 }, 100],
  ["the server's", {}, 3],
])(
  "no more requests are in flight than %s limit, and the rest follow in order",
  async (_, options, max) => {
    const limits = { ...LIMITS, requestsInFlightMax: max };
    await using pair = await connected(options, { ...WELCOME, limits });
    const { client, peer } = pair;
    const gets = Array.from({ length: 10 }, (_, i) => client.get(`${i}`));
    for (let i = 0; i < 10; i++) {
      const request = await peer.take("GET");
      expect(request.key).toEqual(bytes(`${i}`));
      expect(peer.untaken.length).toBeLessThan(3);
      peer.answer(request.id, { kind: "VALUE", value: request.key });
    }
    expect(await Promise.all(gets)).toEqual(Array.from({ length: 10 }, (_, i) => bytes(`${i}`)));
  },
);

test("a server that does not read slows the client, whose queue is bounded", async () => {
  const valueBytes = 2 ** 19;
  await using pair = await connected({ queueBytesMax: 4 * valueBytes, requestsInFlightMax: 1000 });
  const { client, peer } = pair;
  peer.socket.pause();
  const value = new Uint8Array(valueBytes);
  const puts: Promise<unknown>[] = [];
  let refused: Promise<unknown> | undefined;
  // Sooner or later the operating system's buffers are full, then the client's own queue.
  for (let i = 0; i < 90 && refused === undefined; i++) {
    const put = client.put(`${i}`, value);
    const outcome = await Promise.race([
      put.catch(() => "refused"),
      new Promise((resolve) => setImmediate(resolve, "waits")),
    ]);
    if (outcome === "refused") refused = put;
    else puts.push(put);
  }
  await expectFailure(refused ?? Promise.resolve(), {
    code: "OVERLOADED",
    retryable: true,
    maybeApplied: false,
    retryAfterMs: 50,
  });
  peer.socket.resume();
  for (let i = 0; i < puts.length; i++) {
    const request = await peer.take("PUT");
    expect(request.key).toEqual(bytes(`${i}`));
    expect(request.value.length).toBe(valueBytes);
    peer.answer(request.id, { kind: "COMMITTED", version: i + 1 });
  }
  expect(await Promise.all(puts)).toHaveLength(puts.length);
});

test("a scan's credit passes calls that wait for room", async () => {
  const entry = [bytes("k"), bytes("v")] as [Uint8Array, Uint8Array];
  await using pair = await connected({ requestsInFlightMax: 1, scanCreditBytes: 10 });
  const { client, peer } = pair;
  const scan = client.scan();
  const get = client.get("waits");
  const { id } = await peer.take("SCAN");
  peer.answer(id, { kind: "SCAN_DATA", entries: [entry] });
  expect(await scan.next()).toEqual({ done: false, value: entry });
  expect((await peer.take("SCAN_CREDIT")).id).toBe(id);
  peer.answer(id, { kind: "SCAN_END", count: 1 });
  peer.answer((await peer.take("GET")).id, { kind: "ABSENT" });
  expect(await get).toBeUndefined();
});
