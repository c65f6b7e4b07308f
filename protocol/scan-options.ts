/**
 * What a SCAN or PAGE is to give; little-endian:
 *
 *   flags u8 | [limit u64] | [limitBytes u64] | range
 *     flags    bit 0 reverse, 1 keysOnly, 4 seekable; 2 limit, 3 limitBytes: the field is there
 *     range    see `ranges.ts`
 *
 * Bounds come out as views of the socket's chunk.
 */
import type { BodyReader } from "./body-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { readRange, writeRange } from "./ranges.ts";
import type { ScanOptions } from "./store.ts";

const FLAG = { REVERSE: 1, KEYS_ONLY: 2, LIMIT: 4, LIMIT_BYTES: 8, SEEKABLE: 16 } as const;
const FLAGS_ALL = 31;

export function writeScanOptions(writer: FrameWriter, options: ScanOptions): void {
  const { limit, limitBytes, reverse, keysOnly, seekable } = options;
  writer.u8(
    (reverse === true ? FLAG.REVERSE : 0) |
      (keysOnly === true ? FLAG.KEYS_ONLY : 0) |
      (seekable === true ? FLAG.SEEKABLE : 0) |
      (limit === undefined ? 0 : FLAG.LIMIT) |
      (limitBytes === undefined ? 0 : FLAG.LIMIT_BYTES),
  );
  if (limit !== undefined) writer.u64(limit);
  if (limitBytes !== undefined) writer.u64(limitBytes);
  writeRange(writer, options);
}

/** `reverse` and `keysOnly` are always given. */
export function readScanOptions(reader: BodyReader): ScanOptions {
  const flags = reader.u8();
  if (flags > FLAGS_ALL) throw reader.malformed(`scan flags 0x${flags.toString(16)}`);
  const limit = (flags & FLAG.LIMIT) === 0 ? {} : { limit: reader.u64() };
  const limitBytes = (flags & FLAG.LIMIT_BYTES) === 0 ? {} : { limitBytes: reader.u64() };
  return {
    reverse: (flags & FLAG.REVERSE) !== 0,
    keysOnly: (flags & FLAG.KEYS_ONLY) !== 0,
    ...((flags & FLAG.SEEKABLE) === 0 ? {} : { seekable: true }),
    ...limit,
    ...limitBytes,
    ...readRange(reader),
  };
}
