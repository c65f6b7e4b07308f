/**
 * A watch over TCP. It begins on the client's own connection; where that is lost, it connects by itself, as often as
 * it takes, and goes on behind the last sequence that it told, so that its reader notices nothing. It ends with what
 * cannot be helped: `COMPACTED` above all.
 */
import { type KeyMapping, VarveError, type Watch, type WatchEvent } from "varve-protocol";
import type { Connection } from "./connection.ts";
import type { CheckedWatch } from "./validate-watch.ts";
import type { WatchStream } from "./watch-stream.ts";

const END: IteratorResult<WatchEvent, undefined> = { done: true, value: undefined };
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 5000;
/** After so many heartbeats' time in which nothing came, and this much more, a connection counts as lost. */
const SILENT_HEARTBEATS = 3;
const SILENT_MS = 5000;

export interface ClientWatchParts {
  /** With the bounds of stored keys. */
  readonly options: CheckedWatch;
  /** Of whom the events are told. */
  readonly keys: KeyMapping;
  /** The client's own connection, on which the watch begins at once. */
  readonly connection: Connection;
  /** Another connection to the same server, for this watch alone. */
  readonly reconnect: () => Promise<Connection>;
  /** Called once. */
  readonly onEnd: (watch: ClientWatch) => void;
}

export class ClientWatch implements Watch {
  readonly #parts: ClientWatchParts;
  #stream: WatchStream | undefined;
  /** The one that this watch has made for itself. */
  #own: Connection | undefined;
  /** Behind which to go on; unknown until the server has said where the watch begins. */
  #sequence: number | undefined;
  /** The server has taken the watch. */
  #established = false;
  #retries = 0;
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;
  #failure: VarveError | undefined;
  #stopWaiting: (() => void) | undefined;

  /** Throws what `Connection.watch` does. */
  constructor(parts: ClientWatchParts) {
    this.#parts = parts;
    const { options, connection } = parts;
    this.#sequence = options.since;
    this.#stream = connection.watch(options);
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    // Later: who makes the watch must know it first.
    if (options.signal?.aborted) queueMicrotask(this.#onAbort);
  }

  next(): Promise<IteratorResult<WatchEvent, undefined>> {
    const step = () => this.#next();
    const result = this.#last.then(step, step);
    this.#last = result;
    return result;
  }

  async return(): Promise<IteratorResult<WatchEvent, undefined>> {
    this.#end();
    this.#failure = undefined;
    return END;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the watch; who waits, or asks next, is told why. */
  fail(error: VarveError): void {
    if (this.#ended) return;
    this.#failure = error;
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#parts.options.signal?.removeEventListener("abort", this.#onAbort);
    this.#dropConnection(new VarveError("CLOSED", "the watch was closed"));
    this.#stopWaiting?.();
    this.#parts.onEnd(this);
  }

  readonly #onAbort = (): void => {
    const cause = this.#parts.options.signal?.reason;
    this.fail(new VarveError("ABORTED", "the watch was aborted", { cause }));
  };

  async #next(): Promise<IteratorResult<WatchEvent, undefined>> {
    while (!this.#ended) {
      try {
        const event = await this.#nextEvent();
        if (event !== undefined) return { done: false, value: event };
      } catch (error) {
        if (this.#ended) break;
        await this.#afterFailure(error as VarveError);
      }
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    return END;
  }

  async #nextEvent(): Promise<WatchEvent | undefined> {
    this.#stream ??= await this.#connect();
    const stream = this.#stream;
    if (stream === undefined) return undefined;
    const { heartbeatMs } = this.#parts.options;
    const silentMs = SILENT_HEARTBEATS * heartbeatMs + SILENT_MS;
    const timer = setTimeout(() => {
      stream.end(new VarveError("CONNECTION_LOST", `nothing came for ${silentMs} ms`));
    }, silentMs);
    try {
      const event = await stream.next();
      if (this.#ended) return undefined;
      this.#took(event);
      return this.#parts.keys.fromStoredEvent(event);
    } finally {
      clearTimeout(timer);
    }
  }

  #took({ type, sequence }: WatchEvent): void {
    const told = this.#sequence;
    if (told !== undefined && (type === "progress" ? sequence < told : sequence <= told)) {
      const message = `the feed went back from sequence ${told} to ${sequence}`;
      throw new VarveError("PROTOCOL_ERROR", message);
    }
    this.#sequence = sequence;
    this.#established = true;
    this.#retries = 0;
  }

  /** `undefined` where the watch has ended meanwhile. */
  async #connect(): Promise<WatchStream | undefined> {
    const connection = await this.#parts.reconnect();
    if (this.#ended) {
      void connection.close();
      return undefined;
    }
    this.#own = connection;
    return connection.watch({ ...this.#parts.options, since: this.#sequence });
  }

  /** Waits for a while, where it is worth another try; else ends the watch with the error. */
  async #afterFailure(error: VarveError): Promise<void> {
    this.#dropConnection(error);
    if (!this.#mayRetry(error)) {
      this.fail(error);
      return;
    }
    const backOffMs = Math.min(RETRY_MS_MIN * 2 ** this.#retries, RETRY_MS_MAX);
    this.#retries++;
    // Of many clients that have lost one server, not all come back at one moment.
    const ms = Math.max(error.retryAfterMs ?? 0, backOffMs * (0.5 + Math.random() / 2));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#stopWaiting = undefined;
  }

  #mayRetry({ code }: VarveError): boolean {
    if (this.#sequence === undefined) return false;
    switch (code) {
      case "CONNECTION_LOST":
      case "CONNECTION_FAILED":
      case "SHUTTING_DOWN":
        return true;
      // Too much for the server now, or for this reader; at first it is for the caller to know.
      case "OVERLOADED":
      case "TIMEOUT":
        return this.#established;
      default:
        return false;
    }
  }

  #dropConnection(error: VarveError): void {
    this.#stream?.end(error);
    this.#stream = undefined;
    const own = this.#own;
    this.#own = undefined;
    if (own !== undefined) void own.close();
  }
}
