/** Where a table's decoded blocks come from: a cache in front of the file, or the file read in sequence. */
import type { SyncFile } from "../fs/file-system.ts";
import { decodeBlock } from "./block-format.ts";
import type { BlockIndex } from "./block-index.ts";

export interface BlockSource {
  /** The block if it is in memory. */
  cached(block: number): Uint8Array | undefined;
  load(block: number): Promise<Uint8Array>;
  loadSync(block: number): Uint8Array;
}

const READ_AHEAD_BYTES = 512 * 1024;

/** For workers, which read a table from end to end: always at once, in large reads, through no cache. */
export class SequentialBlockSource implements BlockSource {
  readonly #file: SyncFile;
  readonly #index: BlockIndex;
  #chunk: Uint8Array = new Uint8Array();
  /** Offset of the chunk in the file. */
  #chunkAt = 0;
  bytesRead = 0;

  constructor(file: SyncFile, index: BlockIndex) {
    this.#file = file;
    this.#index = index;
  }

  cached(block: number): Uint8Array {
    return this.loadSync(block);
  }

  async load(block: number): Promise<Uint8Array> {
    return this.loadSync(block);
  }

  loadSync(block: number): Uint8Array {
    const offset = this.#index.offset(block);
    const end = offset + this.#index.storedBytes(block);
    if (offset < this.#chunkAt || end > this.#chunkAt + this.#chunk.length) {
      this.#read(block, offset, end);
    }
    const stored = this.#chunk.subarray(offset - this.#chunkAt, end - this.#chunkAt);
    return decodeBlock(stored, offset, this.#file.path);
  }

  /** Reads the block and as many whole ones after it as fit the read-ahead. */
  #read(block: number, offset: number, blockEnd: number): void {
    let end = blockEnd;
    for (let next = block + 1; next < this.#index.length; next++) {
      const nextEnd = this.#index.offset(next) + this.#index.storedBytes(next);
      if (nextEnd - offset > READ_AHEAD_BYTES) break;
      end = nextEnd;
    }
    // A new buffer each time: cursors hand out views of blocks that were not compressed.
    const chunk = Buffer.allocUnsafeSlow(end - offset);
    const got = this.#file.read(chunk, offset);
    this.bytesRead += got;
    this.#chunk = chunk.subarray(0, got);
    this.#chunkAt = offset;
  }
}
