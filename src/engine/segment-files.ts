/** The log segments' files as watchers read them: each is opened once, for all who are in it. */
import type { File, FileSystem } from "../fs/file-system.ts";
import { systemCodeOf } from "../fs/io-failure.ts";

interface OpenSegment {
  readonly file: Promise<File>;
  readers: number;
}

export class SegmentFiles {
  readonly #fs: FileSystem;
  readonly #pathOf: (segment: number) => string;
  readonly #open = new Map<number, OpenSegment>();

  constructor(fs: FileSystem, pathOf: (segment: number) => string) {
    this.#fs = fs;
    this.#pathOf = pathOf;
  }

  reader(): SegmentReader {
    return new SegmentReader(this);
  }

  acquire(segment: number): OpenSegment {
    let open = this.#open.get(segment);
    if (open === undefined) {
      open = { file: this.#fs.open(this.#pathOf(segment), "read"), readers: 0 };
      this.#open.set(segment, open);
    }
    open.readers++;
    return open;
  }

  async release(segment: number, open: OpenSegment): Promise<void> {
    if (--open.readers > 0) return;
    if (this.#open.get(segment) === open) this.#open.delete(segment);
    const file = await open.file.catch(() => undefined);
    // Nothing was written to it that could be lost.
    await file?.close().catch(() => undefined);
  }
}

/** One watcher's: it is in one segment at a time. */
export class SegmentReader {
  readonly #files: SegmentFiles;
  #segment = 0;
  #open: OpenSegment | undefined;

  constructor(files: SegmentFiles) {
    this.#files = files;
  }

  /** Returns the bytes read, none where the file is not there any more. */
  async read(segment: number, target: Uint8Array, position: number): Promise<number> {
    if (this.#segment !== segment || this.#open === undefined) {
      await this.close();
      this.#open = this.#files.acquire(segment);
      this.#segment = segment;
    }
    try {
      const file = await this.#open.file;
      return await file.read(target, position);
    } catch (error) {
      await this.close();
      if (systemCodeOf(error) === "ENOENT") return 0;
      throw error;
    }
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) await this.#files.release(this.#segment, open);
  }
}
