/** What tests of the log share: one with small segments, and reading it back as numbers. */
import { systemClock } from "../../src/fs/clock.ts";
import type { FileSystem } from "../../src/fs/file-system.ts";
import { parseFileName } from "../../src/fs/names.ts";
import { Log } from "../../src/log/log.ts";
import { type LogSegment, readLog } from "../../src/log/log-reader.ts";
import { RECORD_HEADER_BYTES } from "../../src/log/record.ts";
import { RECORD_KIND, type SegmentLink } from "../../src/log/segment.ts";

export const LOG_DIRECTORY = "/log";

export async function logNumbers(fs: FileSystem): Promise<number[]> {
  const names = (await fs.list(LOG_DIRECTORY)).map(parseFileName);
  return names.filter((name) => name?.kind === "log").map((name) => name!.number);
}

/** Opens a log behind `previous`, with numbers above all that are there. */
export async function openLog(
  fs: FileSystem,
  segmentBytes: number,
  previous?: SegmentLink,
): Promise<Log> {
  let number = Math.max(0, ...(await logNumbers(fs)));
  return Log.create(fs, LOG_DIRECTORY, {
    segmentBytes,
    allocateNumber: () => ++number,
    clock: systemClock,
    previous,
  });
}

/** Appends one record that says `id`, and is `bytes` long. */
export async function append(log: Log, id: number, bytes: number, sync: boolean): Promise<void> {
  const buffer = new Uint8Array(RECORD_HEADER_BYTES + bytes).fill(id % 251);
  new DataView(buffer.buffer).setUint32(RECORD_HEADER_BYTES, id);
  await log.append(buffer, bytes, sync);
}

export interface LogContent {
  readonly ids: number[];
  readonly segments: LogSegment[];
  readonly last: SegmentLink | undefined;
}

export async function readBack(
  fs: FileSystem,
  firstNeeded = 0,
  readOnly = false,
): Promise<LogContent> {
  const ids: number[] = [];
  const segments: LogSegment[] = [];
  const numbers = await logNumbers(fs);
  for await (const segment of readLog(fs, LOG_DIRECTORY, { numbers, firstNeeded, readOnly })) {
    segments.push(segment);
    const records = segment.records();
    while (records.next()) {
      if (records.kind !== RECORD_KIND.GROUP) continue;
      const { buffer, byteOffset } = records.bytes;
      ids.push(new DataView(buffer, byteOffset).getUint32(records.payloadStart));
    }
  }
  const last = segments.at(-1);
  return {
    ids,
    segments,
    last: last === undefined ? undefined : { number: last.number, length: last.end },
  };
}
