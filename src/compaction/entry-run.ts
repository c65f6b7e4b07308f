/**
 * Entries in the order of their keys, one after the other in memory that a worker reads in place: from the main thread,
 * which gathers them, to the task that makes tables of them. Little-endian:
 *
 *   entry = keyBytes u32 | valueBytes u32 | key | value        value as it is stored (`entry-header.ts`)
 *
 * Hot path: plain stores, no allocation per entry.
 */
import { compareRanges } from "../bytes/compare.ts";
import { readU32, writeU32, writeU48 } from "../bytes/little-endian.ts";

const ENTRY_HEADER_BYTES = 4 + 4;
const EXPIRY_BYTES = 6;
/** Up to this a loop beats `set`. */
const LOOP_BYTES_MAX = 64;

export class EntryRunWriter {
  readonly memory: SharedArrayBuffer;
  usedBytes = 0;
  readonly #bytes: Uint8Array;
  #lastKeyAt = 0;
  #lastKeyBytes = 0;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#bytes = new Uint8Array(memory);
  }

  /** Memory for one such entry, at least. */
  static bytesFor(key: Uint8Array, value: Uint8Array): number {
    return ENTRY_HEADER_BYTES + key.length + EXPIRY_BYTES + value.length;
  }

  /** The key added last; the view is good until the memory is used again. */
  get lastKey(): Uint8Array {
    return this.#bytes.subarray(this.#lastKeyAt, this.#lastKeyAt + this.#lastKeyBytes);
  }

  /** Empties the run. */
  reset(): void {
    this.usedBytes = 0;
    this.#lastKeyBytes = 0;
  }

  /** Negative or 0 where the key does not come after the last one. */
  compareToLast(key: Uint8Array): number {
    const end = this.#lastKeyAt + this.#lastKeyBytes;
    return compareRanges(key, 0, key.length, this.#bytes, this.#lastKeyAt, end);
  }

  /** Copies an entry, behind its expiry if there is one; false where there is no room. */
  add(key: Uint8Array, value: Uint8Array, expiresAtMs: number | undefined): boolean {
    const start = this.usedBytes;
    if (start + EntryRunWriter.bytesFor(key, value) > this.#bytes.length) return false;
    const bytes = this.#bytes;
    const keyAt = start + ENTRY_HEADER_BYTES;
    let valueAt = keyAt + key.length;
    const end = valueAt + (expiresAtMs === undefined ? 0 : EXPIRY_BYTES) + value.length;
    writeU32(bytes, start, key.length);
    writeU32(bytes, start + 4, end - valueAt);
    copy(key, bytes, keyAt);
    if (expiresAtMs !== undefined) {
      writeU48(bytes, valueAt, expiresAtMs);
      valueAt += EXPIRY_BYTES;
    }
    copy(value, bytes, valueAt);
    this.#lastKeyAt = keyAt;
    this.#lastKeyBytes = key.length;
    this.usedBytes = end;
    return true;
  }
}

/** After each `next` that returns true, the fields describe one entry in `bytes`. */
export class EntryRunReader {
  readonly bytes: Uint8Array;
  keyStart = 0;
  keyEnd = 0;
  valueEnd = 0;
  readonly #usedBytes: number;

  constructor(memory: SharedArrayBuffer, usedBytes: number) {
    this.bytes = new Uint8Array(memory);
    this.#usedBytes = usedBytes;
  }

  next(): boolean {
    const at = this.valueEnd;
    if (at >= this.#usedBytes) return false;
    this.keyStart = at + ENTRY_HEADER_BYTES;
    this.keyEnd = this.keyStart + readU32(this.bytes, at);
    this.valueEnd = this.keyEnd + readU32(this.bytes, at + 4);
    return true;
  }
}

function copy(from: Uint8Array, to: Uint8Array, at: number): void {
  const { length } = from;
  if (length > LOOP_BYTES_MAX) to.set(from, at);
  else for (let i = 0; i < length; i++) to[at + i] = from[i]!;
}
