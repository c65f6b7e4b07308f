/**
 * A segment: one file of the write-ahead log, `<number>.log`. It is made ready before it is needed, filled
 * with zeros or with the bytes of a retired segment whose file it takes over, so that writes to it change no
 * metadata. It is in use from the moment its first record, the header, is on the disk:
 *
 *   formatVersion u32 | number u48 | previousNumber u48 | previousLength u48 | createdAtMs u48 | recycledFrom u48
 *
 * `previous…` name the segment before this one, and where its records end: all of them were on the disk
 * before this header was written. So a segment that is missing, or lacks some of its end, is noticed. Both
 * are 0 in the first segment. `recycledFrom` is the number of the segment whose bytes may follow this one's
 * own records, or 0.
 *
 * Records of this kind of file (framing in `record.ts`): one HEADER, then any of
 *
 * - GROUP: a commit group, `commit-group.ts`.
 * - MARKER: no payload. Says by its `syncedTo` that all before it was on the disk.
 */
import { VarveError } from "../errors.ts";
import { encodeRecordHeader, RECORD_HEADER_BYTES } from "./record.ts";

export const RECORD_KIND = { HEADER: 1, GROUP: 2, MARKER: 3 } as const;

/** 1 knew puts and deletes alone. */
const FORMAT_VERSION = 2;
const U48_BYTES = 6;
const PAYLOAD_BYTES = 4 + 5 * U48_BYTES;
export const SEGMENT_HEADER_BYTES = RECORD_HEADER_BYTES + PAYLOAD_BYTES;

/** Which segment came before, and where its records end. */
export interface SegmentLink {
  readonly number: number;
  readonly length: number;
}

export interface SegmentHeader {
  readonly number: number;
  readonly previous: SegmentLink | undefined;
  readonly createdAtMs: number;
  readonly recycledFrom: number;
}

/** The whole header record. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const record = Buffer.alloc(SEGMENT_HEADER_BYTES);
  record.writeUInt32LE(FORMAT_VERSION, RECORD_HEADER_BYTES);
  const { number, previous, createdAtMs, recycledFrom } = header;
  const fields = [number, previous?.number ?? 0, previous?.length ?? 0, createdAtMs, recycledFrom];
  for (const [i, field] of fields.entries()) {
    record.writeUIntLE(field, RECORD_HEADER_BYTES + 4 + i * U48_BYTES, U48_BYTES);
  }
  encodeRecordHeader(record, 0, PAYLOAD_BYTES, RECORD_KIND.HEADER, 0, number);
  return record;
}

/** From the payload of a header record whose checksum was found right. */
export function decodeSegmentHeader(payload: Uint8Array, path: string): SegmentHeader {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (bytes.length < 4) throw malformed(path);
  const version = bytes.readUInt32LE(0);
  if (version > FORMAT_VERSION) {
    throw new VarveError(
      "UNSUPPORTED_FORMAT",
      `${path}: log format ${version}; this version of Varve reads up to ${FORMAT_VERSION}`,
    );
  }
  if (bytes.length < PAYLOAD_BYTES) throw malformed(path);
  const field = (i: number) => bytes.readUIntLE(4 + i * U48_BYTES, U48_BYTES);
  const previous = field(1) === 0 ? undefined : { number: field(1), length: field(2) };
  return { number: field(0), previous, createdAtMs: field(3), recycledFrom: field(4) };
}

function malformed(path: string): VarveError {
  return new VarveError("CORRUPTION", `${path} at 0: malformed segment header`);
}
