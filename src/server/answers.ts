/**
 * How a request gets its answer when a promise settles, and what its failure is told as.
 *
 * Hot path: the answer to a write allocates no more than its promise.
 */
import { encodeCommitted, encodeResult, type Frame } from "varve-protocol";
import { VarveError } from "../errors.ts";
import type { Commit } from "../store.ts";
import type { Connection } from "./connection.ts";
import type { ServerContext } from "./server-context.ts";

/** COMMITTED with what the promise resolves to. */
export function answerCommit(
  connection: Connection,
  context: ServerContext,
  { requestId, opcode }: Frame,
  committed: Promise<Commit>,
): void {
  connection.inFlight.add(requestId);
  const { meter } = context;
  const startMs = meter === undefined ? 0 : meter.tickMs();
  committed.then(
    ({ version }) => {
      encodeCommitted(connection.writer, requestId, version);
      // A commit is never done in the tick in which it was asked for.
      meter?.answered(opcode, startMs, meter.tickMs(), false);
      connection.done(requestId);
    },
    (error) => {
      meter?.answered(opcode, startMs, performance.now(), isFailure(error));
      fail(connection, context, requestId, error);
    },
  );
}

/** `answer` has encoded the answer when it resolves. `key`, if there is one, is what it is about, told where it was slow. */
export function answerLater(
  connection: Connection,
  context: ServerContext,
  { requestId, opcode }: Frame,
  key: Uint8Array | undefined,
  answer: () => Promise<void>,
): void {
  connection.inFlight.add(requestId);
  const { meter } = context;
  const startMs = meter === undefined ? 0 : meter.tickMs();
  answer().then(
    () => {
      meter?.answered(opcode, startMs, performance.now(), false, key);
      connection.done(requestId);
    },
    (error) => {
      meter?.answered(opcode, startMs, performance.now(), isFailure(error), key);
      fail(connection, context, requestId, error);
    },
  );
}

/** Not where the client's own condition did not hold, or it wished for the end. */
function isFailure(error: unknown): boolean {
  if (!(error instanceof VarveError)) return true;
  return error.code !== "CONDITION_FAILED" && error.code !== "ABORTED";
}

/** RESULT with what the promise resolves to; nil where that is nothing. */
export function answerResult(
  connection: Connection,
  context: ServerContext,
  frame: Frame,
  act: () => Promise<unknown>,
): void {
  const { requestId } = frame;
  answerLater(connection, context, frame, undefined, async () => {
    const result = (await act()) ?? null;
    checkLength(connection, encodeResult(connection.writer, requestId, result));
  });
}

/** Takes back an answer that is longer than the client can take. */
export function checkLength(connection: Connection, length: number): void {
  if (length <= connection.peerFrameBytesMax) return;
  connection.writer.undo();
  const message = `the answer takes a frame of ${length} bytes; the client takes ${connection.peerFrameBytesMax}`;
  throw new VarveError("BATCH_TOO_LARGE", message);
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

export function asVarveError(error: unknown, { logger }: ServerContext): VarveError {
  if (error instanceof VarveError) return error;
  logger.error({ err: error }, "a request failed in a way that is not foreseen");
  return new VarveError("INTERNAL", "the server failed; its log says more");
}
