/**
 * Encodes frames one after another into one growing buffer, so that many leave in one socket write.
 *
 * Invariant: bytes that `take` handed out are never written again; a socket may hold them as long as it
 * likes. What follows is appended after them in the same memory, and new memory is made when that is full.
 *
 * Hot path: see `frame.ts`. Short strings are written by a loop, which for ASCII beats the call into C++.
 */
import assert from "node:assert";
import { FRAME_FIXED_BYTES, FRAME_HEADER_BYTES, FRAME_LENGTH_BYTES, writeU32 } from "./frame.ts";
import type { Data } from "./store.ts";

/** Memory grows from the first to the second with use: an idle connection costs little. */
const ARENA_BYTES_MIN = 4 * 1024;
const ARENA_BYTES_MAX = 256 * 1024;
/** Up to this a loop beats `set` and `Buffer.write`. */
const LOOP_BYTES_MAX = 96;
const FLAGS_AT = 5;
const NO_BYTES = Buffer.alloc(0);
const TWO_32 = 2 ** 32;

export class FrameWriter {
  #bytes: Buffer = NO_BYTES;
  /** `#bytes[#taken, #end)` waits to be taken. */
  #taken = 0;
  #end = 0;
  #frameStart = 0;

  /** Bytes that wait to be taken. */
  get pendingBytes(): number {
    return this.#end - this.#taken;
  }

  /** Starts a frame; its body follows, then `end`. */
  begin(opcode: number, requestId: number): void {
    this.#reserve(FRAME_HEADER_BYTES);
    const bytes = this.#bytes;
    const start = this.#end;
    this.#frameStart = start;
    bytes[start + 4] = opcode;
    bytes[start + FLAGS_AT] = 0;
    writeU32(bytes, start + 6, requestId);
    this.#end = start + FRAME_HEADER_BYTES;
  }

  /** Sets the flag bits of the frame begun last, in place of none. */
  flags(bits: number): void {
    this.#bytes[this.#frameStart + FLAGS_AT] = bits;
  }

  /** Finishes the frame; returns its `length` field, which the caller holds against the peer's `frameBytesMax`. */
  end(): number {
    const length = this.#end - this.#frameStart - FRAME_LENGTH_BYTES;
    assert(length >= FRAME_FIXED_BYTES && length < TWO_32, "a frame's length fits its field");
    writeU32(this.#bytes, this.#frameStart, length);
    return length;
  }

  /** Removes the frame begun last, finished or not, as long as it was not taken. */
  undo(): void {
    assert(this.#frameStart >= this.#taken, "a frame is undone before it is taken");
    this.#end = this.#frameStart;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#end++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#bytes[this.#end++] = value;
    this.#bytes[this.#end++] = value >>> 8;
  }

  u32(value: number): void {
    this.#reserve(4);
    writeU32(this.#bytes, this.#end, value);
    this.#end += 4;
  }

  /** A whole number below 2^53. */
  u64(value: number): void {
    this.#reserve(8);
    writeU32(this.#bytes, this.#end, value % TWO_32);
    writeU32(this.#bytes, this.#end + 4, Math.floor(value / TWO_32));
    this.#end += 8;
  }

  /** A whole number with a sign that 64 bits hold; as a `number` it must be a safe integer. */
  i64(value: number | bigint): void {
    this.#reserve(8);
    this.#end = this.#bytes.writeBigInt64LE(BigInt(value), this.#end);
  }

  /** The bytes alone. */
  data(data: Data): void {
    if (typeof data === "string") this.#text(data);
    else this.#raw(data);
  }

  /** length u32 | the bytes. */
  sized(data: Data): void {
    this.u32(0);
    // Growing moves the bytes, so the length's place is counted from what waits to be taken.
    const start = this.#end - this.#taken;
    this.data(data);
    const at = this.#taken + start;
    writeU32(this.#bytes, at - 4, this.#end - at);
  }

  /** keyLength u32 | valueLength u32 | key | value. */
  pair(key: Data, value: Data): void {
    this.u64(0);
    const start = this.#end - this.#taken;
    this.data(key);
    const middle = this.#end - this.#taken;
    this.data(value);
    const at = this.#taken + start;
    writeU32(this.#bytes, at - 8, middle - start);
    writeU32(this.#bytes, at - 4, this.#end - this.#taken - middle);
  }

  /** The first `bytes` (all by default) of what waits, now the caller's; empty where nothing waits. */
  take(bytes: number = this.#end - this.#taken): Uint8Array {
    assert(bytes <= this.#end - this.#taken, "no more is taken than waits");
    const taken = this.#bytes.subarray(this.#taken, this.#taken + bytes);
    this.#taken += bytes;
    if (this.#taken === this.#end && this.#bytes.length > ARENA_BYTES_MAX) {
      // One large frame must not leave a large buffer behind.
      this.#bytes = NO_BYTES;
      this.#taken = this.#end = this.#frameStart = 0;
    }
    return taken;
  }

  /** What waits, to look at; valid until the next call. */
  peek(): Uint8Array {
    return this.#bytes.subarray(this.#taken, this.#end);
  }

  #raw(source: Uint8Array): void {
    const length = source.length;
    this.#reserve(length);
    const bytes = this.#bytes;
    const end = this.#end;
    if (length <= LOOP_BYTES_MAX) {
      for (let i = 0; i < length; i++) bytes[end + i] = source[i]!;
    } else {
      bytes.set(source, end);
    }
    this.#end = end + length;
  }

  #text(text: string): void {
    const length = text.length;
    if (length > LOOP_BYTES_MAX) {
      this.#reserve(Buffer.byteLength(text));
      this.#end += this.#bytes.write(text, this.#end);
      return;
    }
    this.#reserve(length * 3);
    const bytes = this.#bytes;
    const end = this.#end;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) {
        this.#end += bytes.write(text, end);
        return;
      }
      bytes[end + i] = unit;
    }
    this.#end = end + length;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes > this.#bytes.length) this.#grow(bytes);
  }

  /** Moves what waits to new memory, doubled where the frame is large, so that growing stays linear. */
  #grow(bytes: number): void {
    const pending = this.#end - this.#taken;
    const arenaBytes = Math.min(ARENA_BYTES_MAX, Math.max(ARENA_BYTES_MIN, 2 * this.#bytes.length));
    const size = Math.max(arenaBytes, 2 * pending, pending + bytes);
    const grown = Buffer.allocUnsafeSlow(size);
    grown.set(this.#bytes.subarray(this.#taken, this.#end));
    this.#bytes = grown;
    this.#frameStart -= this.#taken;
    this.#end = pending;
    this.#taken = 0;
  }
}
