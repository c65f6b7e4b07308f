/**
 * Answers that wait in memory until their readers take them. Small ones are bounded by the connections that there may be;
 * large ones are counted here, and one that finds no room is refused, so that readers of none do not take all memory.
 */
import type { ServerResponse } from "node:http";
import { VarveError } from "../errors.ts";

const RETRY_MS = 1000;
/** Below that an answer is not worth the counting. */
const LARGE_BYTES = 64 * 1024;

export class UnsentAnswers {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Of large answers, at present. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts bytes until the answer is closed. Throws `OVERLOADED` where there is no room: nothing may be written yet. */
  hold(response: ServerResponse, bytes: number): void {
    if (bytes < LARGE_BYTES) return;
    const release = this.#take(bytes, this.#bytesMax);
    response.once("close", release);
  }

  /**
   * Counts a stream's piece until what it returns is called, once. Throws `OVERLOADED`. Streams have half of the room: their
   * readers may be slow for longer, and writes with large answers should go on.
   */
  takePiece(bytes: number): () => void {
    return this.#take(bytes, this.#bytesMax / 2);
  }

  #take(bytes: number, bytesMax: number): () => void {
    if (this.#bytes + bytes > bytesMax) {
      const message = `answers of ${this.#bytes} bytes wait for their readers, and ${bytesMax} is all there is room for`;
      throw new VarveError("OVERLOADED", message, { retryAfterMs: RETRY_MS });
    }
    this.#bytes += bytes;
    return () => {
      this.#bytes -= bytes;
    };
  }
}
