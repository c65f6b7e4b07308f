/** Every answer as one closed set of objects; see `request.ts`. */
import { decodeResult, encodeEmpty, encodeResult } from "./control.ts";
import type { VarveError } from "./errors.ts";
import { decodeError, encodeError } from "./failure.ts";
import { decodeEmpty, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { decodeWelcome, encodeWelcome, type Welcome } from "./handshake.ts";
import { decodeHistoryData, encodeHistoryData } from "./history.ts";
import { decodeIngestReady, encodeIngestReady } from "./ingests.ts";
import { decodeKeyspaceOpened, encodeKeyspaceOpened, type KeyspaceHandle } from "./keyspaces.ts";
import { OPCODE, unexpectedOpcode } from "./opcodes.ts";
import { decodeCounted, decodePageData, encodeCounted, encodePageData } from "./pages.ts";
import {
  decodeEntry,
  decodeValue,
  decodeValues,
  encodeAbsent,
  encodeEntry,
  encodeValue,
  encodeValues,
} from "./reads.ts";
import {
  decodeScanData,
  decodeScanEnd,
  decodeScanSought,
  encodeScanData,
  encodeScanEnd,
  encodeScanSought,
} from "./scans.ts";
import { decodeSnapshotOpened, encodeSnapshotOpened, type SnapshotLease } from "./snapshots.ts";
import type { Entry, EntryRecord, Incremented, KeyVersion, Page } from "./store.ts";
import { decodeIncremented, encodeIncremented } from "./updates.ts";
import { decodeWatchData, encodeWatchData, type WatchPart } from "./watches.ts";
import { decodeCommitted, encodeCommitted } from "./writes.ts";

export type Answer =
  | ({ readonly kind: "WELCOME" } & Welcome)
  | { readonly kind: "ERROR"; readonly error: VarveError }
  | { readonly kind: "PONG" }
  | ({ readonly kind: "KEYSPACE_OPENED" } & KeyspaceHandle)
  | { readonly kind: "ABSENT" }
  | { readonly kind: "VALUE"; readonly value: Uint8Array }
  | { readonly kind: "VALUES"; readonly values: (Uint8Array | undefined)[] }
  | { readonly kind: "ENTRY"; readonly entry: EntryRecord }
  | ({ readonly kind: "PAGE_DATA" } & Page)
  | { readonly kind: "COUNTED"; readonly count: number }
  | { readonly kind: "HISTORY_DATA"; readonly versions: readonly KeyVersion[] }
  | ({ readonly kind: "SNAPSHOT_OPENED" } & SnapshotLease)
  | { readonly kind: "SNAPSHOT_CLOSED" }
  | { readonly kind: "COMMITTED"; readonly version: number }
  | ({ readonly kind: "INCREMENTED" } & Incremented)
  | { readonly kind: "INGEST_READY"; readonly credit: number }
  | { readonly kind: "SCAN_DATA"; readonly entries: Entry[] }
  | { readonly kind: "SCAN_SOUGHT"; readonly seeks: number }
  | { readonly kind: "SCAN_END"; readonly count: number }
  | { readonly kind: "WATCH_DATA"; readonly parts: readonly WatchPart[] }
  | { readonly kind: "RESULT"; readonly result: unknown };

/** Appends the answer's frame; returns its `length`. WELCOME's request id is always 0. */
export function encodeAnswer(writer: FrameWriter, requestId: number, answer: Answer): number {
  switch (answer.kind) {
    case "WELCOME":
      return encodeWelcome(writer, answer);
    case "ERROR":
      return encodeError(writer, requestId, answer.error);
    case "PONG":
      return encodeEmpty(writer, requestId, OPCODE.PONG);
    case "KEYSPACE_OPENED":
      return encodeKeyspaceOpened(writer, requestId, answer);
    case "ABSENT":
      return encodeAbsent(writer, requestId);
    case "VALUE":
      return encodeValue(writer, requestId, answer.value);
    case "VALUES":
      return encodeValues(writer, requestId, answer.values);
    case "ENTRY":
      return encodeEntry(writer, requestId, answer.entry);
    case "PAGE_DATA":
      return encodePageData(writer, requestId, answer);
    case "COUNTED":
      return encodeCounted(writer, requestId, answer.count);
    case "HISTORY_DATA":
      return encodeHistoryData(writer, requestId, answer.versions);
    case "SNAPSHOT_OPENED":
      return encodeSnapshotOpened(writer, requestId, answer);
    case "SNAPSHOT_CLOSED":
      return encodeEmpty(writer, requestId, OPCODE.SNAPSHOT_CLOSED);
    case "COMMITTED":
      return encodeCommitted(writer, requestId, answer.version);
    case "INCREMENTED":
      return encodeIncremented(writer, requestId, answer);
    case "INGEST_READY":
      return encodeIngestReady(writer, requestId, answer.credit);
    case "SCAN_DATA":
      return encodeScanData(writer, requestId, answer.entries);
    case "SCAN_SOUGHT":
      return encodeScanSought(writer, requestId, answer.seeks);
    case "SCAN_END":
      return encodeScanEnd(writer, requestId, answer.count);
    case "WATCH_DATA":
      return encodeWatchData(writer, requestId, answer.parts);
    case "RESULT":
      return encodeResult(writer, requestId, answer.result);
  }
}

/** The answer in a frame that a client received; throws `PROTOCOL_ERROR`. */
export function decodeAnswer(frame: Frame): Answer {
  switch (frame.opcode) {
    case OPCODE.WELCOME:
      return { kind: "WELCOME", ...decodeWelcome(frame) };
    case OPCODE.ERROR:
      return { kind: "ERROR", error: decodeError(frame) };
    case OPCODE.PONG:
      decodeEmpty(frame);
      return { kind: "PONG" };
    case OPCODE.KEYSPACE_OPENED:
      return { kind: "KEYSPACE_OPENED", ...decodeKeyspaceOpened(frame) };
    case OPCODE.ABSENT:
      decodeEmpty(frame);
      return { kind: "ABSENT" };
    case OPCODE.VALUE:
      return { kind: "VALUE", value: decodeValue(frame) };
    case OPCODE.VALUES:
      return { kind: "VALUES", values: decodeValues(frame) };
    case OPCODE.ENTRY:
      return { kind: "ENTRY", entry: decodeEntry(frame) };
    case OPCODE.PAGE_DATA:
      return { kind: "PAGE_DATA", ...decodePageData(frame) };
    case OPCODE.COUNTED:
      return { kind: "COUNTED", count: decodeCounted(frame) };
    case OPCODE.HISTORY_DATA:
      return { kind: "HISTORY_DATA", versions: decodeHistoryData(frame) };
    case OPCODE.SNAPSHOT_OPENED:
      return { kind: "SNAPSHOT_OPENED", ...decodeSnapshotOpened(frame) };
    case OPCODE.SNAPSHOT_CLOSED:
      decodeEmpty(frame);
      return { kind: "SNAPSHOT_CLOSED" };
    case OPCODE.COMMITTED:
      return { kind: "COMMITTED", version: decodeCommitted(frame) };
    case OPCODE.INCREMENTED:
      return { kind: "INCREMENTED", ...decodeIncremented(frame) };
    case OPCODE.INGEST_READY:
      return { kind: "INGEST_READY", credit: decodeIngestReady(frame) };
    case OPCODE.SCAN_DATA:
      return { kind: "SCAN_DATA", entries: decodeScanData(frame) };
    case OPCODE.SCAN_SOUGHT:
      return { kind: "SCAN_SOUGHT", seeks: decodeScanSought(frame) };
    case OPCODE.SCAN_END:
      return { kind: "SCAN_END", count: decodeScanEnd(frame) };
    case OPCODE.WATCH_DATA:
      return { kind: "WATCH_DATA", parts: decodeWatchData(frame) };
    case OPCODE.RESULT:
      return { kind: "RESULT", result: decodeResult(frame) };
    default:
      throw unexpectedOpcode(frame.opcode);
  }
}
