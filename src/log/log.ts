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
import { systemCodeOf } from "../fs/io-failure.ts";
import { parseFileName } from "../fs/names.ts";
import { firstSequenceOf } from "./commit-group.ts";
import { InlineWrites } from "./inline-writes.ts";
import { encodeRecordHeader, RECORD_HEADER_BYTES } from "./record.ts";
import {
  encodeSegmentHeader,
  RECORD_KIND,
  SEGMENT_HEADER_BYTES,
  type SegmentLink,
} from "./segment.ts";
import {
  type ClosedSegment,
  type LogRetention,
  NO_RETENTION,
  SegmentList,
} from "./segment-list.ts";
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
  /** What is kept of flushed segments; nothing unless given. */
  readonly retention?: LogRetention;
  /** The segments of the log that was there before, as far as they can be read by feeds. */
  readonly kept?: readonly ClosedSegment[];
}

export class Log {
  readonly #pool: SegmentPool;
  readonly #clock: Clock;
  readonly #inline: InlineWrites;
  readonly #old: SegmentList;
  #file: File;
  #number: number;
  /** Of the first operation in the segment; 0 while there is none. */
  #firstSequence = 0;
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
  /** The last of what is done with files that are not needed any more. */
  #retiring: Promise<void> = Promise.resolve();
  /** Bytes of records since the log was opened. */
  bytesWritten = 0;
  /** Syncs since the log was opened, and writes that were syncs by themselves. */
  syncs = 0;

  private constructor(pool: SegmentPool, clock: Clock, old: SegmentList, first: ReadySegment) {
    this.#pool = pool;
    this.#clock = clock;
    this.#inline = new InlineWrites(clock);
    this.#old = old;
    this.#file = first.file;
    this.#number = first.number;
  }

  /** Starts a log in `directory` with a new segment, behind what segments there are. */
  static async create(fs: FileSystem, directory: string, options: LogOptions): Promise<Log> {
    const { segmentBytes, allocateNumber, clock, previous, kept = [], retention } = options;
    const known = new Set(kept.map(({ number }) => number));
    const unknown = (await fs.list(directory))
      .map(parseFileName)
      .filter((name) => name?.kind === "log" && !known.has(name.number))
      .map((name) => ({ number: name!.number, end: 0, firstSequence: 0, bytes: 0, closedAtMs: 0 }));
    const old = new SegmentList(retention ?? NO_RETENTION, [...unknown, ...kept]);
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
    if (this.#firstSequence === 0) {
      this.#firstSequence = firstSequenceOf(buffer, RECORD_HEADER_BYTES);
    }
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
      const left = {
        number: this.#number,
        end: this.#end,
        firstSequence: this.#firstSequence,
        bytes: await file.size(),
        closedAtMs: this.#clock.now(),
      };
      await this.#activate(next, { number: left.number, length: left.end }, left);
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

  /**
   * Recovery needs no segment with a number below `before` any more: gives up those that the retention does not keep.
   * Call again when time has passed.
   */
  retire(before: number): Promise<void> {
    assert(before <= this.#number);
    const { given, shortened } = this.#old.retire(before, this.#clock.now());
    const earlier = this.#retiring.catch(() => undefined);
    this.#retiring = earlier.then(async () => {
      for (const segment of shortened) await this.#shorten(segment);
      for (const { number, bytes } of given) await this.#pool.retire(number, bytes);
    });
    return this.#retiring;
  }

  /**
   * Gives up segments that are kept for feeds alone though the retention would keep them, the oldest first, until their
   * files make up `bytes`; at once to who reads them. Resolves to what they took, when the files are removed.
   */
  async spare(bytes: number): Promise<number> {
    const spared = this.#old.spare(bytes);
    const earlier = this.#retiring.catch(() => undefined);
    this.#retiring = earlier.then(async () => {
      for (const { number } of spared) await this.#pool.remove(number);
    });
    await this.#retiring;
    return spared.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Bytes of flushed segments that are kept for feeds alone. */
  get retainedBytes(): number {
    return this.#old.retainedBytes;
  }

  /** When `retire` will have more to give up, by the wall clock; `undefined` where time alone does nothing. */
  get nextRetireMs(): number | undefined {
    return this.#old.nextRetireMs;
  }

  /** Where the records of a segment end, as far as they are written; `undefined` for one that is not kept. */
  endOf(number: number): number | undefined {
    return number === this.#number ? this.#end : this.#old.find(number)?.end;
  }

  /** The number of the segment that follows a kept one; `undefined` for the one that is written to. */
  segmentAfter(number: number): number | undefined {
    if (number === this.#number) return undefined;
    return this.#old.segments.find((segment) => segment.number > number)?.number ?? this.#number;
  }

  /** The oldest sequence that the kept segments hold; `undefined` where they hold none. */
  get oldestSequence(): number | undefined {
    const oldest = this.#old.segments.find(({ firstSequence }) => firstSequence > 0);
    return oldest?.firstSequence ?? (this.#firstSequence === 0 ? undefined : this.#firstSequence);
  }

  /** The number of the segment that holds a sequence, or will; `undefined` where it is gone. */
  segmentOf(sequence: number): number | undefined {
    if (this.#firstSequence > 0 && this.#firstSequence <= sequence) return this.#number;
    return this.#old.segments.findLast(
      ({ firstSequence }) => firstSequence > 0 && firstSequence <= sequence,
    )?.number;
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
      await this.#retiring.catch(() => undefined);
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

  /** Cuts off what was made ready and not used; what is kept must not take more than it holds. */
  async #shorten({ number, end }: ClosedSegment): Promise<void> {
    try {
      await this.#pool.cut(number, end);
    } catch (error) {
      if (systemCodeOf(error) !== "ENOENT") throw error;
    }
  }

  /** In one step, `left` is closed and `next` in its place. */
  async #activate(
    next: ReadySegment,
    previous: SegmentLink | undefined,
    left?: ClosedSegment,
  ): Promise<void> {
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
    if (left !== undefined) this.#old.add(left);
    this.#file = next.file;
    this.#number = number;
    this.#firstSequence = 0;
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
