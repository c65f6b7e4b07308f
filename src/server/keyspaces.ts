/** What the requests do that open, list, drop and alter keyspaces. */
import {
  decodeEmpty,
  decodeKeyspaceAlter,
  decodeKeyspaceDrop,
  decodeKeyspaceOpen,
  encodeKeyspaceOpened,
  type Frame,
} from "varve-protocol";
import { answerLater, answerResult } from "./answers.ts";
import type { Connection } from "./connection.ts";
import type { ServerContext } from "./server-context.ts";

export function openKeyspace(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  const { name, options } = decodeKeyspaceOpen(frame);
  answerLater(connection, context, frame, undefined, async () => {
    const opened = await context.store.openKeyspace(name, options);
    encodeKeyspaceOpened(connection.writer, requestId, opened);
  });
}

export function listKeyspaces(connection: Connection, context: ServerContext, frame: Frame): void {
  decodeEmpty(frame);
  answerResult(connection, context, frame, () => context.store.keyspaces());
}

export function dropKeyspace(connection: Connection, context: ServerContext, frame: Frame): void {
  const name = decodeKeyspaceDrop(frame);
  answerResult(connection, context, frame, () => context.store.dropKeyspace(name));
}

export function alterKeyspace(connection: Connection, context: ServerContext, frame: Frame): void {
  const { name, changes } = decodeKeyspaceAlter(frame);
  answerResult(connection, context, frame, () => context.store.alterKeyspace(name, changes));
}
