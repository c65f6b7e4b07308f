/**
 * Every request as one closed set of objects: for tools, tests and servers that do not count nanoseconds.
 * Hot paths call the codec of the opcode directly.
 */
import { type CompactRange, decodeCompact, encodeCompact, encodeEmpty } from "./control.ts";
import { decodeEmpty, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { decodeHello, encodeHello, type Hello } from "./handshake.ts";
import { decodeHistory, encodeHistory, type HistoryRequest } from "./history.ts";
import {
  decodeIngestBegin,
  decodeIngestData,
  encodeIngestBegin,
  encodeIngestData,
} from "./ingests.ts";
import {
  decodeKeyspaceAlter,
  decodeKeyspaceDrop,
  decodeKeyspaceOpen,
  encodeKeyspaceAlter,
  encodeKeyspaceDrop,
  encodeKeyspaceOpen,
  type KeyspaceAlterRequest,
  type KeyspaceOpenRequest,
} from "./keyspaces.ts";
import { OPCODE, unexpectedOpcode } from "./opcodes.ts";
import { decodeCount, decodePage, encodeCount, encodePage } from "./pages.ts";
import {
  type BytesRange,
  type DeleteRangeRequest,
  decodeDeleteRange,
  encodeDeleteRange,
} from "./ranges.ts";
import { decodeGet, decodeGetMany, encodeGet, encodeGetEntry, encodeGetMany } from "./reads.ts";
import { type RequestScope, takeScope } from "./request-scope.ts";
import {
  decodeScan,
  decodeScanCredit,
  decodeScanSeek,
  encodeScan,
  encodeScanCredit,
  encodeScanSeek,
  type ScanRequest,
} from "./scans.ts";
import { decodeSnapshotHandle, encodeSnapshotHandle } from "./snapshots.ts";
import type { Entry, Expiry, PageOptions } from "./store.ts";
import {
  decodeExpire,
  decodeIncrement,
  decodeMerge,
  type ExpireRequest,
  encodeExpire,
  encodeIncrement,
  encodeMerge,
  type IncrementRequest,
  type MergeRequest,
} from "./updates.ts";
import {
  decodeWatch,
  decodeWatchCredit,
  encodeWatch,
  encodeWatchCredit,
  type WatchRequest,
} from "./watches.ts";
import {
  type BatchRequest,
  type DeleteRequest,
  decodeBatch,
  decodeDelete,
  decodePut,
  encodeBatch,
  encodeDelete,
  encodePut,
  type PutRequest,
} from "./writes.ts";

export type Request =
  | ({ readonly kind: "HELLO" } & Hello)
  | { readonly kind: "PING" }
  | { readonly kind: "CANCEL" }
  | ({ readonly kind: "KEYSPACE_OPEN" } & KeyspaceOpenRequest)
  | { readonly kind: "KEYSPACES_LIST" }
  | { readonly kind: "KEYSPACE_DROP"; readonly name: string }
  | ({ readonly kind: "KEYSPACE_ALTER" } & KeyspaceAlterRequest)
  | ({ readonly kind: "GET"; readonly key: Uint8Array } & RequestScope)
  | ({ readonly kind: "GET_ENTRY"; readonly key: Uint8Array } & RequestScope)
  | ({ readonly kind: "GET_MANY"; readonly keys: Uint8Array[] } & RequestScope)
  | ({ readonly kind: "PAGE"; readonly options: PageOptions } & RequestScope)
  | ({ readonly kind: "COUNT"; readonly range: BytesRange } & RequestScope)
  | ({ readonly kind: "HISTORY" } & HistoryRequest)
  | ({ readonly kind: "PUT" } & PutRequest)
  | ({ readonly kind: "DELETE" } & DeleteRequest)
  | ({ readonly kind: "BATCH" } & BatchRequest)
  | ({ readonly kind: "MERGE" } & MergeRequest)
  | ({ readonly kind: "DELETE_RANGE" } & DeleteRangeRequest)
  | { readonly kind: "INGEST_BEGIN"; readonly expiry: Expiry | undefined }
  | { readonly kind: "INGEST_DATA"; readonly pairs: readonly Entry[] }
  | { readonly kind: "INGEST_COMMIT" }
  | ({ readonly kind: "INCREMENT" } & IncrementRequest)
  | ({ readonly kind: "EXPIRE" } & ExpireRequest)
  | ({ readonly kind: "SCAN" } & ScanRequest & RequestScope)
  | { readonly kind: "SCAN_SEEK"; readonly key: Uint8Array }
  | { readonly kind: "SCAN_CREDIT"; readonly credit: number }
  | ({ readonly kind: "WATCH" } & WatchRequest)
  | { readonly kind: "WATCH_CREDIT"; readonly credit: number }
  | { readonly kind: "SNAPSHOT" }
  | { readonly kind: "SNAPSHOT_CLOSE" | "SNAPSHOT_RENEW"; readonly handle: number }
  | { readonly kind: "SNAPSHOTS_LIST" }
  | { readonly kind: "SNAPSHOT_KILL"; readonly handle: number }
  | { readonly kind: "STATS" }
  | { readonly kind: "FLUSH" }
  | { readonly kind: "VERIFY" }
  | { readonly kind: "COMPACT"; readonly range: CompactRange<Uint8Array> };

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
    case "SNAPSHOT":
    case "SNAPSHOTS_LIST":
    case "KEYSPACES_LIST":
    case "INGEST_COMMIT":
      return encodeEmpty(writer, requestId, OPCODE[request.kind]);
    case "INGEST_BEGIN":
      return encodeIngestBegin(writer, requestId, request.expiry);
    case "INGEST_DATA":
      return encodeIngestData(writer, requestId, request.pairs);
    case "KEYSPACE_OPEN":
      return encodeKeyspaceOpen(writer, requestId, request.name, request.options);
    case "KEYSPACE_DROP":
      return encodeKeyspaceDrop(writer, requestId, request.name);
    case "KEYSPACE_ALTER":
      return encodeKeyspaceAlter(writer, requestId, request.name, request.changes);
    case "GET":
      return encodeGet(writer, requestId, request.key, request);
    case "GET_ENTRY":
      return encodeGetEntry(writer, requestId, request.key, request);
    case "GET_MANY":
      return encodeGetMany(writer, requestId, request.keys, request);
    case "PAGE":
      return encodePage(writer, requestId, request.options, request);
    case "COUNT":
      return encodeCount(writer, requestId, request.range, request);
    case "HISTORY":
      return encodeHistory(writer, requestId, request.key, request);
    case "PUT": {
      const { durability, key, value, conditions, expiry } = request;
      return encodePut(writer, requestId, durability, key, value, conditions, expiry);
    }
    case "DELETE": {
      const { durability, key, conditions } = request;
      return encodeDelete(writer, requestId, durability, key, conditions);
    }
    case "BATCH": {
      const { durability, operations, conditions } = request;
      return encodeBatch(writer, requestId, durability, operations, conditions);
    }
    case "DELETE_RANGE":
      return encodeDeleteRange(writer, requestId, request.durability, request.range);
    case "MERGE": {
      const { durability, operator, key, operand } = request;
      return encodeMerge(writer, requestId, durability, operator, key, operand);
    }
    case "INCREMENT":
      return encodeIncrement(writer, requestId, request.durability, request.delta, request.key);
    case "EXPIRE":
      return encodeExpire(writer, requestId, request.durability, request.expiry, request.key);
    case "SCAN":
      return encodeScan(writer, requestId, request.options, request.credit, request);
    case "SCAN_SEEK":
      return encodeScanSeek(writer, requestId, request.key);
    case "SCAN_CREDIT":
      return encodeScanCredit(writer, requestId, request.credit);
    case "WATCH": {
      const { kind: _, credit, range, ...options } = request;
      return encodeWatch(writer, requestId, { ...options, ...range }, credit);
    }
    case "WATCH_CREDIT":
      return encodeWatchCredit(writer, requestId, request.credit);
    case "SNAPSHOT_CLOSE":
    case "SNAPSHOT_RENEW":
    case "SNAPSHOT_KILL":
      return encodeSnapshotHandle(writer, requestId, OPCODE[request.kind], request.handle);
    case "COMPACT":
      return encodeCompact(writer, requestId, request.range);
  }
}

/** The request in a frame that a server received; throws `PROTOCOL_ERROR`. */
export function decodeRequest(received: Frame): Request {
  const { scope, frame } = takeScope(received);
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
    case OPCODE.SNAPSHOT:
      decodeEmpty(frame);
      return { kind: "SNAPSHOT" };
    case OPCODE.SNAPSHOTS_LIST:
      decodeEmpty(frame);
      return { kind: "SNAPSHOTS_LIST" };
    case OPCODE.KEYSPACE_OPEN:
      return { kind: "KEYSPACE_OPEN", ...decodeKeyspaceOpen(frame) };
    case OPCODE.KEYSPACES_LIST:
      decodeEmpty(frame);
      return { kind: "KEYSPACES_LIST" };
    case OPCODE.KEYSPACE_DROP:
      return { kind: "KEYSPACE_DROP", name: decodeKeyspaceDrop(frame) };
    case OPCODE.KEYSPACE_ALTER:
      return { kind: "KEYSPACE_ALTER", ...decodeKeyspaceAlter(frame) };
    case OPCODE.SNAPSHOT_CLOSE:
      return { kind: "SNAPSHOT_CLOSE", handle: decodeSnapshotHandle(frame) };
    case OPCODE.SNAPSHOT_RENEW:
      return { kind: "SNAPSHOT_RENEW", handle: decodeSnapshotHandle(frame) };
    case OPCODE.SNAPSHOT_KILL:
      return { kind: "SNAPSHOT_KILL", handle: decodeSnapshotHandle(frame) };
    case OPCODE.INGEST_BEGIN:
      return { kind: "INGEST_BEGIN", expiry: decodeIngestBegin(frame) };
    case OPCODE.INGEST_DATA:
      return { kind: "INGEST_DATA", pairs: decodeIngestData(frame) };
    case OPCODE.INGEST_COMMIT:
      decodeEmpty(frame);
      return { kind: "INGEST_COMMIT" };
    case OPCODE.GET:
      return { kind: "GET", key: decodeGet(frame), ...scope };
    case OPCODE.GET_ENTRY:
      return { kind: "GET_ENTRY", key: decodeGet(frame), ...scope };
    case OPCODE.PAGE:
      return { kind: "PAGE", options: decodePage(frame), ...scope };
    case OPCODE.COUNT:
      return { kind: "COUNT", range: decodeCount(frame), ...scope };
    case OPCODE.HISTORY:
      return { kind: "HISTORY", ...decodeHistory(frame) };
    case OPCODE.GET_MANY:
      return { kind: "GET_MANY", keys: decodeGetMany(frame), ...scope };
    case OPCODE.PUT:
      return { kind: "PUT", ...decodePut(frame) };
    case OPCODE.DELETE:
      return { kind: "DELETE", ...decodeDelete(frame) };
    case OPCODE.BATCH:
      return { kind: "BATCH", ...decodeBatch(frame) };
    case OPCODE.DELETE_RANGE:
      return { kind: "DELETE_RANGE", ...decodeDeleteRange(frame) };
    case OPCODE.MERGE:
      return { kind: "MERGE", ...decodeMerge(frame) };
    case OPCODE.INCREMENT:
      return { kind: "INCREMENT", ...decodeIncrement(frame) };
    case OPCODE.EXPIRE:
      return { kind: "EXPIRE", ...decodeExpire(frame) };
    case OPCODE.SCAN:
      return { kind: "SCAN", ...decodeScan(frame), ...scope };
    case OPCODE.SCAN_SEEK:
      return { kind: "SCAN_SEEK", key: decodeScanSeek(frame) };
    case OPCODE.SCAN_CREDIT:
      return { kind: "SCAN_CREDIT", credit: decodeScanCredit(frame) };
    case OPCODE.WATCH:
      return { kind: "WATCH", ...decodeWatch(frame) };
    case OPCODE.WATCH_CREDIT:
      return { kind: "WATCH_CREDIT", credit: decodeWatchCredit(frame) };
    case OPCODE.COMPACT:
      return { kind: "COMPACT", range: decodeCompact(frame) };
    default:
      throw unexpectedOpcode(frame.opcode);
  }
}
