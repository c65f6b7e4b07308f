/**
 * Finds where the records of a whole file end, and decides what the first thing that is not a record means:
 * the end, a tail that never reached the disk (a legal end, after a crash), or damage to bytes that had.
 */
import { VarveError } from "../errors.ts";
import { ChecksumIndex } from "./checksum-index.ts";
import {
  checksumAt,
  checksumSeed,
  isPlausibleHeader,
  isRecord,
  lengthAt,
  RECORD_HEADER_BYTES,
  RecordCursor,
  syncedToAt,
} from "./record.ts";

export interface RecordScan {
  /** All records are in `bytes[0, end)`. */
  readonly end: number;
  /** Bytes from `end` to the last that is not zero: what a crash left of an unfinished write, or a recycled file's past. */
  readonly tornBytes: number;
  /** A fresh cursor over the records. */
  records(): RecordCursor;
}

/**
 * Checks every record of the file whose content is `bytes`. Throws `CORRUPTION` where a record is damaged
 * that a later record says was on the disk.
 */
export function scanRecords(bytes: Uint8Array, fileNumber: number, path: string): RecordScan {
  const seed = checksumSeed(fileNumber);
  const end = validEnd(bytes, seed);
  const tailEnd = endOfNonZero(bytes, end);
  const witness = findWitness(bytes, end, tailEnd, seed);
  if (witness !== undefined) {
    throw new VarveError(
      "CORRUPTION",
      `${path} at ${end}: damaged record; the record at ${witness} was written when this one was on the disk`,
    );
  }
  return { end, tornBytes: tailEnd - end, records: () => new RecordCursor(bytes, end) };
}

function validEnd(bytes: Uint8Array, seed: number): number {
  let end = 0;
  while (isRecord(bytes, end, seed)) end += RECORD_HEADER_BYTES + lengthAt(bytes, end);
  return end;
}

/**
 * The offset of a valid record after `cut` that says that `cut` was on the disk when it was written;
 * `undefined` where there is none.
 *
 * Where a damaged record's length is whole, the record after it is found at once. Otherwise every offset before
 * the zeros is tried. Hot path: a file is up to some hundred MiB and may hold anything, old records' payloads for one,
 * so the tests that cost least come first, and the checksum of a long candidate costs no more than that of
 * a short one.
 */
function findWitness(
  bytes: Uint8Array,
  cut: number,
  tailEnd: number,
  seed: number,
): number | undefined {
  if (isPlausibleHeader(bytes, cut)) {
    let start = cut + RECORD_HEADER_BYTES + lengthAt(bytes, cut);
    while (isRecord(bytes, start, seed)) {
      if (syncedToAt(bytes, start) > cut) return start;
      start += RECORD_HEADER_BYTES + lengthAt(bytes, start);
    }
  }
  const checksums = new ChecksumIndex(bytes, cut);
  for (let start = cut + 1; start < tailEnd; start++) {
    if (!isPlausibleHeader(bytes, start) || syncedToAt(bytes, start) <= cut) continue;
    const end = start + RECORD_HEADER_BYTES + lengthAt(bytes, start);
    if (checksums.range(start + 4, end, seed) === checksumAt(bytes, start)) return start;
  }
  return undefined;
}

/** The end of what is not zero in `bytes[from, …)`; `from` where all is. */
function endOfNonZero(bytes: Uint8Array, from: number): number {
  let end = bytes.length;
  while (end > from && bytes[end - 1] === 0) end--;
  return end;
}
