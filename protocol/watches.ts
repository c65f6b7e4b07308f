/**
 * The change feed: a stream of events under the reader's credit. Bodies, little-endian:
 *
 *   WATCH         fields u8 | credit u32 | [since u64] | [heartbeatMs u32] | range        range: see `ranges.ts`
 *     fields        bit 0 since, 1 heartbeatMs: the field is there
 *   WATCH_CREDIT  credit u32                              the request id is that of the WATCH
 *   WATCH_DATA    count u32 | count × part
 *     part          type u8 | sequence u64                                                    type 0: progress
 *                   type u8 | sequence u64 | firstSequence u64 | time u64 | count u32 | count × operation
 *                                                                                             1: commit
 *                                                                                             2: commit, more follows
 *                   type u8 | sequence u64 | time u64 | range                               3: ingest, from gte to lt
 *     operation     type u8 | …       types 0, 1, 3 and 4 as in a BATCH (`operations.ts`), type 2 with an expiry of kind 2
 *                   type u8 | expiresAt u64 | keyLength u32 | key           5: delete of an entry that has expired
 *
 * A batch that is too long for one frame comes as several parts with the same numbers, in order, all but the last of
 * type 2 and with nothing else between. Credit is counted in bytes of WATCH_DATA bodies. Keys, values and operands
 * come out as views of the given bytes.
 */
import { BodyReader } from "./body-reader.ts";
import { expectNoFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";
import { OPERATION_BYTES_MIN, readOperationOf, writeOperation } from "./operations.ts";
import { type BytesRange, readRange, writeRange } from "./ranges.ts";
import type {
  CommitEvent,
  FeedOperation,
  IngestEvent,
  ProgressEvent,
  WatchOptions,
} from "./store.ts";

const FIELD = { SINCE: 1, HEARTBEAT: 2 } as const;
const FIELDS_ALL = 3;
const PART = { PROGRESS: 0, COMMIT: 1, COMMIT_PART: 2, INGEST: 3 } as const;
const EXPIRED_DELETE = 5;
/** The bytes of a WATCH_DATA body before its first part. */
export const WATCH_DATA_HEADER_BYTES = 4;
const PROGRESS_BYTES = 1 + 8;
/** A part's bytes before its first operation. */
export const COMMIT_PART_HEADER_BYTES = 1 + 8 + 8 + 8 + 4;

export interface WatchRequest {
  /** Bytes of WATCH_DATA bodies that may be sent before the first WATCH_CREDIT. */
  readonly credit: number;
  readonly since?: number;
  readonly heartbeatMs?: number;
  readonly range: BytesRange;
}

/** `more`: further operations of the same batch follow. */
export type WatchPart = ProgressEvent | IngestEvent | (CommitEvent & { readonly more?: boolean });

export function encodeWatch(
  writer: FrameWriter,
  requestId: number,
  { since, heartbeatMs, ...range }: Omit<WatchOptions, "signal">,
  credit: number,
): number {
  writer.begin(OPCODE.WATCH, requestId);
  writer.u8(
    (since === undefined ? 0 : FIELD.SINCE) | (heartbeatMs === undefined ? 0 : FIELD.HEARTBEAT),
  );
  writer.u32(credit);
  if (since !== undefined) writer.u64(since);
  if (heartbeatMs !== undefined) writer.u32(heartbeatMs);
  writeRange(writer, range);
  return writer.end();
}

export function decodeWatch(frame: Frame): WatchRequest {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const fields = reader.u8();
  if (fields > FIELDS_ALL) throw reader.malformed(`watch fields 0x${fields.toString(16)}`);
  const credit = reader.u32();
  const since = (fields & FIELD.SINCE) === 0 ? {} : { since: reader.u64() };
  const heartbeat = (fields & FIELD.HEARTBEAT) === 0 ? {} : { heartbeatMs: reader.u32() };
  const range = readRange(reader);
  reader.finish();
  return { credit, ...since, ...heartbeat, range };
}

export function encodeWatchCredit(writer: FrameWriter, requestId: number, credit: number): number {
  writer.begin(OPCODE.WATCH_CREDIT, requestId);
  writer.u32(credit);
  return writer.end();
}

/** The bytes of credit granted on top of what is left. */
export function decodeWatchCredit(frame: Frame): number {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const credit = reader.u32();
  reader.finish();
  return credit;
}

/** At least what the operation adds to the body of a WATCH_DATA frame, and few bytes more than that. */
export function feedOperationBytesMax(operation: FeedOperation): number {
  switch (operation.type) {
    case "put":
      return 1 + 9 + 4 + operation.key.length + 4 + operation.value.length;
    case "delete":
      return 1 + 8 + 4 + operation.key.length;
    case "merge":
      return 1 + 1 + 4 + operation.key.length + 4 + operation.operand.length;
    case "deleteRange":
      return 1 + 1 + 4 + operation.gte.length + 4 + (operation.lt?.length ?? 0);
  }
}

export function encodeWatchData(
  writer: FrameWriter,
  requestId: number,
  parts: readonly WatchPart[],
): number {
  writer.begin(OPCODE.WATCH_DATA, requestId);
  writer.u32(parts.length);
  for (const part of parts) {
    if (part.type === "progress") {
      writer.u8(PART.PROGRESS);
      writer.u64(part.sequence);
      continue;
    }
    if (part.type === "ingest") {
      writer.u8(PART.INGEST);
      writer.u64(part.sequence);
      writer.u64(part.time);
      writeRange(writer, part.lt === undefined ? { gte: part.gte } : part);
      continue;
    }
    writer.u8(part.more === true ? PART.COMMIT_PART : PART.COMMIT);
    writer.u64(part.sequence);
    writer.u64(part.firstSequence);
    writer.u64(part.time);
    writer.u32(part.operations.length);
    for (const operation of part.operations) writeFeedOperation(writer, operation);
  }
  return writer.end();
}

export function decodeWatchData(frame: Frame): WatchPart[] {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const count = reader.count(PROGRESS_BYTES);
  const parts: WatchPart[] = [];
  for (let i = 0; i < count; i++) parts.push(readPart(reader));
  reader.finish();
  return parts;
}

function readPart(reader: BodyReader): WatchPart {
  const type = reader.u8();
  if (type > PART.INGEST) throw reader.malformed(`event type ${type}`);
  const sequence = reader.u64();
  if (type === PART.PROGRESS) return { type: "progress", sequence };
  if (type === PART.INGEST) {
    const time = reader.u64();
    return { type: "ingest", sequence, time, ...eventRange(reader, readRange(reader)) };
  }
  const firstSequence = reader.u64();
  const time = reader.u64();
  const count = reader.count(OPERATION_BYTES_MIN);
  const operations: FeedOperation[] = [];
  for (let i = 0; i < count; i++) operations.push(readFeedOperation(reader));
  const commit = { type: "commit" as const, sequence, firstSequence, time, operations };
  return type === PART.COMMIT ? commit : { ...commit, more: true };
}

function writeFeedOperation(writer: FrameWriter, operation: FeedOperation): void {
  if (operation.type !== "delete" || operation.expiresAt === undefined) {
    writeOperation(writer, operation);
    return;
  }
  writer.u8(EXPIRED_DELETE);
  writer.u64(operation.expiresAt);
  writer.sized(operation.key);
}

function readFeedOperation(reader: BodyReader): FeedOperation {
  const type = reader.u8();
  if (type === EXPIRED_DELETE) {
    const expiresAt = reader.u64();
    return { type: "delete", key: reader.sized(), expiresAt };
  }
  const operation = readOperationOf(reader, type);
  if (operation.type === "put") {
    const { key, value, ttlMs, expiresAt } = operation;
    if (ttlMs !== undefined) throw reader.malformed("an event with a time to live");
    return { type: "put", key, value, ...(expiresAt === undefined ? {} : { expiresAt }) };
  }
  if (operation.type !== "deleteRange") return operation;
  return { type: "deleteRange", ...eventRange(reader, operation) };
}

function eventRange(
  reader: BodyReader,
  { gte, lt, gt, lte, prefix }: BytesRange,
): { gte: Uint8Array; lt?: Uint8Array } {
  if (gte === undefined || (gt ?? lte ?? prefix) !== undefined) {
    throw reader.malformed("an event with a range that is not from gte to lt");
  }
  return { gte, ...(lt === undefined ? {} : { lt }) };
}
