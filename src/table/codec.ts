/** The codecs of data blocks, and the numbers that stand for them in files. */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { compressSync, uncompressSync } from "lz4-napi";
import { readU32 } from "../bytes/little-endian.ts";
import type { CodecName } from "../options.ts";

export const CODEC = { NONE: 0, LZ4: 1, ZSTD: 2 } as const;
export type Codec = (typeof CODEC)[keyof typeof CODEC];

const CODEC_BY_NAME = { none: CODEC.NONE, lz4: CODEC.LZ4, zstd: CODEC.ZSTD } as const;

/** A larger block is not one that was ever written: a value, a key and what comes with them take less. */
const DECODED_BYTES_MAX = 64 * 1024 * 1024;

/** zstd's fastest: a level more costs twice the time for a few per cent less space. */
const ZSTD_OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

export function codecNumber(name: CodecName): Codec {
  return CODEC_BY_NAME[name];
}

export function compress(codec: Codec, bytes: Buffer): Buffer {
  switch (codec) {
    case CODEC.NONE:
      return bytes;
    case CODEC.LZ4:
      return compressSync(bytes);
    case CODEC.ZSTD:
      return zstdCompressSync(bytes, ZSTD_OPTIONS);
  }
}

/** Throws whatever the codec throws for bytes that it did not make, and a `RangeError` for an unknown codec. */
export function decompress(codec: number, bytes: Buffer): Uint8Array {
  switch (codec) {
    case CODEC.NONE:
      return bytes;
    case CODEC.LZ4:
      // The codec's own prefix says how much it will allocate.
      if (bytes.length < 4 || readU32(bytes, 0) > DECODED_BYTES_MAX) {
        throw new RangeError("the block's decoded size is not plausible");
      }
      return uncompressSync(bytes);
    case CODEC.ZSTD:
      return zstdDecompressSync(bytes, { maxOutputLength: DECODED_BYTES_MAX });
    default:
      throw new RangeError(`unknown codec ${codec}`);
  }
}
