/**
 * Decodes the header of one entry of a data block into fields, with no allocation.
 *
 * Hot path: lengths below 128, which most are, take one comparison for both.
 */
import { readU32 } from "../bytes/little-endian.ts";

export class EntryDecoder {
  trailerLow = 0;
  /** The key, without the block's prefix, is `block[keyAt, valueAt)`, the value `block[valueAt, end)`. */
  keyAt = 0;
  valueAt = 0;
  end = 0;

  decode(block: Uint8Array, at: number): void {
    const keyBytes = block[at]!;
    const valueBytes = block[at + 1]!;
    if ((keyBytes | valueBytes) >= 0x80) {
      this.#decodeLong(block, at);
      return;
    }
    this.trailerLow = readU32(block, at + 2);
    this.keyAt = at + 6;
    this.valueAt = at + 6 + keyBytes;
    this.end = this.valueAt + valueBytes;
  }

  #at = 0;

  #decodeLong(block: Uint8Array, at: number): void {
    this.#at = at;
    const keyBytes = this.#varint(block);
    const valueBytes = this.#varint(block);
    this.trailerLow = readU32(block, this.#at);
    this.keyAt = this.#at + 4;
    this.valueAt = this.keyAt + keyBytes;
    this.end = this.valueAt + valueBytes;
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
