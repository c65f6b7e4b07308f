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

/** `answer` has encoded the answer when it resolves. */
export function answerLater(
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

/** RESULT with what the promise resolves to; nil where that is nothing. */
export function answerResult(
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
