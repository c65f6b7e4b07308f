/** What an answer's frame means to the call that it answers. Values are copied out of the socket's chunk. */
import {
  decodeCommitted,
  decodeCounted,
  decodeEmpty,
  decodeEntry,
  decodeHistoryData,
  decodeIncremented,
  decodeKeyspaceOpened,
  decodePageData,
  decodeResult,
  decodeScanData,
  decodeSnapshotOpened,
  decodeValue,
  decodeValues,
  type Frame,
  OPCODE,
  opcodeNameOf,
  type Page,
  unexpectedOpcode,
  VarveError,
} from "varve-protocol";
import type { BytePool } from "./byte-pool.ts";
import type { Call } from "./call-table.ts";
import type { ScanChunk } from "./scan.ts";

/** Whether the request changes what is stored. */
export function isWrite(opcode: number): boolean {
  switch (opcode) {
    case OPCODE.PUT:
    case OPCODE.DELETE:
    case OPCODE.BATCH:
    case OPCODE.MERGE:
    case OPCODE.DELETE_RANGE:
    case OPCODE.INCREMENT:
    case OPCODE.EXPIRE:
    case OPCODE.INGEST_COMMIT:
      return true;
    default:
      return false;
  }
}

/** Whether ABSENT may be the answer. */
function mayBeAbsent(opcode: number): boolean {
  return opcode === OPCODE.GET || opcode === OPCODE.GET_ENTRY || opcode === OPCODE.EXPIRE;
}

/** What the call resolves to; throws `PROTOCOL_ERROR` where the answer does not fit the call. */
export function decodeAnswerTo(call: Call, frame: Frame, pool: BytePool): unknown {
  switch (frame.opcode) {
    case OPCODE.VALUE: {
      if (call.opcode !== OPCODE.GET) throw misfit(call, frame);
      const value = decodeValue(frame);
      return pool.copy(value, 0, value.length);
    }
    case OPCODE.ABSENT:
      if (!mayBeAbsent(call.opcode)) throw misfit(call, frame);
      decodeEmpty(frame);
      return undefined;
    case OPCODE.ENTRY: {
      if (call.opcode !== OPCODE.GET_ENTRY) throw misfit(call, frame);
      const entry = decodeEntry(frame);
      return { ...entry, value: pool.copy(entry.value, 0, entry.value.length) };
    }
    case OPCODE.PAGE_DATA:
      if (call.opcode !== OPCODE.PAGE) throw misfit(call, frame);
      return pageOf(frame);
    case OPCODE.COUNTED:
      if (call.opcode !== OPCODE.COUNT) throw misfit(call, frame);
      return decodeCounted(frame);
    case OPCODE.HISTORY_DATA:
      if (call.opcode !== OPCODE.HISTORY) throw misfit(call, frame);
      return decodeHistoryData(frame).map((version) => ({
        ...version,
        value: version.value && new Uint8Array(version.value),
      }));
    case OPCODE.COMMITTED:
      if (!isWrite(call.opcode) || call.opcode === OPCODE.INCREMENT) throw misfit(call, frame);
      return { version: decodeCommitted(frame) };
    case OPCODE.INCREMENTED:
      if (call.opcode !== OPCODE.INCREMENT) throw misfit(call, frame);
      return decodeIncremented(frame);
    case OPCODE.VALUES: {
      if (call.opcode !== OPCODE.GET_MANY) throw misfit(call, frame);
      const values = decodeValues(frame);
      if (values.length !== call.keys) throw misfit(call, frame);
      return values.map((value) => value && pool.copy(value, 0, value.length));
    }
    case OPCODE.SNAPSHOT_OPENED:
      if (call.opcode !== OPCODE.SNAPSHOT && call.opcode !== OPCODE.SNAPSHOT_RENEW) {
        throw misfit(call, frame);
      }
      return decodeSnapshotOpened(frame);
    case OPCODE.SNAPSHOT_CLOSED:
      if (call.opcode !== OPCODE.SNAPSHOT_CLOSE) throw misfit(call, frame);
      decodeEmpty(frame);
      return undefined;
    case OPCODE.KEYSPACE_OPENED:
      if (call.opcode !== OPCODE.KEYSPACE_OPEN) throw misfit(call, frame);
      return decodeKeyspaceOpened(frame);
    case OPCODE.PONG:
      if (call.opcode !== OPCODE.PING) throw misfit(call, frame);
      decodeEmpty(frame);
      return undefined;
    case OPCODE.RESULT:
      if (call.opcode < OPCODE.STATS) throw misfit(call, frame);
      return decodeResult(frame);
    default:
      throw unexpectedOpcode(frame.opcode);
  }
}

/** The entries of a SCAN_DATA frame, copied whole: a scan that is read slowly keeps no chunks of the socket. */
export function decodeChunk(frame: Frame): ScanChunk {
  const copy = copyOf(frame);
  return { entries: decodeScanData(copy), bytes: copy.end, next: 0 };
}

function pageOf(frame: Frame): Page {
  const { entries, cursor } = decodePageData(copyOf(frame));
  return { entries, cursor: cursor && new Uint8Array(cursor) };
}

/** The frame over a body of its own. */
function copyOf({ opcode, flags, requestId, bytes, start, end }: Frame): Frame {
  const body = new Uint8Array(end - start);
  body.set(bytes.subarray(start, end));
  return { opcode, flags, requestId, bytes: body, start: 0, end: body.length };
}

/** The error for an answer of the wrong kind. */
export function misfit(call: Call, frame: Frame): VarveError {
  return new VarveError(
    "PROTOCOL_ERROR",
    `${opcodeNameOf(frame.opcode)} does not fit request ${frame.requestId}, a ${opcodeNameOf(call.opcode)}`,
  );
}
