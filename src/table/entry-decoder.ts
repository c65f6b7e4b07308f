/**
 * Decodes the header of one entry of a data block into fields, with no allocation.
 *
 * Hot path: lengths below 128, which most are, take one comparison for all three.
 */
import { readU32 } from "../bytes/little-endian.ts";

export class EntryDecoder {
  shared = 0;
  unshared = 0;
  trailerLow = 0;
  trailerHigh = 0;
  /** The key's own bytes are `block[keyAt, valueAt)`, the value `block[valueAt, end)`. */
  keyAt = 0;
  valueAt = 0;
  end = 0;

  decode(block: Uint8Array, at: number): void {
    const shared = block[at]!;
    const unshared = block[at + 1]!;
    const valueBytes = block[at + 2]!;
    let trailerAt = at + 3;
    if ((shared | unshared | valueBytes) < 0x80) {
      this.shared = shared;
      this.unshared = unshared;
      this.keyAt = trailerAt + 8;
      this.valueAt = this.keyAt + unshared;
      this.end = this.valueAt + valueBytes;
    } else {
      trailerAt = this.#decodeLong(block, at);
    }
    this.trailerLow = readU32(block, trailerAt);
    this.trailerHigh = readU32(block, trailerAt + 4);
  }

  #at = 0;

  #decodeLong(block: Uint8Array, at: number): number {
    this.#at = at;
    this.shared = this.#varint(block);
    this.unshared = this.#varint(block);
    const valueBytes = this.#varint(block);
    this.keyAt = this.#at + 8;
    this.valueAt = this.keyAt + this.unshared;
    this.end = this.valueAt + valueBytes;
    return this.#at;
  }

  #varint(block: Uint8Array): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = block[this.#at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value >>> 0;
  }
}
