import { readFileSync } from "node:fs";
import {
  type Answer,
  decodeAnswer,
  decodeRequest,
  type ErrorCode,
  encodeAnswer,
  encodeRequest,
  type Frame,
  FrameWriter,
  OPCODE,
  type Request,
  VarveError,
} from "varve-protocol";
import { describe, expect, test } from "vitest";
import { CUTS, decodeAll } from "./feed.ts";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

interface Vector {
  readonly name: string;
  readonly direction: "request" | "answer";
  readonly hex: string;
  readonly requestId: number;
  readonly message: { readonly [name: string]: Json };
}

interface Malformed {
  readonly name: string;
  readonly direction: "request" | "answer";
  readonly hex: string;
  readonly error: ErrorCode;
  readonly frameBytesMax?: number;
}

const vectors: { frames: Vector[]; malformed: Malformed[] } = JSON.parse(
  readFileSync(new URL("../../../protocol/vectors.json", import.meta.url), "utf8"),
);

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

/** The message as the file writes it. */
function toJson(value: unknown): Json {
  if (typeof value === "bigint") return { integer: String(value) };
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("hex") };
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : toJson(item)));
  if (value instanceof VarveError) {
    const { code, message, retryable, maybeApplied, retryAfterMs, key, sequence } = value;
    return toJson({ code, message, retryable, maybeApplied, retryAfterMs, key, sequence });
  }
  if (typeof value !== "object" || value === null) return value as Json;
  const given = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(given.map(([name, item]) => [name, toJson(item)]));
}

function fromJson(json: Json): unknown {
  if (Array.isArray(json)) return json.map(fromJson);
  if (typeof json !== "object" || json === null) return json;
  if (typeof json.bytes === "string") return bytesOf(json.bytes);
  if (typeof json.integer === "string") return BigInt(json.integer);
  return Object.fromEntries(Object.entries(json).map(([name, item]) => [name, fromJson(item)]));
}

function messageOf({ message }: Vector): Request | Answer {
  const fields = fromJson(message) as { kind: string; values?: unknown[]; error?: never };
  if (fields.kind === "VALUES") {
    return { ...fields, values: fields.values?.map((value) => value ?? undefined) } as Answer;
  }
  if (fields.kind === "ERROR") {
    const { code, message: text, ...details } = fields.error as unknown as VarveError;
    return { kind: "ERROR", error: new VarveError(code, text, details as object) };
  }
  return fields as Request | Answer;
}

function decoderOf(direction: string): (frame: Frame) => Request | Answer {
  return direction === "request" ? decodeRequest : decodeAnswer;
}

describe.each(vectors.frames)("$direction: $name", (vector) => {
  const decode = decoderOf(vector.direction);

  test.each(CUTS)("decodes to its message (%s)", (_how, cut) => {
    const got = decodeAll(cut(bytesOf(vector.hex)), (frame) => ({
      requestId: frame.requestId,
      message: toJson(decode(frame)),
    }));
    expect(got).toEqual([{ requestId: vector.requestId, message: vector.message }]);
  });

  test("encodes to its bytes", () => {
    const writer = new FrameWriter();
    const message = messageOf(vector) as never;
    if (vector.direction === "request") encodeRequest(writer, vector.requestId, message);
    else encodeAnswer(writer, vector.requestId, message);
    expect(Buffer.from(writer.take()).toString("hex")).toBe(vector.hex);
  });
});

describe.each(vectors.malformed)("$direction: $name", (vector) => {
  test.each(CUTS)(`is refused with ${vector.error} (%s)`, (_how, cut) => {
    const read = () =>
      decodeAll(cut(bytesOf(vector.hex)), decoderOf(vector.direction), vector.frameBytesMax);
    expect(read).toThrow(expect.objectContaining({ name: "VarveError", code: vector.error }));
  });
});

test("every opcode has a vector", () => {
  const seen = new Set(vectors.frames.map(({ message }) => message.kind));
  expect([...seen].sort()).toEqual(Object.keys(OPCODE).sort());
});
