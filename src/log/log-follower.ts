/**
 * Reads the log's batches in order while it is being written, for a feed: from the segments' files alone, through
 * a window of fixed size, so that a reader which is slow is further back in the files and holds nothing in memory
 * but the operation, or the batch of matching ones, that it stands on.
 *
 * A segment may be given up, and its file used again, at any moment; so what was read counts only if its segment was
 * still kept afterwards. A reader whose segment is gone looks for its place anew, by sequence, and fails with
 * `COMPACTED` where that is gone, too.
 *
 * Invariant: every batch behind `sequence` is stepped on once, in order, or the follower throws.
 */
import { crc32 } from "node:zlib";
import { readU32 } from "../bytes/little-endian.ts";
import { VarveError } from "../errors.ts";
import { KIND } from "../key.ts";
import type { CommitEvent, FeedOperation, IngestEvent } from "../store.ts";
import {
  committedAtMsOf,
  firstSequenceOf,
  GROUP_HEADER_BYTES,
  LAST_OF_BATCH,
  OPERATION_HEADER_BYTES,
  operationsOf,
} from "./commit-group.ts";
import { type FeedRange, fedOperation, mayConcern, partOf } from "./fed-operation.ts";
import { INGEST_HEAD_BYTES, ingestEndOf, isIngest } from "./ingest-operation.ts";
import type { Log } from "./log.ts";
import { checksumAt, checksumSeed, kindAt, lengthAt, RECORD_HEADER_BYTES } from "./record.ts";
import { RECORD_KIND, SEGMENT_HEADER_BYTES } from "./segment.ts";

export const FOLLOWED = {
  /** Stepped on a batch; `event` is what it has for the reader, if anything. */
  BATCH: 0,
  /** All that may be told has been. */
  END: 1,
  /** `load` must be awaited first. */
  BLOCKED: 2,
} as const;
type Followed = (typeof FOLLOWED)[keyof typeof FOLLOWED];

const WINDOW_BYTES = 64 * 1024;
/** A follower that has little to read keeps little. */
const WINDOW_BYTES_MIN = 4 * 1024;

/** What a follower asks of the log. */
export type FollowedLog = Pick<
  Log,
  "segmentNumber" | "endOf" | "segmentAfter" | "segmentOf" | "oldestSequence"
>;

export interface FollowerOptions {
  readonly log: FollowedLog;
  /** For messages. */
  readonly pathOf: (segment: number) => string;
  /** Reads from a segment's file; fewer bytes than asked for where it ends or is gone. */
  readonly read: (segment: number, target: Uint8Array, position: number) => Promise<number>;
  readonly range: FeedRange;
  /** The wall clock. */
  readonly nowMs: () => number;
  /** Batches that end behind this sequence are stepped on. */
  readonly since: number;
  /** Where those begin, if that is known. */
  readonly start?: { readonly segment: number; readonly offset: number } | undefined;
}

export class LogFollower {
  /** All batches up to here have been stepped on. */
  sequence: number;
  event: CommitEvent | IngestEvent | undefined;
  readonly #options: FollowerOptions;
  /** 0 while its place is not known. */
  #segment: number;
  #at: number;
  /** Where the record ends that `#at` is in; 0 between records. */
  #recordEnd = 0;
  #checksum = 0;
  #expectedChecksum = 0;
  /** The record is checked up to here. */
  #checkedTo = 0;
  #nextSequence = 0;
  #timeMs = 0;
  #batchStart = 0;
  #operations: FeedOperation[] = [];
  /** The part of an ingest that is watched. */
  #ingested: ReturnType<typeof partOf>;
  #window: Uint8Array = new Uint8Array(0);
  /** The window holds the segment's bytes from here on. */
  #windowStart = 0;
  #windowBytes = 0;
  #wantedAt = 0;
  #wantedBytes = 0;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.sequence = options.since;
    this.#segment = options.start?.segment ?? 0;
    this.#at = options.start?.offset ?? 0;
  }

  /** Goes on to the next batch, if there is one up to `upTo`, which is visible. */
  advance(upTo: number): Followed {
    this.event = undefined;
    while (this.sequence < upTo) {
      const end = this.#segment === 0 ? undefined : this.#options.log.endOf(this.#segment);
      if (end === undefined) this.#locate(upTo);
      else if (this.#recordEnd > 0) {
        if (!this.#check()) return FOLLOWED.BLOCKED;
        if (this.#at === this.#recordEnd) this.#recordEnd = 0;
        else {
          const before = this.sequence;
          if (!this.#stepOperation()) return FOLLOWED.BLOCKED;
          if (this.sequence > before) return FOLLOWED.BATCH;
        }
      } else if (this.#at < end) {
        if (!this.#stepRecord(end)) return FOLLOWED.BLOCKED;
      } else if (!this.#stepSegment()) return FOLLOWED.END;
    }
    return FOLLOWED.END;
  }

  /** Reads what `advance` lacked. */
  async load(): Promise<void> {
    const segment = this.#segment;
    const { log, read } = this.#options;
    const [at, wanted] = [this.#wantedAt, this.#wantedBytes];
    const end = log.endOf(segment);
    if (end === undefined) return;
    const bytes = Math.min(Math.max(wanted, WINDOW_BYTES), end - at);
    if (this.#window.length < bytes) {
      this.#window = new Uint8Array(Math.max(bytes, WINDOW_BYTES_MIN));
    }
    this.#windowBytes = 0;
    const got = await read(segment, this.#window.subarray(0, bytes), at);
    if (log.endOf(segment) === undefined) return;
    if (got < wanted) throw this.#damaged(at + got, `the file ends; records go on up to ${end}`);
    this.#windowStart = at;
    this.#windowBytes = got;
  }

  /** Its place by sequence alone. */
  #locate(visible: number): void {
    const { log } = this.#options;
    const next = this.sequence + 1;
    const oldest = log.oldestSequence ?? visible + 1;
    if (oldest > next) throw compacted(this.sequence, oldest - 1);
    this.#segment = log.segmentOf(next) ?? log.segmentNumber;
    this.#toRecord(SEGMENT_HEADER_BYTES);
    this.#windowBytes = 0;
  }

  #toRecord(at: number): void {
    this.#at = at;
    this.#recordEnd = 0;
    this.#operations = [];
  }

  /** False at the end of what is written. */
  #stepSegment(): boolean {
    const next = this.#options.log.segmentAfter(this.#segment);
    if (next === undefined) return false;
    this.#segment = next;
    this.#toRecord(SEGMENT_HEADER_BYTES);
    this.#windowBytes = 0;
    return true;
  }

  /** Into the record at `#at`, or past it; false where it waits for bytes. */
  #stepRecord(segmentEnd: number): boolean {
    if (!this.#has(this.#at, RECORD_HEADER_BYTES)) return false;
    let place = this.#at - this.#windowStart;
    const recordEnd = this.#at + RECORD_HEADER_BYTES + lengthAt(this.#window, place);
    if (recordEnd > segmentEnd) throw this.#damaged(this.#at, "a record runs past the end");
    if (kindAt(this.#window, place) !== RECORD_KIND.GROUP) {
      this.#at = recordEnd;
      return true;
    }
    if (!this.#has(this.#at, RECORD_HEADER_BYTES + INGEST_HEAD_BYTES)) return false;
    place = this.#at - this.#windowStart;
    const group = place + RECORD_HEADER_BYTES;
    const firstSequence = firstSequenceOf(this.#window, group);
    if (firstSequence + operationsOf(this.#window, group) - 1 <= this.sequence) {
      this.#at = recordEnd;
      return true;
    }
    if (firstSequence > this.sequence + 1 && !isIngest(this.#window, group)) {
      const what = `sequence ${firstSequence} comes after ${this.sequence}`;
      throw this.#damaged(this.#at, what);
    }
    this.#expectedChecksum = checksumAt(this.#window, place);
    this.#checksum = checksumSeed(this.#segment);
    this.#checkedTo = this.#at + 4;
    this.#nextSequence = firstSequence;
    this.#batchStart = firstSequence;
    this.#timeMs = committedAtMsOf(this.#window, group);
    this.#recordEnd = recordEnd;
    this.#at += RECORD_HEADER_BYTES + GROUP_HEADER_BYTES;
    return true;
  }

  /** Whether the record is what was written, before any of it is told; false where that waits for bytes. */
  #check(): boolean {
    if (this.#checkedTo === this.#recordEnd) return true;
    while (this.#checkedTo < this.#recordEnd) {
      const bytes = Math.min(this.#recordEnd - this.#checkedTo, WINDOW_BYTES);
      if (!this.#has(this.#checkedTo, bytes)) return false;
      const from = this.#checkedTo - this.#windowStart;
      this.#checksum = crc32(this.#window.subarray(from, from + bytes), this.#checksum);
      this.#checkedTo += bytes;
    }
    if (this.#checksum !== this.#expectedChecksum) {
      const start = this.#at - RECORD_HEADER_BYTES - GROUP_HEADER_BYTES;
      throw this.#damaged(start, "damaged record");
    }
    return true;
  }

  /** Past the operation at `#at`; false where it waits for bytes. */
  #stepOperation(): boolean {
    const at = this.#at;
    if (!this.#has(at, OPERATION_HEADER_BYTES)) return false;
    let place = at - this.#windowStart;
    const kindAndFlag = this.#window[place]!;
    const keyBytes = readU32(this.#window, place + 1);
    const end = at + OPERATION_HEADER_BYTES + keyBytes + readU32(this.#window, place + 5);
    if (end > this.#recordEnd) throw this.#damaged(at, "an operation runs past its group's end");
    if (!this.#has(at, OPERATION_HEADER_BYTES + keyBytes)) return false;
    place = at - this.#windowStart;
    const kind = kindAndFlag & ~LAST_OF_BATCH;
    const keyStart = place + OPERATION_HEADER_BYTES;
    if (
      mayConcern(kind, this.#window.subarray(keyStart, keyStart + keyBytes), this.#options.range)
    ) {
      if (!this.#has(at, end - at)) return false;
      this.#take(kind, at + OPERATION_HEADER_BYTES, keyBytes, end);
    }
    this.#at = end;
    this.#nextSequence++;
    if ((kindAndFlag & LAST_OF_BATCH) !== 0) this.#endBatch();
    return true;
  }

  #take(kind: number, keyAt: number, keyBytes: number, end: number): void {
    const keyStart = keyAt - this.#windowStart;
    const key = this.#window.subarray(keyStart, keyStart + keyBytes);
    const stored = this.#window.subarray(keyStart + keyBytes, end - this.#windowStart);
    if (kind === KIND.INGEST) {
      this.#ingested = partOf(key, ingestEndOf(stored), this.#options.range);
      return;
    }
    const operation = fedOperation(kind, key, stored, this.#options.range, this.#options.nowMs());
    if (operation !== undefined) this.#operations.push(operation);
  }

  #endBatch(): void {
    const sequence = this.#nextSequence - 1;
    const operations = this.#operations;
    const firstSequence = this.#batchStart;
    this.#batchStart = this.#nextSequence;
    const ingested = this.#ingested;
    this.#operations = [];
    this.#ingested = undefined;
    if (sequence <= this.sequence) return;
    this.sequence = sequence;
    // What was large for one operation is not kept for the next.
    if (this.#window.length > WINDOW_BYTES) {
      this.#window = new Uint8Array(0);
      this.#windowBytes = 0;
    }
    if (ingested !== undefined) {
      this.event = { type: "ingest", sequence, time: this.#timeMs, ...ingested };
    }
    if (operations.length === 0) return;
    this.event = { type: "commit", sequence, firstSequence, time: this.#timeMs, operations };
  }

  /** Whether the window has these bytes; else they are what `load` reads. */
  #has(at: number, bytes: number): boolean {
    if (at >= this.#windowStart && at + bytes <= this.#windowStart + this.#windowBytes) return true;
    this.#wantedAt = at;
    this.#wantedBytes = bytes;
    return false;
  }

  #damaged(at: number, what: string): VarveError {
    const path = this.#options.pathOf(this.#segment);
    return new VarveError("CORRUPTION", `${path} at ${at}: ${what}; no feed can pass it`);
  }
}

/** The error for a `since` below `oldest`, the first that can still be asked for. */
export function compacted(since: number, oldest: number): VarveError {
  const message = `what was committed after sequence ${since} is not kept any more; the oldest that can be asked for is ${oldest}`;
  return new VarveError("COMPACTED", message, { sequence: oldest });
}
