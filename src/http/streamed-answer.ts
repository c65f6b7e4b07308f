/**
 * An answer that is written piece by piece, at the pace of its reader. A reader that takes nothing for long is cut off: it
 * keeps a snapshot or a place in the log.
 */
import type { ServerResponse } from "node:http";
import { VarveError } from "../errors.ts";
import type { OpenStreams } from "./open-streams.ts";
import { SAFE_HEADERS } from "./safe-headers.ts";
import type { UnsentAnswers } from "./unsent-answers.ts";

/** A piece beyond that is counted; the many small ones are bounded by the streams that there may be. */
const LARGE_CHARACTERS = 256 * 1024;

export class StreamedAnswer {
  readonly #response: ServerResponse;
  readonly #streams: OpenStreams;
  readonly #unsent: UnsentAnswers;
  readonly #idleTimeoutMs: number;
  readonly #aborted = new AbortController();
  #reason: VarveError | undefined;
  #wake: (() => void) | undefined;

  /** The response is written by nobody else from here on. Throws `OVERLOADED`. */
  constructor(
    response: ServerResponse,
    streams: OpenStreams,
    unsent: UnsentAnswers,
    idleTimeoutMs: number,
    contentType: string,
  ) {
    streams.assertRoom();
    this.#response = response;
    this.#streams = streams;
    this.#unsent = unsent;
    this.#idleTimeoutMs = idleTimeoutMs;
    streams.add(this);
    response.on("drain", () => this.#wakeUp());
    response.on("close", () => this.#closed());
    response.on("error", () => this.#closed());
    response.writeHead(200, { ...SAFE_HEADERS, "content-type": contentType });
    response.flushHeaders();
    if (response.destroyed) this.#closed();
  }

  /** Fires when nobody reads any more, or the server ends. */
  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  /**
   * Resolves when there is room for more. Rejects once there is no reader, with why it was cancelled, and with `OVERLOADED`
   * where large pieces of others wait already.
   */
  async write(text: string): Promise<void> {
    this.assertOpen();
    const release =
      text.length > LARGE_CHARACTERS ? this.#unsent.takePiece(text.length) : undefined;
    try {
      if (!this.#response.write(text)) await this.#drained();
    } finally {
      release?.();
    }
    this.assertOpen();
  }

  async #drained(): Promise<void> {
    const timer = setTimeout(() => this.#response.destroy(), this.#idleTimeoutMs);
    while (this.#response.writableNeedDrain && this.#reason === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(timer);
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
