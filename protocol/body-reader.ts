/**
 * Reads the fields of one frame's body in order; each read checks that its bytes are there, and throws
 * `PROTOCOL_ERROR` otherwise. One reader is made per message of several fields; messages of one key or
 * value read their body without it.
 */
import { type Frame, malformed, readU32, viewOf } from "./frame.ts";

const TWO_32 = 2 ** 32;
/** The upper half of the largest number that a double holds exactly, 2^53 - 1. */
const HIGH_MAX = 2 ** 21 - 1;

export class BodyReader {
  readonly #frame: Frame;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(frame: Frame) {
    this.#frame = frame;
    this.#bytes = frame.bytes;
    this.#at = frame.start;
    this.#end = frame.end;
  }

  get remainingBytes(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    this.#expect(1);
    return this.#bytes[this.#at++]!;
  }

  u16(): number {
    this.#expect(2);
    const value = this.#bytes[this.#at]! | (this.#bytes[this.#at + 1]! << 8);
    this.#at += 2;
    return value;
  }

  u32(): number {
    this.#expect(4);
    const value = readU32(this.#bytes, this.#at);
    this.#at += 4;
    return value;
  }

  u64(): number {
    this.#expect(8);
    const low = readU32(this.#bytes, this.#at);
    const high = readU32(this.#bytes, this.#at + 4);
    if (high > HIGH_MAX) throw this.malformed("a number of 2^53 or more");
    this.#at += 8;
    return high * TWO_32 + low;
  }

  /** With a sign, in two's complement. */
  i64(): bigint {
    this.#expect(8);
    const low = readU32(this.#bytes, this.#at);
    const high = readU32(this.#bytes, this.#at + 4);
    this.#at += 8;
    return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    this.#expect(length);
    const start = this.#at;
    this.#at += length;
    return viewOf(this.#bytes, start, this.#at);
  }

  /** length u32 | bytes. */
  sized(): Uint8Array {
    return this.take(this.u32());
  }

  /** A number of things of at least `bytesEach`; refused where the body cannot hold so many. */
  count(bytesEach: number): number {
    const count = this.u32();
    if (count * bytesEach > this.remainingBytes) {
      throw this.malformed(`${count} announced, more than the body holds`);
    }
    return count;
  }

  /** The body ends here. */
  finish(): void {
    if (this.#at !== this.#end) throw this.malformed(`${this.remainingBytes} bytes too many`);
  }

  malformed(what: string): Error {
    return malformed(this.#frame, this.#at - this.#frame.start, what);
  }

  #expect(bytes: number): void {
    if (this.#at + bytes > this.#end) {
      throw this.malformed(`${bytes} bytes expected, ${this.remainingBytes} left`);
    }
  }
}
