/**
 * What each request does. An answer that is ready at once is encoded at once, in the order of the requests;
 * any other when its promise resolves. A bad frame throws, which ends the connection; what goes wrong in a
 * well-formed request is an error answer.
 *
 * Hot path: GET from memory and the writes allocate no more than the store itself needs.
 */
import {
  CONNECTION_REQUEST_ID,
  chooseVersion,
  decodeBatch,
  decodeCompact,
  decodeDelete,
  decodeEmpty,
  decodeGet,
  decodeGetMany,
  decodeHello,
  decodePut,
  decodeScan,
  decodeScanCredit,
  encodeAbsent,
  encodeCommitted,
  encodeEmpty,
  encodeEntry,
  encodeResult,
  encodeValue,
  encodeValues,
  encodeWelcome,
  FEATURES,
  type Frame,
  OPCODE,
  opcodeNameOf,
  unexpectedOpcode,
} from "varve-protocol";
import { VarveError } from "../errors.ts";
import { type Commit, type Durability, NOT_CACHED, type WriteOptions } from "../store.ts";
import type { Connection } from "./connection.ts";
import { StreamedScan } from "./served-scan.ts";
import type { ServerContext } from "./server-context.ts";

const SERVER_NAME = "varve";
const SCAN_RETRY_MS = 100;

/** The first frame, which must be HELLO. */
export function greet(connection: Connection, context: ServerContext, frame: Frame): void {
  if (frame.opcode !== OPCODE.HELLO) {
    throw new VarveError("PROTOCOL_ERROR", "the first frame must be HELLO");
  }
  const hello = decodeHello(frame);
  const version = chooseVersion(hello);
  connection.greeted(hello);
  const { limits, version: serverVersion, logger } = context;
  const features = hello.features & FEATURES;
  const serverName = SERVER_NAME;
  encodeWelcome(connection.writer, { version, features, limits, serverName, serverVersion });
  connection.wrote();
  logger.debug({ peer: connection.peer, client: hello.clientName }, "client connected");
}

export function execute(connection: Connection, context: ServerContext, frame: Frame): void {
  const { opcode, requestId } = frame;
  if (opcode === OPCODE.CANCEL) cancel(connection, frame);
  else if (opcode === OPCODE.SCAN_CREDIT) grantCredit(connection, frame);
  else {
    assertFreeId(connection, requestId);
    count(context, opcode);
    if (!context.isClosing) dispatch(connection, context, frame);
    else {
      const message = "the server is shutting down";
      connection.sendError(
        requestId,
        new VarveError("SHUTTING_DOWN", message, { retryable: true }),
      );
    }
  }
}

function assertFreeId(connection: Connection, requestId: number): void {
  if (requestId === CONNECTION_REQUEST_ID) {
    throw new VarveError("PROTOCOL_ERROR", "request id 0 belongs to the connection itself");
  }
  if (connection.inFlight.has(requestId)) {
    throw new VarveError("PROTOCOL_ERROR", `request id ${requestId} is in flight already`);
  }
}

function dispatch(connection: Connection, context: ServerContext, frame: Frame): void {
  switch (frame.opcode) {
    case OPCODE.GET:
      get(connection, context, frame);
      break;
    case OPCODE.PUT:
      put(connection, context, frame);
      break;
    case OPCODE.DELETE:
      remove(connection, context, frame);
      break;
    case OPCODE.BATCH:
      batch(connection, context, frame);
      break;
    case OPCODE.GET_ENTRY:
      getEntry(connection, context, frame);
      break;
    case OPCODE.GET_MANY:
      getMany(connection, context, frame);
      break;
    case OPCODE.SCAN:
      scan(connection, context, frame);
      break;
    case OPCODE.PING:
      decodeEmpty(frame);
      encodeEmpty(connection.writer, frame.requestId, OPCODE.PONG);
      connection.wrote();
      break;
    case OPCODE.STATS:
      decodeEmpty(frame);
      answerResult(connection, context, frame, async () => context.stats());
      break;
    case OPCODE.FLUSH:
      decodeEmpty(frame);
      answerResult(connection, context, frame, () => context.store.flush());
      break;
    case OPCODE.VERIFY:
      decodeEmpty(frame);
      answerResult(connection, context, frame, () => context.store.verify());
      break;
    case OPCODE.COMPACT: {
      const range = decodeCompact(frame);
      answerResult(connection, context, frame, () => context.store.compact(range));
      break;
    }
    default:
      throw unexpectedOpcode(frame.opcode);
  }
}

/** RESULT with what the promise resolves to; nil where that is nothing. */
function answerResult(
  connection: Connection,
  context: ServerContext,
  { requestId }: Frame,
  act: () => Promise<unknown>,
): void {
  answerLater(connection, context, requestId, async () => {
    const result = (await act()) ?? null;
    checkLength(connection, encodeResult(connection.writer, requestId, result));
  });
}

function count({ counters }: ServerContext, opcode: number): void {
  const name = opcodeNameOf(opcode) ?? "unknown";
  counters.requests[name] = (counters.requests[name] ?? 0) + 1;
}

function optionsOf(durability: Durability | undefined): WriteOptions | undefined {
  return durability === undefined ? undefined : { durability };
}

function get(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  const key = decodeGet(frame);
  try {
    const value = context.store.getCached(key);
    if (value !== NOT_CACHED) {
      answerValue(connection, requestId, value);
      connection.wrote();
      return;
    }
  } catch (error) {
    connection.sendError(requestId, asVarveError(error, context));
    return;
  }
  answerLater(connection, context, requestId, async () => {
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

/** Takes back an answer that is longer than the client can take. */
function checkLength(connection: Connection, length: number): void {
  if (length <= connection.peerFrameBytesMax) return;
  connection.writer.undo();
  const message = `the answer takes a frame of ${length} bytes; the client takes ${connection.peerFrameBytesMax}`;
  throw new VarveError("BATCH_TOO_LARGE", message);
}

function put(connection: Connection, context: ServerContext, frame: Frame): void {
  const { key, value, durability } = decodePut(frame);
  const committed = context.store.put(key, value, optionsOf(durability));
  answerCommit(connection, context, frame.requestId, committed);
}

function remove(connection: Connection, context: ServerContext, frame: Frame): void {
  const { key, durability } = decodeDelete(frame);
  const committed = context.store.delete(key, optionsOf(durability));
  answerCommit(connection, context, frame.requestId, committed);
}

function batch(connection: Connection, context: ServerContext, frame: Frame): void {
  const { operations, durability } = decodeBatch(frame);
  const committed = context.store.batch(operations, optionsOf(durability));
  answerCommit(connection, context, frame.requestId, committed);
}

function answerCommit(
  connection: Connection,
  context: ServerContext,
  requestId: number,
  committed: Promise<Commit>,
): void {
  connection.inFlight.add(requestId);
  committed.then(
    ({ version }) => {
      encodeCommitted(connection.writer, requestId, version);
      connection.done(requestId);
    },
    (error) => fail(connection, context, requestId, error),
  );
}

function getEntry(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  const key = decodeGet(frame);
  answerLater(connection, context, requestId, async () => {
    const entry = await context.store.getEntry(key);
    const { writer } = connection;
    if (entry === undefined) encodeAbsent(writer, requestId);
    else checkLength(connection, encodeEntry(writer, requestId, entry));
  });
}

function getMany(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  const keys = decodeGetMany(frame);
  answerLater(connection, context, requestId, async () => {
    const { batchOperationsMax } = context.limits;
    if (keys.length > batchOperationsMax) {
      const message = `${keys.length} keys are asked for; at most ${batchOperationsMax} are allowed`;
      throw new VarveError("BATCH_TOO_LARGE", message);
    }
    const values = await context.store.getMany(keys);
    const bytes = values.reduce((total, value) => total + 4 + (value?.length ?? 0), 0);
    if (bytes > connection.peerFrameBytesMax) {
      const message = `the values take ${bytes} bytes; the client takes frames of ${connection.peerFrameBytesMax}. Ask for fewer keys`;
      throw new VarveError("BATCH_TOO_LARGE", message);
    }
    checkLength(connection, encodeValues(connection.writer, requestId, values));
  });
}

function scan(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  const { options, credit } = decodeScan(frame);
  answerLater(connection, context, requestId, async () => {
    const { scansMax, scanIdleTimeoutMs } = context.settings;
    if (connection.scans.size >= scansMax) {
      const message = `the connection has ${connection.scans.size} scans open; end one first`;
      throw new VarveError("OVERLOADED", message, { retryAfterMs: SCAN_RETRY_MS });
    }
    const source = context.store.scan(options);
    const streamed = new StreamedScan(requestId, source, credit, connection, scanIdleTimeoutMs);
    connection.scans.set(requestId, streamed);
    try {
      await streamed.run();
    } finally {
      connection.scans.delete(requestId);
    }
  });
}

function grantCredit(connection: Connection, frame: Frame): void {
  const credit = decodeScanCredit(frame);
  connection.scans.get(frame.requestId)?.grant(credit);
}

/** Scans end at once. Other requests are beyond recall when a CANCEL arrives, and are answered as they end. */
function cancel(connection: Connection, frame: Frame): void {
  decodeEmpty(frame);
  connection.scans.get(frame.requestId)?.cancel();
}

function answerLater(
  connection: Connection,
  context: ServerContext,
  requestId: number,
  answer: () => Promise<void>,
): void {
  connection.inFlight.add(requestId);
  answer().then(
    () => connection.done(requestId),
    (error) => fail(connection, context, requestId, error),
  );
}

function fail(
  connection: Connection,
  context: ServerContext,
  requestId: number,
  error: unknown,
): void {
  connection.sendError(requestId, asVarveError(error, context));
  connection.done(requestId);
}

function asVarveError(error: unknown, { logger }: ServerContext): VarveError {
  if (error instanceof VarveError) return error;
  logger.error({ err: error }, "a request failed in a way that is not foreseen");
  return new VarveError("INTERNAL", "the server failed; its log says more");
}
