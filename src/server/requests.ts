/**
 * From a frame to what it asks for: the handshake, the rules that hold for every request, and which function
 * carries out which; `reads.ts` and `writes.ts` have those of the data. A bad frame throws, which ends the
 * connection; what goes wrong in a well-formed request is an error answer.
 */
import {
  CONNECTION_REQUEST_ID,
  chooseVersion,
  decodeCompact,
  decodeEmpty,
  decodeHello,
  decodeScanCredit,
  decodeScanSeek,
  encodeEmpty,
  encodeWelcome,
  FEATURES,
  type Frame,
  OPCODE,
  opcodeNameOf,
  type RequestScope,
  takeScope,
  unexpectedOpcode,
} from "varve-protocol";
import { VarveError } from "../errors.ts";
import { answerResult } from "./answers.ts";
import type { Connection } from "./connection.ts";
import { beginIngest, commitIngest, takeIngestData } from "./ingests.ts";
import { alterKeyspace, dropKeyspace, listKeyspaces, openKeyspace } from "./keyspaces.ts";
import { count as countEntries, get, getEntry, getMany, history, page, scan } from "./reads.ts";
import type { ServerContext } from "./server-context.ts";
import {
  closeSnapshot,
  killSnapshot,
  listSnapshots,
  renewSnapshot,
  snapshot,
} from "./snapshot-requests.ts";
import { grantWatchCredit, watch } from "./watches.ts";
import { batch, deleteRange, expire, increment, merge, put, remove } from "./writes.ts";

const SERVER_NAME = "varve";

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
  else if (opcode === OPCODE.SCAN_SEEK) seek(connection, frame);
  else if (opcode === OPCODE.WATCH_CREDIT) grantWatchCredit(connection, frame);
  else if (opcode === OPCODE.INGEST_DATA) takeIngestData(connection, frame);
  else if (opcode === OPCODE.INGEST_COMMIT) commitIngest(connection, frame);
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

function dispatch(connection: Connection, context: ServerContext, received: Frame): void {
  let frame = received;
  let scope: RequestScope | undefined;
  if (received.flags !== 0) ({ scope, frame } = takeScope(received));
  switch (frame.opcode) {
    case OPCODE.GET:
      get(connection, context, frame, scope);
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
    case OPCODE.DELETE_RANGE:
      deleteRange(connection, context, frame);
      break;
    case OPCODE.MERGE:
      merge(connection, context, frame);
      break;
    case OPCODE.INGEST_BEGIN:
      beginIngest(connection, context, frame);
      break;
    case OPCODE.INCREMENT:
      increment(connection, context, frame);
      break;
    case OPCODE.EXPIRE:
      expire(connection, context, frame);
      break;
    case OPCODE.GET_ENTRY:
      getEntry(connection, context, frame, scope);
      break;
    case OPCODE.PAGE:
      page(connection, context, frame, scope);
      break;
    case OPCODE.COUNT:
      countEntries(connection, context, frame, scope);
      break;
    case OPCODE.HISTORY:
      history(connection, context, frame);
      break;
    case OPCODE.GET_MANY:
      getMany(connection, context, frame, scope);
      break;
    case OPCODE.SCAN:
      scan(connection, context, frame, scope);
      break;
    case OPCODE.WATCH:
      watch(connection, context, frame);
      break;
    case OPCODE.SNAPSHOT:
      snapshot(connection, context, frame);
      break;
    case OPCODE.SNAPSHOT_CLOSE:
      closeSnapshot(connection, context, frame);
      answeredAtOnce(context, frame);
      break;
    case OPCODE.SNAPSHOT_RENEW:
      renewSnapshot(connection, context, frame);
      break;
    case OPCODE.SNAPSHOTS_LIST:
      listSnapshots(connection, context, frame);
      break;
    case OPCODE.SNAPSHOT_KILL:
      killSnapshot(connection, context, frame);
      answeredAtOnce(context, frame);
      break;
    case OPCODE.KEYSPACE_OPEN:
      openKeyspace(connection, context, frame);
      break;
    case OPCODE.KEYSPACES_LIST:
      listKeyspaces(connection, context, frame);
      break;
    case OPCODE.KEYSPACE_DROP:
      dropKeyspace(connection, context, frame);
      break;
    case OPCODE.KEYSPACE_ALTER:
      alterKeyspace(connection, context, frame);
      break;
    case OPCODE.PING:
      decodeEmpty(frame);
      encodeEmpty(connection.writer, frame.requestId, OPCODE.PONG);
      connection.wrote();
      answeredAtOnce(context, frame);
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

function answeredAtOnce({ meter }: ServerContext, { opcode }: Frame): void {
  meter?.answered(opcode, meter.tickMs(), performance.now(), false);
}

function count({ counters }: ServerContext, opcode: number): void {
  const name = opcodeNameOf(opcode) ?? "unknown";
  counters.requests[name] = (counters.requests[name] ?? 0) + 1;
}

function seek(connection: Connection, frame: Frame): void {
  connection.scans.get(frame.requestId)?.seek(decodeScanSeek(frame));
}

function grantCredit(connection: Connection, frame: Frame): void {
  const credit = decodeScanCredit(frame);
  connection.scans.get(frame.requestId)?.grant(credit);
}

/**
 * Scans, watches, and ingests before their COMMIT end at once, and counts in the next turn. Other requests are beyond
 * recall when a CANCEL arrives, and are answered as they end.
 */
function cancel(connection: Connection, frame: Frame): void {
  decodeEmpty(frame);
  connection.scans.get(frame.requestId)?.cancel();
  connection.watches.get(frame.requestId)?.cancel();
  connection.ingests.get(frame.requestId)?.cancel();
  connection.counts.get(frame.requestId)?.abort();
}
