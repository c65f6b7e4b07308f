/**
 * The write-ahead log's writer. One owner, one call at a time: `append`, `sync`, `rotate`, `markSynced`, `trim`
 * and `close` do not overlap (`retire` may overlap with any).
 *
 * Invariants:
 * - Records follow one another without gaps, in a segment and from one segment to the next; a segment is
 *   used only when all of the one before is on the disk. So no later record survives an earlier one's loss.
 * - After a write or sync has failed nothing is written any more: what the failed one left is unknown, and a
 *   second sync may succeed over lost data (https://wiki.postgresql.org/wiki/Fsync_Errors).
 */
import assert from "node:assert";
import { VarveError } from "../errors.ts";
import type { Clock } from "../fs/clock.ts";
import type { File, FileSystem } from "../fs/file-system.ts";
import { parseFileName } from "../fs/names.ts";
import { InlineWrites } from "./inline-writes.ts";
import { encodeRecordHeader, RECORD_HEADER_BYTES } from "./record.ts";
import {
  encodeSegmentHeader,
  RECORD_KIND,
  SEGMENT_HEADER_BYTES,
  type SegmentLink,
} from "./segment.ts";
import { type ReadySegment, SegmentPool } from "./segment-pool.ts";

/** An open database waits for its first segment, which is therefore made ready for less. */
const FIRST_SEGMENT_BYTES = 1024 * 1024;

export interface LogOptions {
  /** Bytes that a segment is made ready for; it may grow beyond. */
  readonly segmentBytes: number;
  /** A number larger than all that were ever used in the directory. */
  readonly allocateNumber: () => number;
  readonly clock: Clock;
  /** The newest segment of the log that was there before, and where its records end. */
  readonly previous?: SegmentLink | undefined;
}

interface OldSegment {
  readonly number: number;
  /** 0 for one that is not to be used again. */
  readonly bytes: number;
}

export class Log {
  readonly #pool: SegmentPool;
  readonly #clock: Clock;
  readonly #inline: InlineWrites;
  #old: OldSegment[];
  #file: File;
  #number: number;
  /** The records of the segment end here. */
  #end = SEGMENT_HEADER_BYTES;
  /** The file goes on to here, at least. */
  #allocatedEnd = SEGMENT_HEADER_BYTES;
  /** And are on the disk up to here. */
  #syncedEnd = SEGMENT_HEADER_BYTES;
  /** All up to here is covered by a marker, or needs none. */
  #markedEnd = SEGMENT_HEADER_BYTES;
  #busy = false;
  #closed = false;
  #failure: VarveError | undefined;
  /** Bytes of records since the log was opened. */
  bytesWritten = 0;
  /** Syncs since the log was opened, and writes that were syncs by themselves. */
  syncs = 0;

  private constructor(pool: SegmentPool, clock: Clock, old: OldSegment[], first: ReadySegment) {
    this.#pool = pool;
    this.#clock = clock;
    this.#inline = new InlineWrites(clock);
    this.#old = old;
    this.#file = first.file;
    this.#number = first.number;
  }

  /** Starts a log in `directory` with a new segment, behind what segments there are. */
  static async create(fs: FileSystem, directory: string, options: LogOptions): Promise<Log> {
    const { segmentBytes, allocateNumber, clock, previous } = options;
    const old = (await fs.list(directory))
      .map(parseFileName)
      .filter((name) => name?.kind === "log")
      .map((name) => ({ number: name!.number, bytes: 0 }));
    const pool = new SegmentPool({ fs, directory, segmentBytes, allocateNumber });
    const first = await pool.create(FIRST_SEGMENT_BYTES);
    const log = new Log(pool, clock, old, first);
    await log.#activate(first, previous);
    return log;
  }

  /** The segment that records go to. */
  get segmentNumber(): number {
    return this.#number;
  }

  /** Where the segment's records end. */
  get segmentLength(): number {
    return this.#end;
  }

  /** Bytes that are not known to be on the disk. */
  get unsyncedBytes(): number {
    return this.#end - this.#syncedEnd;
  }

  /**
   * Writes a commit group, whose payload stands in `buffer` behind `RECORD_HEADER_BYTES` of room, as it is.
   * Resolves when it is on the disk, or, without `sync`, with the operating system.
   */
  async append(buffer: Uint8Array, payloadLength: number, sync: boolean): Promise<void> {
    this.#enter();
    try {
      encodeRecordHeader(
        buffer,
        0,
        payloadLength,
        RECORD_KIND.GROUP,
        this.#syncedEnd,
        this.#number,
      );
      const length = RECORD_HEADER_BYTES + payloadLength;
      await this.#write(buffer.length === length ? buffer : buffer.subarray(0, length), sync);
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#busy = false;
    }
  }

  /** Resolves when everything appended before is on the disk. */
  async sync(): Promise<void> {
    this.#enter();
    try {
      await this.#syncAll();
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#busy = false;
    }
  }

  /** Puts the segment on the disk and moves on to the next one, whose number it returns. */
  async rotate(): Promise<number> {
    this.#enter();
    try {
      await this.#syncAll();
      const next = await this.#pool.take();
      const file = this.#file;
      const left = { number: this.#number, length: this.#end };
      await this.#activate(next, left);
      this.#old.push({ number: left.number, bytes: await file.size() });
      await file.close();
      return next.number;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Puts everything on the disk, and then a marker that says so. From then on damage to the last record is
   * seen as damage; without a record after it, it would pass for a write that a crash cut short.
   */
  async markSynced(): Promise<void> {
    this.#enter();
    try {
      await this.#mark();
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#busy = false;
    }
  }

  /** Bytes of segments that are kept for later, and of this one's part that is not written yet. */
  get reserveBytes(): number {
    return this.#pool.reserveBytes + Math.max(0, this.#allocatedEnd - this.#end);
  }

  /** Gives up most of what is kept ready, which comes back as it is needed. A failure changes nothing. */
  async trim(): Promise<void> {
    this.#enter();
    try {
      await this.#pool.trim();
      const end = this.#end + FIRST_SEGMENT_BYTES;
      if (this.#allocatedEnd <= end) return;
      await this.#file.truncate(end);
      this.#allocatedEnd = end;
    } finally {
      this.#busy = false;
    }
  }

  /** Gives up the segments with numbers below `before`, which nothing on the disk needs any more. */
  async retire(before: number): Promise<void> {
    assert(before <= this.#number);
    const retired = this.#old.filter((segment) => segment.number < before);
    this.#old = this.#old.filter((segment) => segment.number >= before);
    for (const { number, bytes } of retired) await this.#pool.retire(number, bytes);
  }

  /** Leaves a whole log behind, or, after a failure, the log as it is. */
  async close(): Promise<void> {
    if (this.#closed) return;
    assert(!this.#busy, "the log is in use");
    this.#closed = true;
    try {
      if (this.#failure === undefined) {
        await this.#mark();
        // The next open then has no tail to look through. Where this is lost, nothing else is.
        await this.#file.truncate(this.#end);
      }
    } catch (error) {
      throw this.#fail(error);
    } finally {
      await this.#file.close();
      await this.#pool.close();
    }
  }

  #enter(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new VarveError("CLOSED", "the log is closed");
    assert(!this.#busy, "the log takes one call at a time");
    this.#busy = true;
  }

  /** The first failure is what all later calls throw. */
  #fail(cause: unknown): VarveError {
    const what = cause instanceof Error ? cause.message : String(cause);
    this.#failure ??= new VarveError("LOG_FAILED", `the log cannot be written: ${what}`, { cause });
    return this.#failure;
  }

  async #activate(next: ReadySegment, previous: SegmentLink | undefined): Promise<void> {
    const { number, recycledFrom } = next;
    const createdAtMs = this.#clock.now();
    const header = encodeSegmentHeader({ number, previous, createdAtMs, recycledFrom });
    try {
      await next.file.writeSynced(header, 0);
    } catch (error) {
      await next.file.close();
      throw error;
    }
    this.syncs++;
    this.bytesWritten += header.length;
    this.#file = next.file;
    this.#number = number;
    this.#allocatedEnd = next.bytes;
    this.#end = header.length;
    this.#syncedEnd = header.length;
    this.#markedEnd = header.length;
    this.#pool.prepare();
  }

  /** One record, at the end. A write that is a sync by itself is faster, but covers its own bytes only. */
  async #write(record: Uint8Array, sync: boolean): Promise<void> {
    const alone = this.#syncedEnd === this.#end;
    const [file, end] = [this.#file, this.#end];
    if (sync && alone) await file.writeSynced(record, end);
    else if (!sync && this.#inline.allows(record.length)) {
      this.#inline.run(() => file.writeSync(record, end));
    } else await file.write(record, end);
    this.#end += record.length;
    // What `trim` gave up is needed again.
    if (this.#end > this.#allocatedEnd) this.#pool.prepare();
    this.bytesWritten += record.length;
    if (!sync) return;
    if (!alone) await this.#file.sync();
    this.syncs++;
    this.#syncedEnd = this.#end;
  }

  async #syncAll(): Promise<void> {
    if (this.#syncedEnd === this.#end) return;
    await this.#file.sync();
    this.syncs++;
    this.#syncedEnd = this.#end;
  }

  async #mark(): Promise<void> {
    if (this.#markedEnd === this.#end) return;
    await this.#syncAll();
    const record = new Uint8Array(RECORD_HEADER_BYTES);
    encodeRecordHeader(record, 0, 0, RECORD_KIND.MARKER, this.#syncedEnd, this.#number);
    await this.#write(record, true);
    this.#markedEnd = this.#end;
  }
}
