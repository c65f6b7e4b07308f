/**
 * Cuts the bytes of a socket into frames, decoded in place where a frame lies whole in one chunk. A frame
 * that is split over chunks is collected in memory of its own, which grows by doubling with the bytes that
 * really came, so that the copying stays linear and an announced length alone costs no memory.
 *
 * Invariant: a `length` is checked before anything of its frame is kept; no more than `frameBytesMax` + 4
 * bytes are ever held. After an error, and after `stop`, the decoder takes nothing more.
 */
import { VarveError } from "./errors.ts";
import {
  FRAME_FIXED_BYTES,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH_BYTES,
  type Frame,
  readU32,
} from "./frame.ts";

const CARRY_BYTES = 16 * 1024;
const NO_BYTES = new Uint8Array(0);

class DecodedFrame implements Frame {
  opcode = 0;
  flags = 0;
  requestId = 0;
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
}

export class FrameDecoder {
  /** The largest `length` taken. May be set anew between frames, as the handshake does. */
  frameBytesMax: number;
  readonly #frame = new DecodedFrame();
  #stopped = false;
  /** The beginning of a split frame: `#carry[0, #carried)`. */
  #carry = NO_BYTES;
  #carried = 0;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /** Whether a frame has begun that is not complete: if the peer ends now, it ended in the middle. */
  get insideFrame(): boolean {
    return this.#carried > 0;
  }

  /** Nothing more is handed out, even of the chunk at hand. */
  stop(): void {
    this.#stopped = true;
    this.#carry = NO_BYTES;
    this.#carried = 0;
  }

  /**
   * Hands each frame that is now complete to `onFrame`, in order. Throws `FRAME_TOO_LARGE` or
   * `PROTOCOL_ERROR` for a bad length, and what `onFrame` throws; either stops the decoder.
   */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    if (this.#stopped) return;
    let ended = false;
    try {
      const start = this.#carried === 0 ? 0 : this.#completeCarried(chunk, onFrame);
      this.#decodeInPlace(chunk, start, onFrame);
      ended = true;
    } finally {
      if (!ended) this.stop();
    }
  }

  #decodeInPlace(chunk: Uint8Array, from: number, onFrame: (frame: Frame) => void): void {
    const chunkEnd = chunk.length;
    let at = from;
    while (chunkEnd - at >= FRAME_LENGTH_BYTES && !this.#stopped) {
      const end = at + FRAME_LENGTH_BYTES + this.#checkLength(readU32(chunk, at));
      if (end > chunkEnd) break;
      this.#emit(chunk, at, end, onFrame);
      at = end;
    }
    if (at < chunkEnd && !this.#stopped) this.#keep(chunk, at, chunkEnd);
  }

  /** Adds to the split frame and emits it when whole; returns where the chunk goes on. */
  #completeCarried(chunk: Uint8Array, onFrame: (frame: Frame) => void): number {
    let at = 0;
    if (this.#carried < FRAME_LENGTH_BYTES) {
      at = Math.min(chunk.length, FRAME_LENGTH_BYTES - this.#carried);
      this.#keep(chunk, 0, at);
      if (this.#carried < FRAME_LENGTH_BYTES) return at;
    }
    const total = FRAME_LENGTH_BYTES + this.#checkLength(readU32(this.#carry, 0));
    const end = Math.min(chunk.length, at + total - this.#carried);
    this.#keep(chunk, at, end);
    if (this.#carried === total) {
      const frame = this.#carry;
      // The frame's readers may keep views of this memory, so it is not used again.
      this.#carry = NO_BYTES;
      this.#carried = 0;
      this.#emit(frame, 0, total, onFrame);
    }
    return end;
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    const needed = this.#carried + end - start;
    if (needed > this.#carry.length) {
      const grown = new Uint8Array(Math.max(this.#capacity(), needed));
      grown.set(this.#carry.subarray(0, this.#carried));
      this.#carry = grown;
    }
    this.#carry.set(chunk.subarray(start, end), this.#carried);
    this.#carried = needed;
  }

  /** Room for the whole frame where it is small or its length unknown, else twice what is there. */
  #capacity(): number {
    if (this.#carried < FRAME_LENGTH_BYTES) return FRAME_HEADER_BYTES;
    const total = FRAME_LENGTH_BYTES + readU32(this.#carry, 0);
    return Math.min(total, Math.max(CARRY_BYTES, 2 * this.#carried));
  }

  #checkLength(length: number): number {
    if (length > this.frameBytesMax) {
      throw new VarveError(
        "FRAME_TOO_LARGE",
        `a frame of ${length} bytes; at most ${this.frameBytesMax} are taken`,
      );
    }
    if (length < FRAME_FIXED_BYTES) {
      throw new VarveError(
        "PROTOCOL_ERROR",
        `a frame of ${length} bytes; at least ${FRAME_FIXED_BYTES} are needed`,
      );
    }
    return length;
  }

  #emit(bytes: Uint8Array, at: number, end: number, onFrame: (frame: Frame) => void): void {
    const frame = this.#frame;
    frame.opcode = bytes[at + 4]!;
    frame.flags = bytes[at + 5]!;
    frame.requestId = readU32(bytes, at + 6);
    frame.bytes = bytes;
    frame.start = at + FRAME_HEADER_BYTES;
    frame.end = end;
    onFrame(frame);
  }
}
