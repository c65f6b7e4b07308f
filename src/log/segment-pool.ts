/**
 * Segments on their way to use and from it. One is always made ready ahead, in the background, so that the
 * log moves on without a wait. Retired ones are kept to be used again, a few of them, because blocks that a
 * file has already need not be found and zeroed.
 *
 * Invariant: a segment is handed out only when its name and its blocks are on the disk.
 */
import { join } from "node:path";
import { VarveError } from "../errors.ts";
import type { File, FileSystem } from "../fs/file-system.ts";
import { systemCodeOf } from "../fs/io-failure.ts";
import { logName } from "../fs/names.ts";

/** Retired segments that wait for reuse, at most. */
const RECYCLABLE_MAX = 2;
const ZEROS_BYTES = 1024 * 1024;

export interface ReadySegment {
  readonly number: number;
  readonly file: File;
  /** The segment whose bytes the file holds, or 0. */
  readonly recycledFrom: number;
  /** What it was made ready for. */
  readonly bytes: number;
}

export interface SegmentPoolOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  /** What a segment is made ready for; it may grow beyond. */
  readonly segmentBytes: number;
  /** A number larger than all that were ever used in the directory. */
  readonly allocateNumber: () => number;
}

export class SegmentPool {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #allocateNumber: () => number;
  readonly #recyclable: number[] = [];
  #next: Promise<ReadySegment> | undefined;
  #closed = false;

  constructor(options: SegmentPoolOptions) {
    this.#fs = options.fs;
    this.#directory = options.directory;
    this.#segmentBytes = options.segmentBytes;
    this.#allocateNumber = options.allocateNumber;
  }

  pathOf(number: number): string {
    return join(this.#directory, logName(number));
  }

  /** A new segment, made ready for `bytes` only, for a caller that waits. */
  create(bytes: number): Promise<ReadySegment> {
    return this.#createZeroed(Math.min(bytes, this.#segmentBytes));
  }

  /** Bytes of segments that wait for use. */
  get reserveBytes(): number {
    const segments = this.#recyclable.length + (this.#next === undefined ? 0 : 1);
    return segments * this.#segmentBytes;
  }

  /** Starts to make the next segment ready. */
  prepare(): void {
    if (this.#next !== undefined) return;
    this.#next = this.#makeReady();
    // Whoever takes it sees the failure.
    this.#next.catch(() => {});
  }

  /** The next segment; waits for it where it is not ready, and tries once more where that failed. */
  async take(): Promise<ReadySegment> {
    this.prepare();
    try {
      return await this.#next!;
    } catch {
      return await this.#makeReady();
    } finally {
      this.#next = undefined;
    }
  }

  /** Takes a segment of `bytes` that holds nothing needed: for reuse, or to remove it. */
  async retire(number: number, bytes: number): Promise<void> {
    const fits = bytes >= this.#segmentBytes && bytes <= 2 * this.#segmentBytes;
    if (fits && !this.#closed && this.#recyclable.length < RECYCLABLE_MAX) {
      this.#recyclable.push(number);
    } else await this.remove(number);
  }

  /** Cuts a segment's file. */
  async cut(number: number, bytes: number): Promise<void> {
    const file = await this.#fs.open(this.pathOf(number), "write");
    try {
      await file.truncate(bytes);
    } finally {
      await file.close();
    }
  }

  /** Removes a segment's file; one that is gone already is fine. */
  async remove(number: number): Promise<void> {
    try {
      await this.#fs.remove(this.pathOf(number));
    } catch (error) {
      if (systemCodeOf(error) !== "ENOENT") throw error;
    }
  }

  /** Removes what was kept ready. */
  async trim(): Promise<void> {
    const preparing = this.#next;
    this.#next = undefined;
    const next = await preparing?.catch(() => undefined);
    if (next !== undefined) {
      await next.file.close();
      await this.remove(next.number);
    }
    for (const number of this.#recyclable.splice(0)) await this.remove(number);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.trim();
  }

  #makeReady(): Promise<ReadySegment> {
    const old = this.#recyclable.shift();
    return old === undefined ? this.#createZeroed(this.#segmentBytes) : this.#recycle(old);
  }

  async #recycle(old: number): Promise<ReadySegment> {
    const number = this.#allocateNumber();
    await this.#fs.rename(this.pathOf(old), this.pathOf(number));
    const file = await this.#fs.open(this.pathOf(number), "write");
    return this.#nameSynced({ number, file, recycledFrom: old, bytes: this.#segmentBytes });
  }

  async #createZeroed(bytes: number): Promise<ReadySegment> {
    const number = this.#allocateNumber();
    const file = await this.#fs.open(this.pathOf(number), "create");
    return this.#nameSynced({ number, file, recycledFrom: 0, bytes }, async () => {
      await writeZeros(file, bytes);
      await file.sync();
    });
  }

  async #nameSynced(segment: ReadySegment, fill?: () => Promise<void>): Promise<ReadySegment> {
    try {
      await fill?.();
      await this.#fs.syncDirectory(this.#directory);
      return segment;
    } catch (error) {
      await segment.file.close();
      throw error;
    }
  }
}

/** Allocates the file's blocks. On a full disk the file stays empty, and grows as it is written to. */
async function writeZeros(file: File, bytes: number): Promise<void> {
  const zeros = new Uint8Array(Math.min(ZEROS_BYTES, bytes));
  try {
    for (let at = 0; at < bytes; at += zeros.length) {
      await file.write(zeros.subarray(0, Math.min(zeros.length, bytes - at)), at);
    }
  } catch (error) {
    if (!(error instanceof VarveError) || error.code !== "NO_SPACE") throw error;
    await file.truncate(0);
  }
}
