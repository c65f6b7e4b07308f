/**
 * The numbers that name frames, and the constants of the handshake. README.md in this folder is the
 * specification; a test holds its tables against this file. Numbers are never used again.
 *
 * Requests lie below 0x80, answers from 0x80 on. The free ranges are for features to come: 0x05-0x0F
 * connection (authentication), 0x13 and 0x1A-0x1F reads, 0x2A-0x2F writes,
 * 0x42-0x5F streams, 0x79-0x7F administration.
 */
import { VarveError } from "./errors.ts";

export const OPCODE = {
  HELLO: 0x01,
  PING: 0x02,
  CANCEL: 0x03,
  KEYSPACE_OPEN: 0x04,
  GET: 0x10,
  GET_MANY: 0x11,
  GET_ENTRY: 0x12,
  PAGE: 0x14,
  COUNT: 0x15,
  SNAPSHOT: 0x16,
  SNAPSHOT_CLOSE: 0x17,
  SNAPSHOT_RENEW: 0x18,
  HISTORY: 0x19,
  PUT: 0x20,
  DELETE: 0x21,
  BATCH: 0x22,
  MERGE: 0x23,
  INCREMENT: 0x24,
  EXPIRE: 0x25,
  DELETE_RANGE: 0x26,
  INGEST_BEGIN: 0x27,
  INGEST_DATA: 0x28,
  INGEST_COMMIT: 0x29,
  SCAN: 0x30,
  SCAN_CREDIT: 0x31,
  SCAN_SEEK: 0x32,
  WATCH: 0x40,
  WATCH_CREDIT: 0x41,
  STATS: 0x70,
  FLUSH: 0x71,
  COMPACT: 0x72,
  VERIFY: 0x73,
  SNAPSHOTS_LIST: 0x74,
  SNAPSHOT_KILL: 0x75,
  KEYSPACES_LIST: 0x76,
  KEYSPACE_DROP: 0x77,
  KEYSPACE_ALTER: 0x78,

  ERROR: 0x80,
  WELCOME: 0x81,
  PONG: 0x82,
  KEYSPACE_OPENED: 0x84,
  VALUE: 0x90,
  ABSENT: 0x91,
  VALUES: 0x92,
  ENTRY: 0x93,
  PAGE_DATA: 0x94,
  COUNTED: 0x95,
  SNAPSHOT_OPENED: 0x96,
  SNAPSHOT_CLOSED: 0x97,
  HISTORY_DATA: 0x99,
  COMMITTED: 0xa0,
  INCREMENTED: 0xa1,
  INGEST_READY: 0xa2,
  SCAN_DATA: 0xb0,
  SCAN_END: 0xb1,
  SCAN_SOUGHT: 0xb2,
  WATCH_DATA: 0xc0,
  RESULT: 0xf0,
} as const;

export type OpcodeName = keyof typeof OPCODE;
export type Opcode = (typeof OPCODE)[OpcodeName];

/** "VARV", the first bytes of the bodies of HELLO and WELCOME. */
export const MAGIC = [0x56, 0x41, 0x52, 0x56] as const;

/** The protocol versions that this package speaks, lowest and highest. */
export const PROTOCOL_VERSION_MIN = 1;
export const PROTOCOL_VERSION_MAX = 1;

/** Feature bits that this package understands. None is defined yet; unknown bits are ignored. */
export const FEATURES = 0;

export const DEFAULT_PORT = 7420;

/** The request id of HELLO, of its answer, and of errors that concern the connection as a whole. */
export const CONNECTION_REQUEST_ID = 0;

const opcodeNames = new Map<number, OpcodeName>(
  Object.entries(OPCODE).map(([name, number]) => [number, name as OpcodeName]),
);

/** The opcode's name; `undefined` for one that this version does not know. */
export function opcodeNameOf(opcode: number): OpcodeName | undefined {
  return opcodeNames.get(opcode);
}

/** The error for a frame whose opcode has no meaning here: unknown, or known but not in this direction. */
export function unexpectedOpcode(opcode: number): VarveError {
  const hex = `0x${opcode.toString(16).padStart(2, "0")}`;
  const name = opcodeNames.get(opcode);
  return new VarveError(
    "PROTOCOL_ERROR",
    name === undefined ? `unknown opcode ${hex}` : `opcode ${hex} (${name}) is not expected here`,
  );
}
