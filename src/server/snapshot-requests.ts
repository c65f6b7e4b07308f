/** What the requests do that open, renew and end snapshots, and those that list and kill them. */
import {
  decodeEmpty,
  decodeSnapshotHandle,
  encodeEmpty,
  encodeResult,
  encodeSnapshotOpened,
  type Frame,
  OPCODE,
} from "varve-protocol";
import { answerLater, checkLength } from "./answers.ts";
import type { Connection } from "./connection.ts";
import type { ServerContext } from "./server-context.ts";

export function snapshot(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  decodeEmpty(frame);
  answerLater(connection, context, frame, undefined, async () => {
    const lease = await context.snapshots.open(connection);
    encodeSnapshotOpened(connection.writer, requestId, lease);
  });
}

export function renewSnapshot(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  const handle = decodeSnapshotHandle(frame);
  answerLater(connection, context, frame, undefined, async () => {
    const lease = context.snapshots.renew(connection, handle);
    encodeSnapshotOpened(connection.writer, requestId, lease);
  });
}

export function closeSnapshot(connection: Connection, context: ServerContext, frame: Frame): void {
  context.snapshots.close(connection, decodeSnapshotHandle(frame));
  encodeEmpty(connection.writer, frame.requestId, OPCODE.SNAPSHOT_CLOSED);
  connection.wrote();
}

export function listSnapshots(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  decodeEmpty(frame);
  answerLater(connection, context, frame, undefined, async () => {
    checkLength(connection, encodeResult(connection.writer, requestId, context.snapshots.list()));
  });
}

export function killSnapshot(connection: Connection, context: ServerContext, frame: Frame): void {
  const isEnded = context.snapshots.kill(decodeSnapshotHandle(frame));
  encodeResult(connection.writer, frame.requestId, isEnded);
  connection.wrote();
}
