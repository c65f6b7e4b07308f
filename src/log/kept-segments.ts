/**
 * Finds, in a database that is being opened, the segments that were kept: back from the newest, each by the link in the
 * header of the one that followed it. That link says where its records end, so nothing of a recycled file's past
 * is ever taken for one. Where the chain breaks off, older segments were given up.
 */
import { join } from "node:path";
import { VarveError } from "../errors.ts";
import type { File, FileSystem } from "../fs/file-system.ts";
import { logName } from "../fs/names.ts";
import { firstSequenceOf } from "./commit-group.ts";
import { checksumSeed, isRecord, RECORD_HEADER_BYTES, RecordCursor } from "./record.ts";
import {
  decodeSegmentHeader,
  RECORD_KIND,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  type SegmentLink,
} from "./segment.ts";
import type { ClosedSegment } from "./segment-list.ts";

/** The header, and the beginning of the first group. */
const HEAD_BYTES = 4096;

/**
 * Oldest first. `newest` is where recovery has found the log's end; `numbers` are those of the segments that are there.
 * `onDamaged` is told of the file at which the chain breaks off though it is there.
 */
export async function findKeptSegments(
  fs: FileSystem,
  directory: string,
  numbers: ReadonlySet<number>,
  newest: SegmentLink | undefined,
  nowMs: number,
  onDamaged: (path: string) => void = () => {},
): Promise<ClosedSegment[]> {
  const kept: ClosedSegment[] = [];
  let link = newest;
  let closedAtMs = nowMs;
  while (link !== undefined && numbers.has(link.number)) {
    const path = join(directory, logName(link.number));
    const head = await readHead(fs, path, link);
    if (head === undefined) {
      onDamaged(path);
      break;
    }
    const { header, firstSequence, bytes } = head;
    kept.push({ number: link.number, end: link.length, firstSequence, bytes, closedAtMs });
    closedAtMs = header.createdAtMs;
    link = header.previous;
  }
  return kept.reverse();
}

interface Head {
  readonly header: SegmentHeader;
  readonly firstSequence: number;
  readonly bytes: number;
}

/** `undefined` for a file that is not that segment, or is damaged where it begins. */
async function readHead(
  fs: FileSystem,
  path: string,
  { number, length }: SegmentLink,
): Promise<Head | undefined> {
  const file = await fs.open(path, "read");
  try {
    const bytes = await file.size();
    const head = await readStart(file, Math.min(length, HEAD_BYTES));
    if (bytes < length || !isRecord(head, 0, checksumSeed(number))) return undefined;
    const cursor = new RecordCursor(head, SEGMENT_HEADER_BYTES);
    cursor.next();
    if (cursor.kind !== RECORD_KIND.HEADER) return undefined;
    const header = decodeSegmentHeader(head.subarray(cursor.payloadStart, cursor.end), path);
    return { header, firstSequence: firstSequenceIn(head, cursor.end), bytes };
  } catch (error) {
    if (error instanceof VarveError && error.code === "CORRUPTION") return undefined;
    throw error;
  } finally {
    await file.close();
  }
}

/** All that is in `head` are the segment's own records; a group is the first of them, if there is any. */
function firstSequenceIn(head: Uint8Array, start: number): number {
  const cursor = new RecordCursor(head.subarray(start), head.length - start);
  while (cursor.end + RECORD_HEADER_BYTES <= head.length - start && cursor.next()) {
    if (cursor.kind === RECORD_KIND.GROUP) {
      return firstSequenceOf(head, start + cursor.payloadStart);
    }
  }
  return 0;
}

async function readStart(file: File, bytes: number): Promise<Uint8Array> {
  const start = new Uint8Array(bytes);
  return start.subarray(0, await file.read(start, 0));
}
