/** What the server makes of frames, whole, byte by byte, and bad. */
import { encodeRequest, type FrameWriter, type Request } from "varve-protocol";
import { expect, test } from "vitest";
import { frames, hello, RawClient } from "../../support/raw-client.ts";
import { eventually, startTestServer } from "../../support/test-server.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const durability = "none" as const;

const SESSION: readonly [request: Request, kinds: readonly string[]][] = [
  [{ kind: "PING" }, ["PONG"]],
  [{ kind: "PUT", key: bytes("a"), value: bytes("1"), durability }, ["COMMITTED"]],
  [{ kind: "GET", key: bytes("a") }, ["VALUE"]],
  [{ kind: "GET", key: bytes("none") }, ["ABSENT"]],
  [{ kind: "GET_MANY", keys: [bytes("a"), bytes("none")] }, ["VALUES"]],
  [
    {
      kind: "BATCH",
      durability,
      operations: [
        { type: "put", key: bytes("b"), value: bytes("2") },
        { type: "delete", key: bytes("a") },
      ],
    },
    ["COMMITTED"],
  ],
  [{ kind: "DELETE", key: bytes("x"), durability }, ["COMMITTED"]],
  [{ kind: "SCAN", credit: 1000, options: {} }, ["SCAN_DATA", "SCAN_END"]],
  [{ kind: "FLUSH" }, ["RESULT"]],
  [{ kind: "COMPACT", range: {} }, ["RESULT"]],
  [{ kind: "STATS" }, ["RESULT"]],
  [{ kind: "VERIFY" }, ["RESULT"]],
  [{ kind: "GET", key: new Uint8Array() }, ["ERROR"]],
  [{ kind: "PING" }, ["PONG"]],
];

test.each([
  ["whole", Number.POSITIVE_INFINITY],
  ["byte by byte", 1],
  ["in threes", 3],
])("answers every request, sent %s", async (_how, pieceBytes) => {
  const { port, stats } = await startTestServer();
  const client = await RawClient.connect(port);
  const say = (message: Uint8Array) => {
    for (let at = 0; at < message.length; at += pieceBytes) {
      client.socket.write(message.subarray(at, Math.min(message.length, at + pieceBytes)));
    }
  };
  say(hello());
  await client.until(() => client.answers.length === 1);
  for (const [i, [request, kinds]] of SESSION.entries()) {
    say(frames((writer) => encodeRequest(writer, i + 1, request)));
    await client.until(() => client.answersTo(i + 1).length === kinds.length);
    expect(client.answersTo(i + 1).map(({ kind }) => kind)).toEqual(kinds);
  }
  expect(stats()).toMatchObject({ connections: 1, inFlight: 0, scans: 0, protocolErrors: 0 });
  client.socket.destroy();
});

const raw = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const put = (writer: FrameWriter) =>
  encodeRequest(writer, 7, { kind: "PUT", key: bytes("k"), value: bytes("v"), durability });

test.each<[what: string, greeted: boolean, message: Uint8Array, code: string]>([
  ["another protocol", false, Buffer.from("GET / HTTP/1.1\r\n\r\n"), "FRAME_TOO_LARGE"],
  ["a HELLO with a wrong magic", false, mutated(hello(), 10), "PROTOCOL_ERROR"],
  ["a request before HELLO", false, frames(put), "PROTOCOL_ERROR"],
  ["a frame over the limit before HELLO", false, raw("01100000 01"), "FRAME_TOO_LARGE"],
  ["versions that do not meet", false, versions(900, 901), "UNSUPPORTED_PROTOCOL"],
  ["a second HELLO", true, hello(), "PROTOCOL_ERROR"],
  ["a frame over the limit", true, raw("ffffff7f 10"), "FRAME_TOO_LARGE"],
  ["a length below the header's", true, raw("05000000"), "PROTOCOL_ERROR"],
  ["an unknown opcode", true, raw("06000000 7e 00 01000000"), "PROTOCOL_ERROR"],
  ["an answer's opcode", true, raw("06000000 82 00 01000000"), "PROTOCOL_ERROR"],
  ["unknown flags", true, raw("06000000 02 01 01000000"), "PROTOCOL_ERROR"],
  ["request id 0", true, raw("07000000 10 00 00000000 61"), "PROTOCOL_ERROR"],
  ["a truncated body", true, raw("08000000 20 00 01000000 00 ff"), "PROTOCOL_ERROR"],
  ["bytes behind the body", true, raw("07000000 02 00 01000000 00"), "PROTOCOL_ERROR"],
  ["an unknown durability", true, raw("0c000000 20 00 01000000 09 01000000 61"), "PROTOCOL_ERROR"],
])("%s is told, logged, and ends that connection alone", async (_what, greeted, message, code) => {
  const { port, lines, stats } = await startTestServer();
  const other = await RawClient.greeted(port);
  const client = greeted ? await RawClient.greeted(port) : await RawClient.connect(port);
  client.socket.write(message);
  await client.closed;
  const last = client.answers.at(-1);
  expect(last?.kind === "ERROR" ? last.error.code : last?.kind).toBe(code);
  expect(lines.filter(({ level }) => level === "warn")).toHaveLength(1);
  await eventually(() => stats().connections === 1);
  expect(stats()).toMatchObject({ protocolErrors: 1 });

  other.send(put);
  await other.until(() => other.answersTo(7).length === 1);
  expect(other.answersTo(7)[0]?.kind).toBe("COMMITTED");
  other.socket.destroy();
});

function mutated(message: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(message);
  copy[at]! ^= 1;
  return copy;
}

function versions(versionMin: number, versionMax: number): Uint8Array {
  const request = { features: 0, frameBytesMax: 4096, clientName: "new" };
  return frames((writer) =>
    encodeRequest(writer, 0, { kind: "HELLO", versionMin, versionMax, ...request }),
  );
}

test("what comes before a bad frame in the same chunk is answered", async () => {
  const { port } = await startTestServer();
  const client = await RawClient.greeted(port);
  const good = frames((writer) => encodeRequest(writer, 1, { kind: "PING" }));
  client.socket.write(Buffer.concat([good, raw("06000000 7e 00 02000000"), good]));
  await client.closed;
  expect(client.answers.map(({ kind, requestId }) => `${kind} ${requestId}`)).toEqual([
    "PONG 1",
    "ERROR 2",
  ]);
});
