/**
 * A frame, the unit of the protocol; little-endian. `length` counts all that follows it.
 *
 *   length u32 | opcode u8 | flags u8 | requestId u32 | body[length - 6]
 *
 * Invariant: the bytes that a frame shows are never written again after it was handed out, neither by the
 * decoder nor by Node. A view of a body may therefore be kept; it keeps the whole socket chunk alive.
 *
 * Hot path: integers read and written byte by byte, because a `DataView` costs an object per chunk and
 * `Buffer`'s methods check arguments anew for every field.
 */
import { VarveError } from "./errors.ts";
import { opcodeNameOf } from "./opcodes.ts";

export const FRAME_LENGTH_BYTES = 4;
/** Opcode, flags and request id: the least that `length` can be. */
export const FRAME_FIXED_BYTES = 1 + 1 + 4;
export const FRAME_HEADER_BYTES = FRAME_LENGTH_BYTES + FRAME_FIXED_BYTES;

/** The largest `length` before the handshake is done; HELLO and WELCOME stay far below. */
export const HANDSHAKE_FRAME_BYTES_MAX = 4096;

/**
 * One frame, decoded in place: the body is `bytes[start, end)`. The decoder uses one object for all its
 * frames, so what is needed later is taken out of it before `onFrame` returns.
 */
export interface Frame {
  readonly opcode: number;
  readonly flags: number;
  readonly requestId: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** A view of `bytes[start, end)`: a plain `Uint8Array` also where `bytes` is a `Buffer`. */
export function viewOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset + start, end - start);
}

/** The error for a body that is not what its opcode promises; `at` is an offset in the body. */
export function malformed(frame: Frame, at: number, what: string): VarveError {
  const name = opcodeNameOf(frame.opcode) ?? `opcode ${frame.opcode}`;
  return new VarveError(
    "PROTOCOL_ERROR",
    `${name} frame of request ${frame.requestId}, body byte ${at}: ${what}`,
  );
}

/** Bits of `flags`. Each announces a field of that name; see `flag-fields.ts`. */
export const FLAG = { CONDITIONS: 1, EXPIRY: 2 } as const;

/** Refuses flag bits but those of `known`: a set one changes what the body means. */
export function expectFlags(frame: Frame, known: number): void {
  const unknown = frame.flags & ~known;
  if (unknown !== 0) throw malformed(frame, 0, `unknown flag bits 0x${unknown.toString(16)}`);
}

/** Refuses all flag bits. */
export function expectNoFlags(frame: Frame): void {
  if (frame.flags !== 0) {
    throw malformed(frame, 0, `unknown flag bits 0x${frame.flags.toString(16)}`);
  }
}

/** For frames without a body. */
export function decodeEmpty(frame: Frame): void {
  expectNoFlags(frame);
  if (frame.start !== frame.end) throw malformed(frame, 0, "bytes where no body is expected");
}
