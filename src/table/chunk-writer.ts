/**
 * Writes a file from its beginning, in large chunks, which blocks are laid out in: what is reserved in a chunk is written
 * there and then added. What is handed to the file may be used again at once.
 */
import { type Slab, slabOf } from "../bytes/copy.ts";
import type { SyncFile } from "../fs/file-system.ts";

const CHUNK_BYTES = 256 * 1024;

export class ChunkWriter {
  readonly #file: SyncFile;
  #chunk: Slab = slabOf(Buffer.allocUnsafeSlow(CHUNK_BYTES + CHUNK_BYTES / 8));
  /** Of the chunk, what is used. */
  #used = 0;
  /** Bytes handed to the file. */
  #written = 0;

  constructor(file: SyncFile) {
    this.#file = file;
  }

  /** Bytes of the file so far. */
  get bytes(): number {
    return this.#written + this.#used;
  }

  /** Makes room for so many bytes in the chunk, from `start`. */
  reserve(bytes: number): Slab {
    if (this.#used + bytes > this.#chunk.bytes.length) {
      this.flush();
      if (bytes > this.#chunk.bytes.length) this.#chunk = slabOf(Buffer.allocUnsafeSlow(bytes));
    }
    return this.#chunk;
  }

  get start(): number {
    return this.#used;
  }

  /** Adds so many bytes, which stand in the chunk from `start`. */
  add(bytes: number): void {
    this.#used += bytes;
    if (this.#used >= CHUNK_BYTES) this.flush();
  }

  write(bytes: Uint8Array): void {
    const chunk = this.reserve(bytes.length);
    chunk.bytes.set(bytes, this.#used);
    this.add(bytes.length);
  }

  /** Hands all to the file. */
  flush(): void {
    if (this.#used === 0) return;
    this.#file.write(this.#chunk.bytes.subarray(0, this.#used), this.#written);
    this.#written += this.#used;
    this.#used = 0;
  }
}
