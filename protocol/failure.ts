/**
 * ERROR, the answer to any request that failed. Body, little-endian:
 *
 *   code u16 | details u8 | retryAfterMs u32 | [conflict] | [sequence u64] | message (UTF-8, to the end)
 *     conflict   keyLength u32 | key | sequence u64        sequence 0: the key is absent
 *
 * details: bit 0 retryable, bit 1 maybeApplied, bit 2 conflict, bit 3 sequence. retryAfterMs 0xFFFFFFFF: none given.
 */
import { BodyReader } from "./body-reader.ts";
import { ERROR_CODES, type ErrorDetails, errorCodeOf, VarveError } from "./errors.ts";
import {
  expectNoFlags,
  FRAME_FIXED_BYTES,
  type Frame,
  HANDSHAKE_FRAME_BYTES_MAX,
} from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";

const DETAIL = { RETRYABLE: 1, MAYBE_APPLIED: 2, CONFLICT: 4, SEQUENCE: 8 } as const;
const DETAILS_ALL = 15;
const NO_RETRY_AFTER = 0xffffffff;
const ABSENT = 0;
/** Code, details and retryAfterMs. */
const FIXED_BYTES = 2 + 1 + 4;
/** A conflict without its key: the key's length and the sequence. */
const CONFLICT_BYTES = 4 + 8;
/** Longer messages are cut, so that an answer that says what is wrong always fits a frame. */
const MESSAGE_BYTES_MAX = 2048;

/**
 * `frameBytesMax` is what the receiver takes; by default what every receiver does. An error's key is left out
 * where the frame would be longer with it.
 */
export function encodeError(
  writer: FrameWriter,
  requestId: number,
  error: VarveError,
  frameBytesMax: number = HANDSHAKE_FRAME_BYTES_MAX,
): number {
  const { retryAfterMs, key } = error;
  const message = Buffer.from(error.message).subarray(0, MESSAGE_BYTES_MAX);
  const bytes = FRAME_FIXED_BYTES + FIXED_BYTES + message.length;
  const conflict =
    key !== undefined && bytes + CONFLICT_BYTES + key.length <= frameBytesMax ? key : undefined;
  // That of a conflict stands with its key, and says nothing without.
  const sequence = key === undefined ? error.sequence : undefined;
  writer.begin(OPCODE.ERROR, requestId);
  writer.u16(ERROR_CODES[error.code]);
  writer.u8(
    (error.retryable ? DETAIL.RETRYABLE : 0) |
      (error.maybeApplied ? DETAIL.MAYBE_APPLIED : 0) |
      (conflict === undefined ? 0 : DETAIL.CONFLICT) |
      (sequence === undefined ? 0 : DETAIL.SEQUENCE),
  );
  writer.u32(
    retryAfterMs === undefined
      ? NO_RETRY_AFTER
      : Math.min(NO_RETRY_AFTER - 1, Math.max(0, Math.ceil(retryAfterMs))),
  );
  if (conflict !== undefined) {
    writer.sized(conflict);
    writer.u64(error.sequence ?? ABSENT);
  }
  if (sequence !== undefined) writer.u64(sequence);
  writer.data(message);
  return writer.end();
}

/** The error that the peer reports. A code that this version does not know becomes `INTERNAL`. */
export function decodeError(frame: Frame): VarveError {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const number = reader.u16();
  const details = reader.u8();
  if (details > DETAILS_ALL) throw reader.malformed(`error details 0x${details.toString(16)}`);
  const retryAfterMs = reader.u32();
  const conflict = (details & DETAIL.CONFLICT) === 0 ? {} : readConflict(reader);
  const own = (details & DETAIL.SEQUENCE) === 0 ? {} : { sequence: reader.u64() };
  const message = Buffer.from(reader.take(reader.remainingBytes)).toString();
  const code = errorCodeOf(number);
  return new VarveError(
    code ?? "INTERNAL",
    code === undefined ? `error code ${number}: ${message}` : message,
    {
      retryable: (details & DETAIL.RETRYABLE) !== 0,
      maybeApplied: (details & DETAIL.MAYBE_APPLIED) !== 0,
      ...(retryAfterMs === NO_RETRY_AFTER ? {} : { retryAfterMs }),
      ...conflict,
      ...own,
    },
  );
}

/** The key is copied, as an error may be kept for long. */
function readConflict(reader: BodyReader): Pick<ErrorDetails, "key" | "sequence"> {
  const key = new Uint8Array(reader.sized());
  const sequence = reader.u64();
  return sequence === ABSENT ? { key } : { key, sequence };
}
