/**
 * An answer that is written piece by piece, at the pace of its reader. A reader that takes nothing for long is cut off: it
 * keeps a snapshot or a place in the log.
 */
import type { ServerResponse } from "node:http";
import { VarveError } from "../errors.ts";
import type { OpenStreams } from "./open-streams.ts";

export class StreamedAnswer {
  readonly #response: ServerResponse;
  readonly #streams: OpenStreams;
  readonly #idleTimeoutMs: number;
  readonly #aborted = new AbortController();
  #reason: VarveError | undefined;
  #wake: (() => void) | undefined;

  /** The response is written by nobody else from here on. Throws `OVERLOADED`. */
  constructor(
    response: ServerResponse,
    streams: OpenStreams,
    idleTimeoutMs: number,
    contentType: string,
  ) {
    streams.assertRoom();
    this.#response = response;
    this.#streams = streams;
    this.#idleTimeoutMs = idleTimeoutMs;
    streams.add(this);
    response.on("drain", () => this.#wakeUp());
    response.on("close", () => this.#closed());
    response.on("error", () => this.#closed());
    response.writeHead(200, { "content-type": contentType, "cache-control": "no-store" });
    response.flushHeaders();
    if (response.destroyed) this.#closed();
  }

  /** Fires when nobody reads any more, or the server ends. */
  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  /** Resolves when there is room for more. Rejects once there is no reader, or with why it was cancelled. */
  async write(text: string): Promise<void> {
    this.assertOpen();
    if (this.#response.write(text)) return;
    const timer = setTimeout(() => this.#response.destroy(), this.#idleTimeoutMs);
    while (this.#response.writableNeedDrain && this.#reason === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(timer);
    this.assertOpen();
  }

  /** It is whole. */
  end(): void {
    this.#streams.remove(this);
    this.#response.end();
  }

  /** A last piece, and then an end that no reader takes for that of the whole. */
  endEarly(text: string): void {
    this.#streams.remove(this);
    const response = this.#response;
    if (response.destroyed) return;
    response.write(text, () => response.socket?.destroySoon());
    // A reader that takes nothing must not hold the socket.
    setTimeout(() => response.destroy(), this.#idleTimeoutMs).unref();
  }

  cancel(reason: VarveError): void {
    this.#reason ??= reason;
    this.#aborted.abort();
    this.#wakeUp();
  }

  #closed(): void {
    this.#streams.remove(this);
    this.cancel(new VarveError("CONNECTION_LOST", "the reader is gone"));
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Throws why it was cancelled, if it was. */
  assertOpen(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }
}
