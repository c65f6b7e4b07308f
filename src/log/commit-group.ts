/**
 * A commit group: the writes that share one log record, one sync and one commit time. It is a
 * self-contained unit, so a replica could apply it as it is. Little-endian:
 *
 *   firstSequence u64 | committedAtMs u64 | operations u32 | operation …
 *
 *   operation = kind u8 | keyBytes u32 | valueBytes u32 | key | value        valueBytes is 0 for deletes
 *
 * A value is as it is stored, behind what the flags of its kind say (`src/entry-header.ts`).
 *
 * Operations have consecutive sequence numbers from `firstSequence`. The high bit of `kind` is set on the
 * last operation of each batch, which marks where one caller's batch ends and the next one's begins.
 *
 * Hot path: operations are encoded straight into the buffer that the log writes, with no copy between;
 * fixed-width lengths keep that a few plain stores. `npm run bench -- engine` shows it in its fill rows.
 */
import { readU32, writeU32 } from "../bytes/little-endian.ts";
import { VarveError } from "../errors.ts";
import { isKnownKind } from "../key.ts";
import { RECORD_HEADER_BYTES } from "./record.ts";

export const GROUP_HEADER_BYTES = 8 + 8 + 4;
export const OPERATION_HEADER_BYTES = 1 + 4 + 4;
export const LAST_OF_BATCH = 0x80;

const INITIAL_BYTES = 64 * 1024;
/** A buffer that grew beyond this for a large batch is let go after use. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;

/** Encodes one group into a buffer that is used again for later ones. */
export class CommitGroupWriter {
  /** `RECORD_HEADER_BYTES` of room for the log's record header, then the payload. */
  buffer: Uint8Array = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #end = 0;
  #lastOperation = 0;
  operations = 0;
  firstSequence = 0;
  committedAtMs = 0;

  begin(firstSequence: number, committedAtMs: number): void {
    if (this.buffer.length > KEPT_BYTES_MAX) this.buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    this.#end = RECORD_HEADER_BYTES + GROUP_HEADER_BYTES;
    this.operations = 0;
    this.firstSequence = firstSequence;
    this.committedAtMs = committedAtMs;
    writeU64(this.buffer, RECORD_HEADER_BYTES, firstSequence);
    writeU64(this.buffer, RECORD_HEADER_BYTES + 8, committedAtMs);
  }

  /** Makes room, so that the batch's `add` calls need not look. `bytes` is the sum of its keys and values. */
  reserve(operations: number, bytes: number): void {
    const needed = this.#end + bytes + operations * OPERATION_HEADER_BYTES;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    grown.set(this.buffer.subarray(0, this.#end));
    this.buffer = grown;
  }

  add(kind: number, key: Uint8Array, value: Uint8Array): void {
    const buffer = this.buffer;
    const at = this.#end;
    buffer[at] = kind;
    writeU32(buffer, at + 1, key.length);
    writeU32(buffer, at + 5, value.length);
    buffer.set(key, at + OPERATION_HEADER_BYTES);
    buffer.set(value, at + OPERATION_HEADER_BYTES + key.length);
    this.#lastOperation = at;
    this.#end = at + OPERATION_HEADER_BYTES + key.length + value.length;
    this.operations++;
  }

  endBatch(): void {
    if (this.operations === 0) return;
    this.buffer[this.#lastOperation]! |= LAST_OF_BATCH;
  }

  /** Completes the group; returns its payload's length. */
  finish(): number {
    writeU32(this.buffer, RECORD_HEADER_BYTES + 16, this.operations);
    return this.payloadBytes;
  }

  get payloadBytes(): number {
    return this.#end - RECORD_HEADER_BYTES;
  }

  get lastSequence(): number {
    return this.firstSequence + this.operations - 1;
  }
}

/**
 * Walks the operations of an encoded group without copying: after each `next` that returns true, the
 * fields describe one operation in `bytes`. Throws `CORRUPTION` where the bytes are not a group, which a
 * good checksum makes all but impossible.
 */
export class CommitGroupReader {
  readonly bytes: Uint8Array;
  readonly firstSequence: number;
  readonly committedAtMs: number;
  readonly operations: number;
  sequence: number;
  kind = 0;
  lastOfBatch = false;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  #at: number;
  readonly #start: number;
  readonly #end: number;
  readonly #where: () => string;

  constructor(bytes: Uint8Array, start: number, end: number, where: () => string) {
    this.bytes = bytes;
    this.#where = where;
    this.#start = start;
    this.#end = end;
    if (end - start < GROUP_HEADER_BYTES) this.#fail("the group is shorter than its header");
    this.firstSequence = firstSequenceOf(bytes, start);
    this.committedAtMs = committedAtMsOf(bytes, start);
    this.operations = operationsOf(bytes, start);
    this.sequence = this.firstSequence - 1;
    this.#at = start + GROUP_HEADER_BYTES;
  }

  get lastSequence(): number {
    return this.firstSequence + this.operations - 1;
  }

  /** Where it begins in `bytes`. */
  get payloadStart(): number {
    return this.#start;
  }

  /** More than the keys and values of its operations have together. */
  get payloadBytes(): number {
    return this.#end - this.#start;
  }

  next(): boolean {
    const at = this.#at;
    const done = this.sequence - this.firstSequence + 1;
    if (at === this.#end) {
      if (done !== this.operations) this.#fail(`${done} operations, expected ${this.operations}`);
      return false;
    }
    if (at + OPERATION_HEADER_BYTES > this.#end) this.#fail("an operation is cut off");
    const kindAndFlag = this.bytes[at]!;
    this.kind = kindAndFlag & ~LAST_OF_BATCH;
    this.lastOfBatch = (kindAndFlag & LAST_OF_BATCH) !== 0;
    if (!isKnownKind(this.kind)) this.#fail(`kind ${this.kind}`);
    this.keyStart = at + OPERATION_HEADER_BYTES;
    this.keyEnd = this.keyStart + readU32(this.bytes, at + 1);
    this.valueStart = this.keyEnd;
    this.valueEnd = this.valueStart + readU32(this.bytes, at + 5);
    if (this.valueEnd > this.#end) this.#fail("an operation runs past the group's end");
    this.#at = this.valueEnd;
    this.sequence++;
    return true;
  }

  #fail(what: string): never {
    throw new VarveError("CORRUPTION", `${this.#where()}: not a commit group: ${what}`);
  }
}

/** What an encoded group's header says, whose payload begins at `start`. */
export function firstSequenceOf(bytes: Uint8Array, start: number): number {
  return readU64(bytes, start);
}

export function committedAtMsOf(bytes: Uint8Array, start: number): number {
  return readU64(bytes, start + 8);
}

export function operationsOf(bytes: Uint8Array, start: number): number {
  return readU32(bytes, start + 16);
}

export function writeU64(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, value % 2 ** 32);
  writeU32(bytes, at + 4, Math.floor(value / 2 ** 32));
}

export function readU64(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) + readU32(bytes, at + 4) * 2 ** 32;
}
