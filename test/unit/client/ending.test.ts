import { once } from "node:events";
import { createServer } from "node:net";
import { connect, VarveError } from "varve-client";
import { describe, expect, test } from "vitest";
import { FakeServer, frameOf, WELCOME } from "./fake-server.ts";
import { bytes, connected, expectFailure, expectThrow } from "./support.ts";

describe("connect", () => {
  test("says who it is and learns who the server is", async () => {
    await using server = await FakeServer.silent();
    const connecting = connect(server.url, { name: "tester", frameBytesMax: 5000 });
    const peer = await server.accept();
    expect(await peer.take("HELLO")).toEqual({
      kind: "HELLO",
      id: 0,
      versionMin: 1,
      versionMax: 1,
      features: 0,
      frameBytesMax: 5000,
      clientName: "tester",
    });
    peer.answer(0, { kind: "WELCOME", ...WELCOME });
    const client = await connecting;
    expect(client.server).toEqual(WELCOME);
    await client.close();
  });

  test.each(["http://localhost", "varve://", "localhost:7420", "varve://a/b", "varve://u@a", ""])(
    "refuses the address %j",
    async (url) => {
      await expectFailure(connect(url), { code: "INVALID_ARGUMENT" });
    },
  );

  test.each([{ timeoutMs: 0 }, { requestsInFlightMax: 1.5 }, { reconnect: true }, { name: 3 }])(
    "refuses the options %j",
    async (options) => {
      await expectFailure(connect("varve://localhost", options as never), {
        code: "INVALID_ARGUMENT",
      });
    },
  );

  test("names the address and the cause where nobody listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, "close");
    const error = await expectFailure(connect(`varve://127.0.0.1:${port}`), {
      code: "CONNECTION_FAILED",
      retryable: true,
    });
    expect(error.message).toContain(`127.0.0.1:${port}`);
    expect(error.message).toContain("ECONNREFUSED");
  });

  test("gives up after connectTimeoutMs", async () => {
    await using server = await FakeServer.silent();
    const error = await expectFailure(connect(server.url, { connectTimeoutMs: 20 }), {
      code: "CONNECTION_FAILED",
    });
    expect(error.message).toContain("20 ms");
  });

  test.each([
    ["ends", new Uint8Array(0)],
    ["speaks HTTP", bytes("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["answers something else", frameOf(0, { kind: "PONG" })],
    [
      "chooses a version that was not offered",
      frameOf(0, { kind: "WELCOME", ...WELCOME, version: 2 }),
    ],
  ])("fails where the server %s", async (_, answer) => {
    await using server = await FakeServer.silent();
    const connecting = connect(server.url);
    const peer = await server.accept();
    peer.socket.end(answer);
    await expectFailure(connecting, { code: "CONNECTION_FAILED" });
  });

  test("passes on why the server refuses", async () => {
    await using server = await FakeServer.silent();
    const connecting = connect(server.url);
    const peer = await server.accept();
    const error = new VarveError("UNSUPPORTED_PROTOCOL", "too old");
    peer.socket.end(frameOf(0, { kind: "ERROR", error }));
    await expectFailure(connecting, { code: "UNSUPPORTED_PROTOCOL", message: "too old" });
  });
});

describe("a lost connection", () => {
  test("fails every call, and says maybeApplied exactly for writes that were sent", async () => {
    await using pair = await connected({ requestsInFlightMax: 3 });
    const { client, peer } = pair;
    const sent = { put: client.put("a", "1"), get: client.get("a"), scan: client.scan() };
    const queued = { put: client.put("b", "2"), get: client.get("b") };
    await peer.take("PUT");
    await peer.take("GET");
    await peer.take("SCAN");
    peer.socket.destroy();
    const code = "CONNECTION_LOST";
    await expectFailure(sent.put, { code, maybeApplied: true, retryable: false });
    await expectFailure(sent.get, { code, maybeApplied: false, retryable: true });
    await expectFailure(sent.scan.next(), { code, maybeApplied: false });
    await expectFailure(queued.put, { code, maybeApplied: false, retryable: true });
    await expectFailure(queued.get, { code, maybeApplied: false });
    await expectFailure(client.put("c", "3"), { code, maybeApplied: false });
    await expectFailure(client.ping(), { code });
    expectThrow(() => client.scan(), { code });
    await client.close();
    await expectFailure(client.ping(), { code: "CLOSED" });
  });

  test("in the middle of an answer is a lost connection", async () => {
    await using pair = await connected();
    const { client, peer } = pair;
    const get = client.get("a");
    const { id } = await peer.take("GET");
    peer.socket.end(frameOf(id, { kind: "VALUE", value: bytes("half") }).subarray(0, 12));
    await expectFailure(get, { code: "CONNECTION_LOST" });
  });

  test("has the server's last word as its cause", async () => {
    await using pair = await connected();
    const { client, peer } = pair;
    const get = client.get("a");
    await peer.take("GET");
    const error = new VarveError("SHUTTING_DOWN", "good night");
    peer.socket.end(frameOf(0, { kind: "ERROR", error }));
    const failure = await expectFailure(get, { code: "CONNECTION_LOST" });
    expect(failure.cause).toMatchObject({ code: "SHUTTING_DOWN" });
    expect(failure.message).toContain("good night");
  });

  test.each([
    ["an answer to no request", (id: number) => frameOf(id + 2, { kind: "ABSENT" })],
    ["an answer of another kind", (id: number) => frameOf(id, { kind: "COMMITTED", version: 1 })],
    ["scan data for a get", (id: number) => frameOf(id, { kind: "SCAN_DATA", entries: [] })],
    ["an unknown opcode", () => new Uint8Array([6, 0, 0, 0, 0xfe, 0, 1, 0, 0, 0])],
    ["a frame that is too large", () => new Uint8Array([0, 0, 0, 0xff])],
    ["a second welcome", () => frameOf(0, { kind: "WELCOME", ...WELCOME })],
  ])("follows where the server sends %s", async (_, frame) => {
    await using pair = await connected();
    const { client, peer } = pair;
    const [get, put] = [client.get("a"), client.put("a", "1")];
    const { id } = await peer.take("GET");
    const closed = once(peer.socket, "close");
    peer.socket.write(frame(id));
    const failure = await expectFailure(get, { code: "CONNECTION_LOST" });
    expect((failure.cause as VarveError).code).toMatch(/PROTOCOL_ERROR|FRAME_TOO_LARGE/);
    await expectFailure(put, { code: "CONNECTION_LOST", maybeApplied: true });
    await closed;
  });

  test("follows where VALUES has another number of values than keys were asked", async () => {
    await using pair = await connected();
    const { client, peer } = pair;
    const many = client.getMany(["a", "b"]);
    const { id } = await peer.take("GET_MANY");
    peer.answer(id, { kind: "VALUES", values: [undefined] });
    await expectFailure(many, { code: "CONNECTION_LOST" });
  });
});

describe("close", () => {
  test("waits for the answers in flight, then ends; later calls are CLOSED", async () => {
    await using pair = await connected({ requestsInFlightMax: 1 });
    const { client, peer } = pair;
    const order: string[] = [];
    const put = client.put("a", "1").then(() => order.push("put"));
    const get = client.get("a").then(() => order.push("get"));
    const closing = client.close().then(() => order.push("close"));
    await expectFailure(client.get("b"), { code: "CLOSED" });
    expectThrow(() => client.scan(), { code: "CLOSED" });
    peer.answer((await peer.take("PUT")).id, { kind: "COMMITTED", version: 1 });
    peer.answer((await peer.take("GET")).id, { kind: "ABSENT" });
    await Promise.all([put, get, closing, client.close()]);
    expect(order).toEqual(["put", "get", "close"]);
  });

  test("fails open scans with CLOSED and does not wait for abandoned calls", async () => {
    await using pair = await connected();
    const { client, peer } = pair;
    const controller = new AbortController();
    const get = client.get("a", { signal: controller.signal });
    const scan = client.scan();
    const next = scan.next();
    await peer.take("GET");
    await peer.take("SCAN");
    controller.abort();
    await expectFailure(get, { code: "ABORTED" });
    await Promise.all([expectFailure(next, { code: "CLOSED" }), client.close()]);
    expect(await scan.next()).toEqual({ done: true, value: undefined });
  });

  test("happens at the end of an await using block", async () => {
    await using server = await FakeServer.listen();
    let ended: Promise<unknown> | undefined;
    {
      await using client = await connect(server.url);
      const peer = await server.accept();
      ended = once(peer.socket, "close");
      const ping = client.ping();
      peer.answer((await peer.take("PING")).id, { kind: "PONG" });
      await ping;
    }
    await ended;
  });
});
