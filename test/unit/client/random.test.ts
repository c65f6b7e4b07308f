/** A server that answers in random order and cuts its bytes at random places, callers that give up at random. */

import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { connect, VarveError } from "varve-client";
import { decodeRequest, encodeAnswer, FrameDecoder, FrameWriter } from "varve-protocol";
import { expect, test } from "vitest";
import { randomOf } from "../protocol/feed.ts";
import { WELCOME } from "./fake-server.ts";

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed + 1);

/** Answers GET with its key, everything else as it should be, or all at once with bytes that mean nothing. */
function serve(socket: Socket, random: () => number, garbageAfter: number): void {
  const decoder = new FrameDecoder(2 ** 20);
  const waiting: ((writer: FrameWriter) => void)[] = [];
  let answered = 0;
  const answerSome = () => {
    const writer = new FrameWriter();
    for (let i = Math.ceil(random() * waiting.length); i > 0; i--) {
      const [answer] = waiting.splice(Math.floor(random() * waiting.length), 1);
      answer?.(writer);
      answered++;
    }
    while (writer.pendingBytes > 0) {
      socket.write(writer.take(Math.ceil(random() * writer.pendingBytes)));
    }
    if (answered > garbageAfter)
      socket.write(Uint8Array.from({ length: 50 }, () => random() * 256));
    if (waiting.length > 0) setImmediate(answerSome);
  };
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    decoder.push(chunk, (frame) => {
      const id = frame.requestId;
      const request = decodeRequest(frame);
      waiting.push((writer) => {
        if (request.kind === "HELLO") encodeAnswer(writer, 0, { kind: "WELCOME", ...WELCOME });
        if (request.kind === "GET") encodeAnswer(writer, id, { kind: "VALUE", value: request.key });
        if (request.kind === "PUT") encodeAnswer(writer, id, { kind: "COMMITTED", version: 1 });
        if (request.kind === "SCAN") {
          const key = request.options.gte as Uint8Array;
          encodeAnswer(writer, id, { kind: "SCAN_DATA", entries: [[key, key]] });
          encodeAnswer(writer, id, { kind: "SCAN_END", count: 1 });
        }
      });
    });
    setImmediate(answerSome);
  });
}

async function run(seed: number, garbageAfter: number): Promise<Map<string, number>> {
  const random = randomOf(seed);
  const server = createServer({ noDelay: true }, (socket) =>
    serve(socket, randomOf(seed + 1000), garbageAfter),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = await connect(`varve://127.0.0.1:${port}`, {
    requestsInFlightMax: 7,
    // Random bytes that announce a long frame would have to be waited for.
    frameBytesMax: 4096,
  });
  const outcomes = new Map<string, number>();
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);

  const call = async (key: string): Promise<void> => {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    if (random() < 0.3) setImmediate(() => controller.abort());
    const choice = random();
    try {
      if (choice < 0.5) {
        expect(Buffer.from((await client.get(key, options)) ?? []).toString()).toBe(key);
      } else if (choice < 0.8) {
        await client.put(key, key, options);
      } else {
        const entries = await client.scan({ gte: key, ...options }).nextMany(5);
        expect(entries.map(([got]) => Buffer.from(got).toString())).toEqual([key]);
      }
      count("answered");
    } catch (error) {
      if (!(error instanceof VarveError)) throw error;
      count(error.code);
    }
  };
  const caller = async (name: number) => {
    for (let i = 0; i < 15; i++) await call(`${name} ${i}`);
  };
  await Promise.all(Array.from({ length: 20 }, (_, name) => caller(name)));
  await client.close();
  server.close();
  await once(server, "close");
  return outcomes;
}

test.each(SEEDS)("every call gets its own answer, or is aborted (seed %i)", async (seed) => {
  const outcomes = await run(seed, Number.POSITIVE_INFINITY);
  expect([...outcomes.keys()].sort()).toEqual(["ABORTED", "answered"]);
  expect((outcomes.get("ABORTED") ?? 0) + (outcomes.get("answered") ?? 0)).toBe(300);
});

test.each(SEEDS)("random bytes from the server settle every call (seed %i)", async (seed) => {
  const outcomes = await run(seed, 100);
  expect(outcomes.get("CONNECTION_LOST")).toBeGreaterThan(0);
  expect([...outcomes.values()].reduce((sum, one) => sum + one)).toBe(300);
});
