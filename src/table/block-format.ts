/**
 * A stored block, of any kind:
 *
 *   contents, compressed or not | codec u8 | checksum u32
 *
 * `checksum` is the CRC-32 of contents and codec, started from the block's offset in the file, so that a
 * block in another one's place is not taken for it.
 */
import { crc32 } from "node:zlib";
import { readU32, writeU32 } from "../bytes/little-endian.ts";
import { VarveError } from "../errors.ts";
import { CODEC, type Codec, compress, decompress } from "./codec.ts";

export const BLOCK_TRAILER_BYTES = 1 + 4;

/** Compression has to save this share of a block, or the block is stored as it is. */
const SAVED_SHARE_MIN = 1 / 8;

/** The block as it is stored at `offset`. */
export function encodeBlock(contents: Buffer, codec: Codec, offset: number): Buffer {
  let used: Codec = codec;
  let stored = compress(codec, contents);
  if (codec !== CODEC.NONE && stored.length > contents.length * (1 - SAVED_SHARE_MIN)) {
    used = CODEC.NONE;
    stored = contents;
  }
  const block = Buffer.allocUnsafe(stored.length + BLOCK_TRAILER_BYTES);
  block.set(stored);
  endBlock(block, 0, stored.length, used, offset);
  return block;
}

/** Puts the trailer behind the contents `bytes[start, end)` of a block that is stored at `offset`; returns where it ends. */
export function endBlock(
  bytes: Uint8Array,
  start: number,
  end: number,
  codec: Codec,
  offset: number,
): number {
  bytes[end] = codec;
  writeU32(bytes, end + 1, crc32(bytes.subarray(start, end + 1), offset));
  return end + BLOCK_TRAILER_BYTES;
}

/** The contents of a stored block, without its trailer. Where it was not compressed they share its memory. */
export function decodeBlock(stored: Uint8Array, offset: number, path: string): Uint8Array {
  const checksumAt = stored.length - 4;
  const codecAt = checksumAt - 1;
  if (codecAt < 0) throw corrupt(path, offset, "the file ends within the block");
  const want = readU32(stored, checksumAt);
  const got = crc32(stored.subarray(0, checksumAt), offset);
  if (got !== want) {
    throw corrupt(path, offset, `block checksum ${hex(got)}, expected ${hex(want)}`);
  }
  const contents = Buffer.from(stored.buffer, stored.byteOffset, codecAt);
  try {
    return decompress(stored[codecAt] ?? 0, contents);
  } catch (cause) {
    throw corrupt(path, offset, "block cannot be decompressed", cause);
  }
}

function hex(checksum: number): string {
  return `0x${checksum.toString(16).padStart(8, "0")}`;
}

export function corrupt(path: string, offset: number, what: string, cause?: unknown): VarveError {
  return new VarveError("CORRUPTION", `${path} at ${offset}: ${what}`, { cause });
}
