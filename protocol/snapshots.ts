/**
 * Snapshots as leased handles, and what an administrator asks about them. Bodies, little-endian:
 *
 *   SNAPSHOT, SNAPSHOTS_LIST, SNAPSHOT_CLOSED       (empty)
 *   SNAPSHOT_CLOSE, SNAPSHOT_RENEW, SNAPSHOT_KILL   handle u64
 *   SNAPSHOT_OPENED   handle u64 | sequence u64 | leaseMs u32      the answer to SNAPSHOT and SNAPSHOT_RENEW
 *
 * How a read names the handle: see `request-scope.ts`.
 */
import { BodyReader } from "./body-reader.ts";
import { expectNoFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";

export interface SnapshotLease {
  /** Names the snapshot on the connection that opened it. */
  readonly handle: number;
  /** The newest sequence that it sees. */
  readonly sequence: number;
  /** It ends when it was not used or renewed for so long. */
  readonly leaseMs: number;
}

/** What an administrator is told of an open snapshot. */
export interface SnapshotInfo {
  /** Names it to SNAPSHOT_KILL. */
  readonly id: number;
  readonly sequence: number;
  /** host:port of the client. */
  readonly peer: string;
  /** When it was opened, in milliseconds since 1970 by the server's clock. */
  readonly openedMs: number;
  readonly leaseLeftMs: number;
}

type HandleOpcode =
  | typeof OPCODE.SNAPSHOT_CLOSE
  | typeof OPCODE.SNAPSHOT_RENEW
  | typeof OPCODE.SNAPSHOT_KILL;

export function encodeSnapshotHandle(
  writer: FrameWriter,
  requestId: number,
  opcode: HandleOpcode,
  handle: number,
): number {
  writer.begin(opcode, requestId);
  writer.u64(handle);
  return writer.end();
}

/** The handle of a SNAPSHOT_CLOSE, SNAPSHOT_RENEW or SNAPSHOT_KILL. */
export function decodeSnapshotHandle(frame: Frame): number {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const handle = reader.u64();
  reader.finish();
  return handle;
}

export function encodeSnapshotOpened(
  writer: FrameWriter,
  requestId: number,
  { handle, sequence, leaseMs }: SnapshotLease,
): number {
  writer.begin(OPCODE.SNAPSHOT_OPENED, requestId);
  writer.u64(handle);
  writer.u64(sequence);
  writer.u32(leaseMs);
  return writer.end();
}

export function decodeSnapshotOpened(frame: Frame): SnapshotLease {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const lease = { handle: reader.u64(), sequence: reader.u64(), leaseMs: reader.u32() };
  reader.finish();
  return lease;
}
