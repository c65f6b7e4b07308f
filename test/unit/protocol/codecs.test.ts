import fc from "fast-check";
import {
  type Answer,
  decodeAnswer,
  decodeError,
  decodeRequest,
  encodeAnswer,
  encodeBatch,
  encodeCounter,
  encodeDelete,
  encodeError,
  encodeMerge,
  encodePut,
  encodeRequest,
  type Frame,
  FrameDecoder,
  FrameWriter,
  type Operand,
  type Request,
  readU32,
  VarveError,
} from "varve-protocol";
import { describe, expect, test } from "vitest";
import { CUTS, decodeAll } from "./feed.ts";
import { answers, comparable, requestIds, requests } from "./messages.ts";

type Message = Request | Answer;
type Decode = (frame: Frame) => Message;
type Encode = (writer: FrameWriter, requestId: number, message: never) => number;

const DIRECTIONS: [string, fc.Arbitrary<Message>, Encode, Decode][] = [
  ["requests", requests, encodeRequest, decodeRequest],
  ["answers", answers, encodeAnswer, decodeAnswer],
];

describe.each(DIRECTIONS)("%s", (_name, messages, encode, decode) => {
  test.each(CUTS)("come back as they were sent (%s)", (_how, cut) => {
    const sent = fc.array(fc.tuple(requestIds, messages), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sent, (all) => {
        const writer = new FrameWriter();
        const expected = all.map(([id, message]) => {
          const before = writer.pendingBytes;
          const length = encode(writer, id, message as never);
          expect(writer.pendingBytes - before).toBe(4 + length);
          const aboutConnection = message.kind === "HELLO" || message.kind === "WELCOME";
          return [aboutConnection ? 0 : id, comparable(message)];
        });
        const got = decodeAll(cut(writer.take()), (frame) => [
          frame.requestId,
          comparable(decode(frame)),
        ]);
        expect(got).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test("that are cut short or go on too long are refused with PROTOCOL_ERROR or read as other messages", () => {
    fc.assert(
      fc.property(messages, fc.nat(60), fc.uint8Array({ maxLength: 5 }), (message, cut, more) => {
        const writer = new FrameWriter();
        encode(writer, 1, message as never);
        const bytes = writer.take();
        const end = Math.max(10, bytes.length - cut);
        const changed = new Uint8Array([...bytes.subarray(0, end), ...more]);
        changed[0] = changed.length - 4;
        changed[1] = (changed.length - 4) >>> 8;
        expectReadOrProtocolError(() => decodeAll([changed], decode));
      }),
      { numRuns: 500 },
    );
  });

  test("made of random bytes never throw anything but PROTOCOL_ERROR", () => {
    const opcode = fc.oneof(
      fc.nat(255),
      fc.constantFrom(1, 0x11, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x30, 0x72),
    );
    const answerOpcode = fc.constantFrom(0x80, 0x81, 0x92, 0x93, 0xa0, 0xa1, 0xb0, 0xb1);
    fc.assert(
      fc.property(
        fc.oneof(opcode, answerOpcode),
        fc.oneof({ weight: 9, arbitrary: fc.nat(3) }, fc.nat(255)),
        fc.uint8Array({ maxLength: 60 }),
        (code, flags, body) => {
          const bytes = new Uint8Array([
            body.length + 6,
            0,
            0,
            0,
            code,
            flags,
            1,
            0,
            0,
            0,
            ...body,
          ]);
          expectReadOrProtocolError(() => decodeAll([bytes], decode));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function expectReadOrProtocolError(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(VarveError);
    expect((error as VarveError).code).toBe("PROTOCOL_ERROR");
  }
}

test("random bytes in random chunks make a decoder throw nothing but its two errors", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (chunks) => {
      const decoder = new FrameDecoder(1000);
      try {
        for (const chunk of chunks) decoder.push(chunk, () => {});
      } catch (error) {
        expect(["PROTOCOL_ERROR", "FRAME_TOO_LARGE"]).toContain((error as VarveError).code);
      }
    }),
  );
});

test("strings are encoded as their UTF-8, short and long, lone surrogates as U+FFFD", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "binary", minLength: 95 }),
  );
  fc.assert(
    fc.property(text, text, fc.string(), (key, value, other) => {
      const fromText = new FrameWriter();
      const fromBytes = new FrameWriter();
      const operations = [
        { type: "put", key, value } as const,
        { type: "delete", key: other } as const,
      ];
      const asBytes = operations.map((operation) => ({
        ...operation,
        key: new TextEncoder().encode(operation.key),
        ...("value" in operation ? { value: new TextEncoder().encode(operation.value) } : {}),
      }));
      const batch = { kind: "BATCH", durability: undefined } as const;
      encodeRequest(fromText, 1, { ...batch, operations: operations as never });
      encodeRequest(fromBytes, 1, { ...batch, operations: asBytes as never });
      expect(Buffer.compare(fromText.take(), fromBytes.take())).toBe(0);
    }),
  );
  const writer = new FrameWriter();
  encodeRequest(writer, 1, { kind: "GET", key: "\ud800" as never });
  expect([...writer.take().subarray(10)]).toEqual([0xef, 0xbf, 0xbd]);
});

test("an error code of a newer version becomes INTERNAL and is named", () => {
  const writer = new FrameWriter();
  const error = new VarveError("OVERLOADED", "soon", { retryAfterMs: 5 });
  encodeAnswer(writer, 1, { kind: "ERROR", error });
  const bytes = new Uint8Array(writer.take());
  bytes[10] = 0xf0;
  bytes[11] = 0xff;
  const [answer] = decodeAll([bytes], decodeAnswer);
  expect(comparable(answer!)).toEqual({
    kind: "ERROR",
    code: "INTERNAL",
    text: "error code 65520: soon",
    retryable: true,
    maybeApplied: false,
    retryAfterMs: 5,
  });
});

test.each([4096, 5000])("an error's key is left out of a frame that would exceed %i", (max) => {
  const encoded = (keyBytes: number) => {
    const writer = new FrameWriter();
    const key = new Uint8Array(keyBytes).fill(7);
    const error = new VarveError("CONDITION_FAILED", "changed", { key, sequence: 5 });
    const length = encodeError(writer, 1, error, max);
    const [decoded] = decodeAll([writer.take()], decodeError, max);
    return { length, decoded };
  };
  const keyBytesMax = max - encoded(0).length;
  const longest = encoded(keyBytesMax);
  expect(longest.length).toBe(max);
  expect(longest.decoded).toMatchObject({ sequence: 5, message: "changed" });
  expect(longest.decoded?.key).toEqual(new Uint8Array(keyBytesMax).fill(7));
  const { length, decoded } = encoded(keyBytesMax + 1);
  expect(length).toBeLessThan(100);
  expect(decoded).toMatchObject({ code: "CONDITION_FAILED", message: "changed" });
  expect([decoded?.key, decoded?.sequence]).toEqual([undefined, undefined]);
});

test("an error's key is a copy, which keeps no chunk of the socket alive", () => {
  const writer = new FrameWriter();
  const key = new Uint8Array([1, 2, 3]);
  encodeError(writer, 1, new VarveError("CONDITION_FAILED", "changed", { key }));
  const [error] = decodeAll([writer.take()], decodeError);
  expect(error?.key?.buffer.byteLength).toBe(3);
});

test("a counter's operand is the same as a number, a bigint and bytes", () => {
  const frameOf = (operand: Operand) => {
    const writer = new FrameWriter();
    encodeMerge(writer, 1, undefined, "add", "k", operand);
    encodeBatch(writer, 2, undefined, [{ type: "merge", key: "k", operator: "add", operand }]);
    return Buffer.from(writer.take()).toString("hex");
  };
  expect(frameOf(-7)).toBe(frameOf(-7n));
  expect(frameOf(-7)).toBe(frameOf(encodeCounter(-7)));
  expect(frameOf(2 ** 53 - 1)).toBe(frameOf(2n ** 53n - 1n));
});

test("no conditions and no expiry are no flags", () => {
  const plain = new FrameWriter();
  const empty = new FrameWriter();
  encodePut(plain, 1, undefined, "k", "v");
  encodeDelete(plain, 2, undefined, "k");
  encodeBatch(plain, 3, undefined, []);
  encodePut(empty, 1, undefined, "k", "v", [], {});
  encodeDelete(empty, 2, undefined, "k", []);
  encodeBatch(empty, 3, undefined, [], []);
  expect(Buffer.compare(plain.take(), empty.take())).toBe(0);
});

test("frames written after some were taken leave the taken bytes alone", () => {
  const writer = new FrameWriter();
  const taken: [Uint8Array, Uint8Array][] = [];
  for (let i = 0; i < 3000; i++) {
    encodeRequest(writer, i + 1, { kind: "GET", key: new Uint8Array(i % 700).fill(i) });
    if (i % 3 === 0) {
      const bytes = writer.take(i % 2 === 0 ? writer.pendingBytes : readU32(writer.peek(), 0) + 4);
      taken.push([bytes, new Uint8Array(bytes)]);
    }
  }
  for (const [bytes, copy] of taken) expect(Buffer.compare(bytes, copy)).toBe(0);
});

test("undo removes the last frame alone", () => {
  const writer = new FrameWriter();
  encodeRequest(writer, 1, { kind: "PING" });
  encodeRequest(writer, 2, { kind: "GET", key: new Uint8Array(300_000) });
  writer.undo();
  encodeRequest(writer, 3, { kind: "PING" });
  expect(decodeAll([writer.take()], (frame) => frame.requestId)).toEqual([1, 3]);
});
