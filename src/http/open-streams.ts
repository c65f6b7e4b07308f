/** Answers without an end: how many there may be, and that they end with the server. */
import { VarveError } from "../errors.ts";
import type { StreamedAnswer } from "./streamed-answer.ts";

const RETRY_MS = 1000;

export class OpenStreams {
  readonly #streamsMax: number;
  readonly #open = new Set<StreamedAnswer>();

  constructor(streamsMax: number) {
    this.#streamsMax = streamsMax;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Throws `OVERLOADED` where there are as many as there may be. */
  assertRoom(): void {
    if (this.#open.size < this.#streamsMax) return;
    const message = `${this.#open.size} streams are open, and no more are taken`;
    throw new VarveError("OVERLOADED", message, { retryAfterMs: RETRY_MS });
  }

  add(stream: StreamedAnswer): void {
    this.#open.add(stream);
  }

  remove(stream: StreamedAnswer): void {
    this.#open.delete(stream);
  }

  /** Whoever feeds a stream is told with its next write, or by its signal. */
  endAll(reason: VarveError): void {
    for (const stream of this.#open) stream.cancel(reason);
  }
}
