/**
 * What the requests that write do; each is answered when its commit is as durable as it asks for.
 *
 * Hot path: writes allocate no more than the store itself needs.
 */
import {
  decodeBatch,
  decodeDelete,
  decodeDeleteRange,
  decodeExpire,
  decodeIncrement,
  decodeMerge,
  decodePut,
  encodeAbsent,
  encodeCommitted,
  encodeIncremented,
  type FlagFields,
  type Frame,
} from "varve-protocol";
import type { BatchOptions, Durability, Expiry } from "../store.ts";
import { answerCommit, answerLater } from "./answers.ts";
import type { Connection } from "./connection.ts";
import type { ServerContext } from "./server-context.ts";

export function put(connection: Connection, context: ServerContext, frame: Frame): void {
  const request = decodePut(frame);
  const committed = context.store.put(request.key, request.value, optionsOf(request));
  answerCommit(connection, context, frame, committed);
}

export function remove(connection: Connection, context: ServerContext, frame: Frame): void {
  const request = decodeDelete(frame);
  const committed = context.store.delete(request.key, optionsOf(request));
  answerCommit(connection, context, frame, committed);
}

export function batch(connection: Connection, context: ServerContext, frame: Frame): void {
  const request = decodeBatch(frame);
  const committed = context.store.batch(request.operations, optionsOf(request));
  answerCommit(connection, context, frame, committed);
}

export function deleteRange(connection: Connection, context: ServerContext, frame: Frame): void {
  const request = decodeDeleteRange(frame);
  const committed = context.store.deleteRange(request.range, optionsOf(request));
  answerCommit(connection, context, frame, committed);
}

export function merge(connection: Connection, context: ServerContext, frame: Frame): void {
  const request = decodeMerge(frame);
  const { key, operator, operand } = request;
  const committed = context.store.merge(key, operator, operand, optionsOf(request));
  answerCommit(connection, context, frame, committed);
}

export function increment(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  const request = decodeIncrement(frame);
  answerLater(connection, context, frame, request.key, async () => {
    const { store } = context;
    const incremented = await store.increment(request.key, request.delta, optionsOf(request));
    encodeIncremented(connection.writer, requestId, incremented);
  });
}

export function expire(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  const { key, expiry, durability } = decodeExpire(frame);
  answerLater(connection, context, frame, key, async () => {
    const { store } = context;
    const options = optionsOf({ durability });
    const commit = await (expiry === undefined
      ? store.persist(key, options)
      : store.expire(key, expiry, options));
    if (commit === undefined) encodeAbsent(connection.writer, requestId);
    else encodeCommitted(connection.writer, requestId, commit.version);
  });
}

interface Choices extends FlagFields {
  readonly durability: Durability | undefined;
}

/** The store's options; none where the request chose nothing. */
function optionsOf({
  durability,
  conditions,
  expiry,
}: Choices): (BatchOptions & Expiry) | undefined {
  if (conditions === undefined && expiry === undefined) {
    return durability === undefined ? undefined : { durability };
  }
  return {
    ...(durability === undefined ? {} : { durability }),
    ...(conditions === undefined ? {} : { if: conditions }),
    ...expiry,
  };
}
