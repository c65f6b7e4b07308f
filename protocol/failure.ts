/**
 * ERROR, the answer to any request that failed. Body, little-endian:
 *
 *   code u16 | details u8 | retryAfterMs u32 | message (UTF-8, to the end)
 *
 * details: bit 0 retryable, bit 1 maybeApplied. retryAfterMs 0xFFFFFFFF: none given.
 */
import { BodyReader } from "./body-reader.ts";
import { ERROR_CODES, errorCodeOf, VarveError } from "./errors.ts";
import { expectNoFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";

const DETAIL = { RETRYABLE: 1, MAYBE_APPLIED: 2 } as const;
const DETAILS_ALL = 3;
const NO_RETRY_AFTER = 0xffffffff;
/** Longer messages are cut, so that an answer that says what is wrong always fits a frame. */
const MESSAGE_BYTES_MAX = 2048;

export function encodeError(writer: FrameWriter, requestId: number, error: VarveError): number {
  const { retryAfterMs } = error;
  writer.begin(OPCODE.ERROR, requestId);
  writer.u16(ERROR_CODES[error.code]);
  writer.u8(
    (error.retryable ? DETAIL.RETRYABLE : 0) | (error.maybeApplied ? DETAIL.MAYBE_APPLIED : 0),
  );
  writer.u32(
    retryAfterMs === undefined
      ? NO_RETRY_AFTER
      : Math.min(NO_RETRY_AFTER - 1, Math.max(0, Math.ceil(retryAfterMs))),
  );
  writer.data(Buffer.from(error.message).subarray(0, MESSAGE_BYTES_MAX));
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
  const message = Buffer.from(reader.take(reader.remainingBytes)).toString();
  const code = errorCodeOf(number);
  return new VarveError(
    code ?? "INTERNAL",
    code === undefined ? `error code ${number}: ${message}` : message,
    {
      retryable: (details & DETAIL.RETRYABLE) !== 0,
      maybeApplied: (details & DETAIL.MAYBE_APPLIED) !== 0,
      ...(retryAfterMs === NO_RETRY_AFTER ? {} : { retryAfterMs }),
    },
  );
}
