/**
 * Reads the log back after the database was closed, or after a crash.
 *
 * The segments form a chain: each names the one before it and where that one's records end. Only the newest
 * in use may end in a torn record, which is cut off; everything else that is not as written is `CORRUPTION`.
 * Segments that were made ready and not used hold no header, and are passed over: if one of them was in use
 * once, then either a segment after it says so, or its own records do.
 *
 * A crash during this is harmless: what is cut stays cut, and nothing else is changed.
 */
import { join } from "node:path";
import { VarveError } from "../errors.ts";
import type { File, FileSystem } from "../fs/file-system.ts";
import { logName } from "../fs/names.ts";
import {
  checksumSeed,
  isPlausibleHeader,
  isRecord,
  lengthAt,
  RECORD_HEADER_BYTES,
  RecordCursor,
} from "./record.ts";
import { scanRecords } from "./record-scan.ts";
import { decodeSegmentHeader, RECORD_KIND, type SegmentHeader } from "./segment.ts";

/** Enough for a header of this or a later format. */
const HEADER_READ_BYTES = 4096;

export interface LogSegment {
  readonly number: number;
  readonly path: string;
  readonly header: SegmentHeader;
  /** Where its records end. */
  readonly end: number;
  /** Bytes of an unfinished record behind `end`, which are cut off; 0 in all segments but the newest. */
  readonly tornBytes: number;
  /** A fresh cursor over its records but the header: of kind GROUP or MARKER, checked and whole. */
  records(): RecordCursor;
}

export interface LogReadOptions {
  /** The numbers of the segments that are there. */
  readonly numbers: readonly number[];
  /** The oldest segment that is needed, which must be there; 0 for the log from its beginning. */
  readonly firstNeeded: number;
  /** Leaves a torn tail where it is, for a database that is only looked at. */
  readonly readOnly?: boolean;
}

interface Link {
  readonly number: number;
  readonly path: string;
  readonly header: SegmentHeader;
}

/** The segments in order, one at a time in memory. */
export async function* readLog(
  fs: FileSystem,
  directory: string,
  options: LogReadOptions,
): AsyncGenerator<LogSegment, void> {
  const chain = await findChain(fs, directory, options);
  for (const [i, link] of chain.entries()) {
    const successor = chain[i + 1];
    yield successor === undefined
      ? await readNewest(fs, link, options.readOnly ?? false)
      : await readWhole(fs, link, successor.header.previous?.length ?? 0);
  }
}

/**
 * The segments that are kept for feeds alone, newest first: back along the chain from the link in the oldest needed
 * one's header, as far as it goes. Throws `CORRUPTION` for one that is not as written.
 */
export async function* readRetained(
  fs: FileSystem,
  directory: string,
  numbers: ReadonlySet<number>,
  oldestNeeded: LogSegment,
): AsyncGenerator<LogSegment, void> {
  let link = oldestNeeded.header.previous;
  while (link !== undefined && numbers.has(link.number)) {
    const { number, length } = link;
    const path = join(directory, logName(number));
    const header = await readHeader(fs, path, number);
    if (header === undefined) {
      const message = `${path} at 0: damaged segment header; the segment is kept for feeds`;
      throw new VarveError("CORRUPTION", message);
    }
    yield await readWhole(fs, { number, path, header }, length);
    link = header.previous;
  }
}

/** The segments in use, in order, each the one that the next one names. */
async function findChain(
  fs: FileSystem,
  directory: string,
  options: LogReadOptions,
): Promise<Link[]> {
  const { firstNeeded } = options;
  const numbers = options.numbers.filter((number) => number >= firstNeeded);
  const chain: Link[] = [];
  let unused: number[] = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const path = join(directory, logName(number));
    const header = await readHeader(fs, path, number);
    if (header === undefined) unused.push(number);
    else {
      chain.push({ number, path, header });
      unused = [];
    }
  }
  for (const number of unused) await assertUnused(fs, join(directory, logName(number)), number);

  if (firstNeeded > 0 && chain[0]?.number !== firstNeeded) {
    throw lostSegment(directory, firstNeeded, "the manifest names it");
  }
  for (const [i, { header, path }] of chain.entries()) {
    const previous = header.previous?.number;
    const before = chain[i - 1]?.number;
    // What the first one follows is not needed any more, unless the whole log is.
    const whole = i === 0 ? previous === undefined || firstNeeded > 0 : previous === before;
    if (!whole) throw lostSegment(directory, previous ?? before ?? 0, `${path} continues it`);
  }
  return chain;
}

function lostSegment(directory: string, number: number, why: string): VarveError {
  const path = join(directory, logName(number));
  return new VarveError("CORRUPTION", `${path} at 0: segment is missing or damaged; ${why}`);
}

/** `undefined` for a segment that does not start with a header. */
async function readHeader(
  fs: FileSystem,
  path: string,
  number: number,
): Promise<SegmentHeader | undefined> {
  const file = await fs.open(path, "read");
  try {
    const bytes = new Uint8Array(HEADER_READ_BYTES);
    const start = bytes.subarray(0, await file.read(bytes, 0));
    if (!isRecord(start, 0, checksumSeed(number))) return undefined;
    const cursor = new RecordCursor(start, start.length);
    cursor.next();
    if (cursor.kind !== RECORD_KIND.HEADER) {
      throw new VarveError(
        "CORRUPTION",
        `${path} at 0: record of kind ${cursor.kind}, not a header`,
      );
    }
    return decodeSegmentHeader(start.subarray(cursor.payloadStart, cursor.end), path);
  } finally {
    await file.close();
  }
}

/** Throws where a segment without a header holds records that were written behind one. */
async function assertUnused(fs: FileSystem, path: string, number: number): Promise<void> {
  const file = await fs.open(path, "read");
  try {
    scanRecords(await readAll(file), number, path);
  } finally {
    await file.close();
  }
}

/** A segment that another one follows: whole up to `length`, or damaged. */
async function readWhole(fs: FileSystem, link: Link, length: number): Promise<LogSegment> {
  const file = await fs.open(link.path, "read");
  try {
    const bytes = (await readAll(file, length)).subarray(0, length);
    const { end } = scanRecords(bytes, link.number, link.path);
    if (end < length) {
      throw new VarveError(
        "CORRUPTION",
        `${link.path} at ${end}: damaged record; the segment was whole up to ${length}`,
      );
    }
    return segmentOf(link, bytes, end, 0);
  } finally {
    await file.close();
  }
}

async function readNewest(fs: FileSystem, link: Link, readOnly: boolean): Promise<LogSegment> {
  const file = await fs.open(link.path, readOnly ? "read" : "write");
  try {
    const bytes = await readAll(file);
    const { end, tornBytes } = scanRecords(bytes, link.number, link.path);
    if (!readOnly) await settleTail(file, bytes, end);
    const recycled = link.header.recycledFrom;
    const torn = recycled === 0 ? tornBytes : tornInRecycled(bytes, end, recycled);
    return segmentOf(link, bytes, end, torn);
  } finally {
    await file.close();
  }
}

/**
 * Cuts the segment behind its records, and makes sure of these: the last of them may be with the operating
 * system only, if just the process had died. If a sync failed, the system may even take them for written
 * when they are not, so they are written once more.
 */
async function settleTail(file: File, bytes: Uint8Array, end: number): Promise<void> {
  const cursor = new RecordCursor(bytes, end);
  while (cursor.next());
  await file.write(bytes.subarray(cursor.syncedTo, end), cursor.syncedTo);
  await file.truncate(end);
  await file.sync();
}

/** Bytes at `end` that a crash left of a record, and not the recycled file's past. */
function tornInRecycled(bytes: Uint8Array, end: number, recycledFrom: number): number {
  if (!isPlausibleHeader(bytes, end)) return 0;
  if (isRecord(bytes, end, checksumSeed(recycledFrom))) return 0;
  return RECORD_HEADER_BYTES + lengthAt(bytes, end);
}

function segmentOf(link: Link, bytes: Uint8Array, end: number, tornBytes: number): LogSegment {
  const records = () => {
    const cursor = new RecordCursor(bytes, end);
    cursor.next();
    return cursor;
  };
  return { ...link, end, tornBytes, records };
}

async function readAll(file: File, lengthMax = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(Math.min(await file.size(), lengthMax));
  return bytes.subarray(0, await file.read(bytes, 0));
}
