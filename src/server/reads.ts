/**
 * What the requests that read do. An answer that is in memory is encoded at once, any other when its promise
 * resolves.
 *
 * Hot path: GET from memory allocates no more than the store itself needs.
 */
import {
  decodeCount,
  decodeGet,
  decodeGetMany,
  decodeHistory,
  decodePage,
  decodeScan,
  encodeAbsent,
  encodeCounted,
  encodeEntry,
  encodeHistoryData,
  encodePageData,
  encodeValue,
  encodeValues,
  type Frame,
  type RequestScope,
} from "varve-protocol";
import { VarveError } from "../errors.ts";
import { type KeyRange, NOT_CACHED } from "../store.ts";
import { answerLater, asVarveError, checkLength } from "./answers.ts";
import type { Connection } from "./connection.ts";
import { readerOf } from "./read-scope.ts";
import { StreamedScan } from "./served-scan.ts";
import type { ServerContext } from "./server-context.ts";

const SCAN_RETRY_MS = 100;
/** Of a page that has no limits of its own, and at most. */
const PAGE_ENTRIES = 1000;
const PAGE_BYTES = 1024 * 1024;
const PAGE_ENTRIES_MAX = 100_000;

export function get(
  connection: Connection,
  context: ServerContext,
  frame: Frame,
  scope: RequestScope | undefined,
): void {
  const { requestId } = frame;
  const key = decodeGet(frame);
  if (scope !== undefined) {
    answerLater(connection, context, frame, key, async () => {
      answerValue(connection, requestId, await readerOf(connection, context, scope).get(key));
    });
    return;
  }
  try {
    const value = context.store.getCached(key);
    if (value !== NOT_CACHED) {
      answerValue(connection, requestId, value);
      connection.getsFromMemory++;
      connection.wrote();
      return;
    }
  } catch (error) {
    const { meter } = context;
    meter?.answered(frame.opcode, meter.tickMs(), performance.now(), true, key);
    connection.sendError(requestId, asVarveError(error, context));
    return;
  }
  answerLater(connection, context, frame, key, async () => {
    answerValue(connection, requestId, await context.store.get(key));
  });
}

function answerValue(
  connection: Connection,
  requestId: number,
  value: Uint8Array | undefined,
): void {
  const { writer } = connection;
  if (value === undefined) encodeAbsent(writer, requestId);
  else checkLength(connection, encodeValue(writer, requestId, value));
}

export function getEntry(
  connection: Connection,
  context: ServerContext,
  frame: Frame,
  scope: RequestScope | undefined,
): void {
  const { requestId } = frame;
  const key = decodeGet(frame);
  answerLater(connection, context, frame, key, async () => {
    const entry = await readerOf(connection, context, scope).getEntry(key);
    const { writer } = connection;
    if (entry === undefined) encodeAbsent(writer, requestId);
    else checkLength(connection, encodeEntry(writer, requestId, entry));
  });
}

export function getMany(
  connection: Connection,
  context: ServerContext,
  frame: Frame,
  scope: RequestScope | undefined,
): void {
  const { requestId } = frame;
  const keys = decodeGetMany(frame);
  answerLater(connection, context, frame, keys[0], async () => {
    const { batchOperationsMax } = context.limits;
    if (keys.length > batchOperationsMax) {
      const message = `${keys.length} keys are asked for; at most ${batchOperationsMax} are allowed`;
      throw new VarveError("BATCH_TOO_LARGE", message);
    }
    const values = await readerOf(connection, context, scope).getMany(keys);
    const bytes = values.reduce((total, value) => total + 4 + (value?.length ?? 0), 0);
    if (bytes > connection.peerFrameBytesMax) {
      const message = `the values take ${bytes} bytes; the client takes frames of ${connection.peerFrameBytesMax}. Ask for fewer keys`;
      throw new VarveError("BATCH_TOO_LARGE", message);
    }
    checkLength(connection, encodeValues(connection.writer, requestId, values));
  });
}

export function page(
  connection: Connection,
  context: ServerContext,
  frame: Frame,
  scope: RequestScope | undefined,
): void {
  const { requestId } = frame;
  const options = decodePage(frame);
  answerLater(connection, context, frame, beginningOf(options), async () => {
    // The last entry may go over the limit; half a frame leaves room for one that is large.
    const limitBytes = Math.min(options.limitBytes ?? PAGE_BYTES, connection.peerFrameBytesMax / 2);
    const limit = Math.min(options.limit ?? PAGE_ENTRIES, PAGE_ENTRIES_MAX);
    const reader = readerOf(connection, context, scope);
    const given = await reader.page({ ...options, limit, limitBytes: Math.ceil(limitBytes) });
    checkLength(connection, encodePageData(connection.writer, requestId, given));
  });
}

export function count(
  connection: Connection,
  context: ServerContext,
  frame: Frame,
  scope: RequestScope | undefined,
): void {
  const { requestId } = frame;
  const range = decodeCount(frame);
  const stop = new AbortController();
  connection.counts.set(requestId, stop);
  answerLater(connection, context, frame, beginningOf(range), async () => {
    try {
      const reader = readerOf(connection, context, scope);
      const counted = await reader.count({ ...range, signal: stop.signal });
      encodeCounted(connection.writer, requestId, counted);
    } finally {
      connection.counts.delete(requestId);
    }
  });
}

export function history(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  const { key, ...options } = decodeHistory(frame);
  answerLater(connection, context, frame, key, async () => {
    const versions = await context.store.history(key, options);
    checkLength(connection, encodeHistoryData(connection.writer, requestId, versions));
  });
}

export function scan(
  connection: Connection,
  context: ServerContext,
  frame: Frame,
  scope: RequestScope | undefined,
): void {
  const { requestId } = frame;
  const { options, credit } = decodeScan(frame);
  answerLater(connection, context, frame, beginningOf(options), async () => {
    const { scansMax, scanIdleTimeoutMs } = context.settings;
    if (connection.scans.size >= scansMax) {
      const message = `the connection has ${connection.scans.size} scans open; end one first`;
      throw new VarveError("OVERLOADED", message, { retryAfterMs: SCAN_RETRY_MS });
    }
    const source = readerOf(connection, context, scope).scan(options);
    const streamed = new StreamedScan(
      requestId,
      source,
      credit,
      connection,
      scanIdleTimeoutMs,
      options.seekable === true,
    );
    connection.scans.set(requestId, streamed);
    try {
      await streamed.run();
    } finally {
      connection.scans.delete(requestId);
    }
  });
}

/** Where a range begins, of what a client sent. */
function beginningOf({ gte, gt, prefix }: KeyRange): Uint8Array | undefined {
  const key = gte ?? gt ?? prefix;
  return typeof key === "string" ? undefined : key;
}
