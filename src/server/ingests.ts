/**
 * What INGEST_BEGIN, INGEST_DATA and INGEST_COMMIT do. The store pulls what has come; the client is granted as much more as
 * the store has taken, so no more than the credit and one frame wait for it. One that ends before its COMMIT, with its
 * connection or by CANCEL, leaves nothing behind.
 */
import {
  decodeEmpty,
  decodeIngestBegin,
  decodeIngestData,
  encodeCommitted,
  encodeIngestReady,
  type Frame,
} from "varve-protocol";
import { VarveError } from "../errors.ts";
import type { Pair } from "../store.ts";
import { answerLater } from "./answers.ts";
import type { Connection } from "./connection.ts";
import type { ServerContext } from "./server-context.ts";

interface Waiting {
  readonly pairs: readonly Pair[];
  readonly bytes: number;
}

/** What the client sends, as the store takes it. */
export class StreamedIngest implements AsyncIterableIterator<readonly Pair[]> {
  readonly #grant: (bytes: number) => void;
  readonly #creditBytes: number;
  readonly #idleTimeoutMs: number;
  /** Resolves when it has its final answer. */
  readonly ended: Promise<void>;
  readonly end: () => void;
  readonly #waiting: Waiting[] = [];
  #begun = false;
  /** What the client may still send. */
  #credit = 0;
  #isComplete = false;
  #cancelled: VarveError | undefined;
  #wake: (() => void) | undefined;

  constructor(grant: (bytes: number) => void, creditBytes: number, idleTimeoutMs: number) {
    this.#grant = grant;
    this.#creditBytes = creditBytes;
    this.#idleTimeoutMs = idleTimeoutMs;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.end = resolve;
  }

  get isCancelled(): boolean {
    return this.#cancelled !== undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Called when what was given before is taken. */
  async next(): Promise<IteratorResult<readonly Pair[], undefined>> {
    if (!this.#begun) this.#grantMore(this.#creditBytes);
    this.#begun = true;
    for (;;) {
      if (this.#cancelled !== undefined) throw this.#cancelled;
      const waiting = this.#waiting.shift();
      if (waiting !== undefined) {
        if (!this.#isComplete) this.#grantMore(waiting.bytes);
        return { done: false, value: waiting.pairs };
      }
      if (this.#isComplete) return { done: true, value: undefined };
      await this.#changed();
    }
  }

  async return(): Promise<IteratorResult<readonly Pair[], undefined>> {
    this.#waiting.length = 0;
    return { done: true, value: undefined };
  }

  /** Throws `PROTOCOL_ERROR` for what comes without credit, or after the end. */
  received(frame: Frame): void {
    if (this.#isComplete || this.#credit <= 0) {
      const message = `INGEST_DATA ${this.#isComplete ? "after INGEST_COMMIT" : "without credit"}`;
      throw new VarveError("PROTOCOL_ERROR", message);
    }
    const { opcode, flags, requestId, start, end } = frame;
    // Copied: the store comes to it later, when the socket's chunk is gone.
    const bytes = new Uint8Array(frame.bytes.subarray(start, end));
    const pairs = decodeIngestData({
      opcode,
      flags,
      requestId,
      bytes,
      start: 0,
      end: bytes.length,
    });
    this.#credit -= bytes.length;
    if (this.#cancelled === undefined) this.#waiting.push({ pairs, bytes: bytes.length });
    this.#wake?.();
  }

  /** All has been sent. */
  complete(): void {
    this.#isComplete = true;
    this.#wake?.();
  }

  /** Nothing happens where all has come already. */
  cancel(reason = new VarveError("ABORTED", "the ingest was cancelled")): void {
    if (this.#isComplete) return;
    this.#cancelled ??= reason;
    this.#wake?.();
  }

  #grantMore(bytes: number): void {
    this.#credit += bytes;
    this.#grant(bytes);
  }

  async #changed(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const ms = this.#idleTimeoutMs;
      const timer = setTimeout(() => {
        reject(new VarveError("TIMEOUT", `nothing of the ingest was sent for ${ms} ms`));
      }, ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

export function beginIngest(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  const expiry = decodeIngestBegin(frame);
  const { ingestCreditBytes, scanIdleTimeoutMs } = context.settings;
  const grant = (bytes: number) => {
    encodeIngestReady(connection.writer, requestId, bytes);
    connection.wrote();
  };
  const streamed = new StreamedIngest(grant, ingestCreditBytes, scanIdleTimeoutMs);
  const before = [...connection.ingests.values()].filter(({ isCancelled }) => isCancelled);
  connection.ingests.set(requestId, streamed);
  answerLater(connection, context, frame, undefined, async () => {
    try {
      // A client that gave up one ingest and begins another is not told that the first is still there.
      for (const { ended } of before) await ended;
      const { version } = await context.store.ingest(streamed, expiry);
      encodeCommitted(connection.writer, requestId, version);
    } finally {
      connection.ingests.delete(requestId);
      streamed.end();
    }
  });
}

/** What is on its way when an ingest fails is not asked for any more. */
export function takeIngestData(connection: Connection, frame: Frame): void {
  connection.ingests.get(frame.requestId)?.received(frame);
}

export function commitIngest(connection: Connection, frame: Frame): void {
  decodeEmpty(frame);
  connection.ingests.get(frame.requestId)?.complete();
}
