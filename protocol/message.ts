/**
 * Every message as one closed set of objects: for tools, tests and servers that do not count nanoseconds.
 * Hot paths call the codec of the opcode directly.
 */
import {
  type CompactRange,
  decodeCompact,
  decodeResult,
  encodeCompact,
  encodeEmpty,
  encodeResult,
} from "./control.ts";
import type { VarveError } from "./errors.ts";
import { decodeError, encodeError } from "./failure.ts";
import { decodeEmpty, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import {
  decodeHello,
  decodeWelcome,
  encodeHello,
  encodeWelcome,
  type Hello,
  type Welcome,
} from "./handshake.ts";
import { OPCODE, unexpectedOpcode } from "./opcodes.ts";
import {
  decodeEntry,
  decodeGet,
  decodeGetMany,
  decodeValue,
  decodeValues,
  encodeAbsent,
  encodeEntry,
  encodeGet,
  encodeGetEntry,
  encodeGetMany,
  encodeValue,
  encodeValues,
} from "./reads.ts";
import {
  decodeScan,
  decodeScanCredit,
  decodeScanData,
  decodeScanEnd,
  encodeScan,
  encodeScanCredit,
  encodeScanData,
  encodeScanEnd,
  type ScanRequest,
} from "./scans.ts";
import type { Entry, EntryRecord } from "./store.ts";
import {
  type BatchRequest,
  type DeleteRequest,
  decodeBatch,
  decodeCommitted,
  decodeDelete,
  decodePut,
  encodeBatch,
  encodeCommitted,
  encodeDelete,
  encodePut,
  type PutRequest,
} from "./writes.ts";

export type Request =
  | ({ readonly kind: "HELLO" } & Hello)
  | { readonly kind: "PING" }
  | { readonly kind: "CANCEL" }
  | { readonly kind: "GET"; readonly key: Uint8Array }
  | { readonly kind: "GET_ENTRY"; readonly key: Uint8Array }
  | { readonly kind: "GET_MANY"; readonly keys: Uint8Array[] }
  | ({ readonly kind: "PUT" } & PutRequest)
  | ({ readonly kind: "DELETE" } & DeleteRequest)
  | ({ readonly kind: "BATCH" } & BatchRequest)
  | ({ readonly kind: "SCAN" } & ScanRequest)
  | { readonly kind: "SCAN_CREDIT"; readonly credit: number }
  | { readonly kind: "STATS" }
  | { readonly kind: "FLUSH" }
  | { readonly kind: "VERIFY" }
  | { readonly kind: "COMPACT"; readonly range: CompactRange<Uint8Array> };

export type Answer =
  | ({ readonly kind: "WELCOME" } & Welcome)
  | { readonly kind: "ERROR"; readonly error: VarveError }
  | { readonly kind: "PONG" }
  | { readonly kind: "ABSENT" }
  | { readonly kind: "VALUE"; readonly value: Uint8Array }
  | { readonly kind: "VALUES"; readonly values: (Uint8Array | undefined)[] }
  | { readonly kind: "ENTRY"; readonly entry: EntryRecord }
  | { readonly kind: "COMMITTED"; readonly version: number }
  | { readonly kind: "SCAN_DATA"; readonly entries: Entry[] }
  | { readonly kind: "SCAN_END"; readonly count: number }
  | { readonly kind: "RESULT"; readonly result: unknown };

/** Appends the request's frame; returns its `length`. HELLO's request id is always 0. */
export function encodeRequest(writer: FrameWriter, requestId: number, request: Request): number {
  switch (request.kind) {
    case "HELLO":
      return encodeHello(writer, request);
    case "PING":
    case "CANCEL":
    case "STATS":
    case "FLUSH":
    case "VERIFY":
      return encodeEmpty(writer, requestId, OPCODE[request.kind]);
    case "GET":
      return encodeGet(writer, requestId, request.key);
    case "GET_ENTRY":
      return encodeGetEntry(writer, requestId, request.key);
    case "GET_MANY":
      return encodeGetMany(writer, requestId, request.keys);
    case "PUT":
      return encodePut(writer, requestId, request.durability, request.key, request.value);
    case "DELETE":
      return encodeDelete(writer, requestId, request.durability, request.key);
    case "BATCH":
      return encodeBatch(writer, requestId, request.durability, request.operations);
    case "SCAN":
      return encodeScan(writer, requestId, request.options, request.credit);
    case "SCAN_CREDIT":
      return encodeScanCredit(writer, requestId, request.credit);
    case "COMPACT":
      return encodeCompact(writer, requestId, request.range);
  }
}

/** The request in a frame that a server received; throws `PROTOCOL_ERROR`. */
export function decodeRequest(frame: Frame): Request {
  switch (frame.opcode) {
    case OPCODE.HELLO:
      return { kind: "HELLO", ...decodeHello(frame) };
    case OPCODE.PING:
      decodeEmpty(frame);
      return { kind: "PING" };
    case OPCODE.CANCEL:
      decodeEmpty(frame);
      return { kind: "CANCEL" };
    case OPCODE.STATS:
      decodeEmpty(frame);
      return { kind: "STATS" };
    case OPCODE.FLUSH:
      decodeEmpty(frame);
      return { kind: "FLUSH" };
    case OPCODE.VERIFY:
      decodeEmpty(frame);
      return { kind: "VERIFY" };
    case OPCODE.GET:
      return { kind: "GET", key: decodeGet(frame) };
    case OPCODE.GET_ENTRY:
      return { kind: "GET_ENTRY", key: decodeGet(frame) };
    case OPCODE.GET_MANY:
      return { kind: "GET_MANY", keys: decodeGetMany(frame) };
    case OPCODE.PUT:
      return { kind: "PUT", ...decodePut(frame) };
    case OPCODE.DELETE:
      return { kind: "DELETE", ...decodeDelete(frame) };
    case OPCODE.BATCH:
      return { kind: "BATCH", ...decodeBatch(frame) };
    case OPCODE.SCAN:
      return { kind: "SCAN", ...decodeScan(frame) };
    case OPCODE.SCAN_CREDIT:
      return { kind: "SCAN_CREDIT", credit: decodeScanCredit(frame) };
    case OPCODE.COMPACT:
      return { kind: "COMPACT", range: decodeCompact(frame) };
    default:
      throw unexpectedOpcode(frame.opcode);
  }
}

/** Appends the answer's frame; returns its `length`. WELCOME's request id is always 0. */
export function encodeAnswer(writer: FrameWriter, requestId: number, answer: Answer): number {
  switch (answer.kind) {
    case "WELCOME":
      return encodeWelcome(writer, answer);
    case "ERROR":
      return encodeError(writer, requestId, answer.error);
    case "PONG":
      return encodeEmpty(writer, requestId, OPCODE.PONG);
    case "ABSENT":
      return encodeAbsent(writer, requestId);
    case "VALUE":
      return encodeValue(writer, requestId, answer.value);
    case "VALUES":
      return encodeValues(writer, requestId, answer.values);
    case "ENTRY":
      return encodeEntry(writer, requestId, answer.entry);
    case "COMMITTED":
      return encodeCommitted(writer, requestId, answer.version);
    case "SCAN_DATA":
      return encodeScanData(writer, requestId, answer.entries);
    case "SCAN_END":
      return encodeScanEnd(writer, requestId, answer.count);
    case "RESULT":
      return encodeResult(writer, requestId, answer.result);
  }
}

/** The answer in a frame that a client received; throws `PROTOCOL_ERROR`. */
export function decodeAnswer(frame: Frame): Answer {
  switch (frame.opcode) {
    case OPCODE.WELCOME:
      return { kind: "WELCOME", ...decodeWelcome(frame) };
    case OPCODE.ERROR:
      return { kind: "ERROR", error: decodeError(frame) };
    case OPCODE.PONG:
      decodeEmpty(frame);
      return { kind: "PONG" };
    case OPCODE.ABSENT:
      decodeEmpty(frame);
      return { kind: "ABSENT" };
    case OPCODE.VALUE:
      return { kind: "VALUE", value: decodeValue(frame) };
    case OPCODE.VALUES:
      return { kind: "VALUES", values: decodeValues(frame) };
    case OPCODE.ENTRY:
      return { kind: "ENTRY", entry: decodeEntry(frame) };
    case OPCODE.COMMITTED:
      return { kind: "COMMITTED", version: decodeCommitted(frame) };
    case OPCODE.SCAN_DATA:
      return { kind: "SCAN_DATA", entries: decodeScanData(frame) };
    case OPCODE.SCAN_END:
      return { kind: "SCAN_END", count: decodeScanEnd(frame) };
    case OPCODE.RESULT:
      return { kind: "RESULT", result: decodeResult(frame) };
    default:
      throw unexpectedOpcode(frame.opcode);
  }
}
