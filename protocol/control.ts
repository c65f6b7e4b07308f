/**
 * Liveness, cancellation and administration. Bodies, little-endian:
 *
 *   PING, PONG, STATS, FLUSH, VERIFY, CANCEL   (empty)   CANCEL carries the request id of what it cancels
 *   COMPACT   fields u8 | [gte] | [lte]            bit 0 gte, bit 1 lte; each bound: length u32 | bytes
 *   RESULT    one msgpack value                    the answer to STATS, FLUSH, COMPACT and VERIFY
 */
import { pack, unpack } from "msgpackr";
import { BodyReader } from "./body-reader.ts";
import { expectNoFlags, type Frame, malformed, viewOf } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";
import type { Data } from "./store.ts";

const FIELD = { GTE: 1, LTE: 2 } as const;
const FIELDS_ALL = 3;

/** Keys from `gte` to `lte`, both included; a missing side is open. */
export interface CompactRange<Bytes extends Data = Data> {
  readonly gte?: Bytes;
  readonly lte?: Bytes;
}

type BodilessOpcode =
  | typeof OPCODE.PING
  | typeof OPCODE.CANCEL
  | typeof OPCODE.STATS
  | typeof OPCODE.FLUSH
  | typeof OPCODE.VERIFY
  | typeof OPCODE.SNAPSHOT
  | typeof OPCODE.SNAPSHOTS_LIST
  | typeof OPCODE.KEYSPACES_LIST
  | typeof OPCODE.SNAPSHOT_CLOSED
  | typeof OPCODE.INGEST_COMMIT
  | typeof OPCODE.PONG;

/** A frame that consists of its opcode and request id alone; `decodeEmpty` checks it. */
export function encodeEmpty(
  writer: FrameWriter,
  requestId: number,
  opcode: BodilessOpcode,
): number {
  writer.begin(opcode, requestId);
  return writer.end();
}

export function encodeCompact(
  writer: FrameWriter,
  requestId: number,
  { gte, lte }: CompactRange,
): number {
  writer.begin(OPCODE.COMPACT, requestId);
  writer.u8((gte === undefined ? 0 : FIELD.GTE) | (lte === undefined ? 0 : FIELD.LTE));
  if (gte !== undefined) writer.sized(gte);
  if (lte !== undefined) writer.sized(lte);
  return writer.end();
}

export function decodeCompact(frame: Frame): CompactRange<Uint8Array> {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const fields = reader.u8();
  if (fields > FIELDS_ALL) throw reader.malformed(`compact fields 0x${fields.toString(16)}`);
  const range: { gte?: Uint8Array; lte?: Uint8Array } = {};
  if ((fields & FIELD.GTE) !== 0) range.gte = reader.sized();
  if ((fields & FIELD.LTE) !== 0) range.lte = reader.sized();
  reader.finish();
  return range;
}

export function encodeResult(writer: FrameWriter, requestId: number, result: unknown): number {
  writer.begin(OPCODE.RESULT, requestId);
  writer.data(pack(result));
  return writer.end();
}

export function decodeResult(frame: Frame): unknown {
  expectNoFlags(frame);
  try {
    return unpack(viewOf(frame.bytes, frame.start, frame.end));
  } catch (error) {
    throw malformed(frame, 0, `not one msgpack value: ${(error as Error).message}`);
  }
}
