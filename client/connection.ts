/**
 * One multiplexed connection after its handshake: matches answers, which come in any order, to calls.
 *
 * Invariant: every promise is settled once, at the latest when the connection ends.
 */
import {
  CONNECTION_REQUEST_ID,
  type Commit,
  decodeError,
  decodeIngestReady,
  decodeScanEnd,
  decodeScanSought,
  encodeIngestBegin,
  encodeWatch,
  type Frame,
  type FrameWriter,
  type IngestOptions,
  type KeyMapping,
  type Limits,
  OPCODE,
  type Pairs,
  type ScanOptions,
  unexpectedOpcode,
  VarveError,
  type Welcome,
} from "varve-protocol";
import { decodeAnswerTo, decodeChunk, isWrite, misfit } from "./answers.ts";
import { BytePool } from "./byte-pool.ts";
import { CALL_STATE, type Call, CallTable } from "./call-table.ts";
import type { Channel } from "./channel.ts";
import { IngestStream, type IngestTarget } from "./ingest-stream.ts";
import { type CallOptions, type Settings, timeoutOf } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { ClientScan, type ScanSource } from "./scan.ts";
import type { CheckedWatch } from "./validate-watch.ts";
import { WatchStream } from "./watch-stream.ts";

/** Appends a request's frame and returns its length, or throws before it has begun one. */
type Encode = (writer: FrameWriter, requestId: number) => number;

/** What to wait before trying again when the queue is full. */
const QUEUE_RETRY_MS = 50;

export class Connection implements ScanSource, IngestTarget {
  readonly welcome: Welcome;
  readonly limits: Limits;
  readonly #channel: Channel;
  readonly #settings: Settings;
  readonly #calls = new CallTable();
  readonly #outbox: Outbox;
  readonly #pool = new BytePool();
  /** Calls whose caller still waits. */
  #live = 0;
  #closing = false;
  /** Why the connection ended, once it has. */
  #end: Error | undefined;
  /** The last error that the server sent about the connection as a whole. */
  #farewell: VarveError | undefined;
  /** The newest promise's functions; see `#executor`. */
  #resolve: (value: unknown) => void = () => {};
  #reject: (error: VarveError) => void = () => {};

  constructor(channel: Channel, welcome: Welcome, settings: Settings) {
    this.#channel = channel;
    this.welcome = welcome;
    this.limits = welcome.limits;
    this.#settings = settings;
    const inFlightMax = Math.min(settings.requestsInFlightMax, welcome.limits.requestsInFlightMax);
    this.#outbox = new Outbox(channel.socket, this.#calls, inFlightMax);
    channel.onFrame = this.#onFrame;
    channel.onEnd = (cause) => this.#onEnd(cause);
  }

  /** Queues a request; resolves to what `decodeAnswerTo` makes of its answer. Never throws. */
  call<Result>(
    opcode: number,
    options: CallOptions | undefined,
    encode: Encode,
    keys = 0,
  ): Promise<Result> {
    try {
      const timeoutMs = timeoutOf(options, this.#settings);
      const call = this.#queue(opcode, encode);
      call.keys = keys;
      const promise = new Promise(this.#executor) as Promise<Result>;
      call.resolve = this.#resolve;
      call.reject = this.#reject;
      if (timeoutMs !== undefined) {
        call.timer = setTimeout(() => this.expire(call, timeoutMs), timeoutMs);
      }
      if (options?.signal !== undefined) this.#watch(call, options.signal);
      return promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Opens a scan, whose `keys` are its reader's; `encode` is told the first credit. Throws what `call` rejects with. */
  scan(
    options: ScanOptions & CallOptions,
    keys: KeyMapping,
    encode: (writer: FrameWriter, requestId: number, credit: number) => number,
  ): ClientScan {
    const credit = this.#settings.scanCreditBytes;
    const timeoutMs = timeoutOf(options, this.#settings);
    const call = this.#queue(OPCODE.SCAN, (writer, id) => encode(writer, id, credit));
    const scan = new ClientScan(this, call, keys, credit, timeoutMs, options.seekable === true);
    call.scan = scan;
    if (options.signal !== undefined) this.#watch(call, options.signal);
    return scan;
  }

  /** Opens a watch. Throws what `call` rejects with. */
  watch({ since, signal: _, ...options }: CheckedWatch): WatchStream {
    const credit = this.#settings.scanCreditBytes;
    const watched = since === undefined ? options : { ...options, since };
    const call = this.#queue(OPCODE.WATCH, (writer, id) =>
      encodeWatch(writer, id, watched, credit),
    );
    const stream = new WatchStream(this, call, credit);
    call.scan = stream;
    return stream;
  }

  /** Rejects with what `call` does, too. */
  async ingest(
    pairs: Pairs,
    options: IngestOptions & CallOptions,
    keys: KeyMapping,
  ): Promise<Commit> {
    const timeoutMs = timeoutOf(options, this.#settings);
    const call = this.#queue(OPCODE.INGEST_BEGIN, (writer, id) =>
      encodeIngestBegin(writer, id, options),
    );
    const stream = new IngestStream(this, call, keys, this.limits, timeoutMs);
    call.scan = stream;
    if (options.signal !== undefined) this.#watch(call, options.signal);
    return stream.run(pairs);
  }

  /** Frames of an ingest, whose INGEST_BEGIN was answered. */
  send(frames: Uint8Array): void {
    this.#outbox.send(frames);
  }

  grant(call: Call, bytes: number): void {
    this.#outbox.grant(call, bytes);
  }

  seek(call: Call, key: Uint8Array): void {
    this.#outbox.seek(call, key);
  }

  cancel(call: Call): void {
    call.unwatch();
    call.scan = undefined;
    this.#live--;
    this.#outbox.cancel(call);
    this.#endWhenDone();
  }

  expire(call: Call, timeoutMs: number): void {
    this.#abandon(call, "TIMEOUT", `no answer from ${this.#channel.address} in ${timeoutMs} ms`);
  }

  close(): Promise<void> {
    this.#closing = true;
    for (const call of this.#calls) {
      if (call.scan !== undefined) this.#abandon(call, "CLOSED", "the client was closed");
    }
    this.#endWhenDone();
    return this.#channel.closed;
  }

  #queue(opcode: number, encode: Encode): Call {
    if (this.#closing) throw new VarveError("CLOSED", "the client is closed");
    if (this.#end !== undefined) throw this.#connectionLost(false);
    const { writer } = this.#outbox;
    const full = writer.pendingBytes >= this.#settings.queueBytesMax;
    const call = full ? undefined : this.#calls.acquire();
    if (call === undefined) {
      const message = `${writer.pendingBytes} bytes of calls wait to be sent; await some of them first`;
      throw new VarveError("OVERLOADED", message, { retryAfterMs: QUEUE_RETRY_MS });
    }
    try {
      this.#checkLength(opcode, encode(writer, call.requestId));
    } catch (error) {
      this.#calls.release(call);
      throw error;
    }
    call.opcode = opcode;
    this.#outbox.add(call);
    this.#live++;
    return call;
  }

  /** Takes the frame back where the server would refuse it and end the connection. */
  #checkLength(opcode: number, length: number): void {
    const { frameBytesMax } = this.limits;
    if (length <= frameBytesMax) return;
    this.#outbox.writer.undo();
    const many = opcode === OPCODE.BATCH || opcode === OPCODE.GET_MANY;
    throw new VarveError(
      many ? "BATCH_TOO_LARGE" : "INVALID_ARGUMENT",
      `the request has ${length} bytes; at most ${frameBytesMax} are allowed`,
    );
  }

  /** Takes a new promise's functions without making a closure for each call. */
  readonly #executor = (
    resolve: (value: unknown) => void,
    reject: (error: VarveError) => void,
  ): void => {
    this.#resolve = resolve;
    this.#reject = reject;
  };

  #watch(call: Call, signal: AbortSignal): void {
    const onAbort = () => this.#abandon(call, "ABORTED", "the call was aborted", signal.reason);
    if (signal.aborted) {
      onAbort();
      return;
    }
    call.signal = signal;
    call.onAbort = onAbort;
    signal.addEventListener("abort", onAbort, { once: true });
  }

  /** Settles the call now with an error of our own; what the server still sends for it is ignored. */
  #abandon(
    call: Call,
    code: "ABORTED" | "TIMEOUT" | "CLOSED",
    message: string,
    cause?: unknown,
  ): void {
    const { scan, reject } = call;
    const error = new VarveError(code, message, { maybeApplied: maybeApplied(call), cause });
    this.cancel(call);
    if (scan === undefined) reject(error);
    else scan.abandoned(error);
  }

  readonly #onFrame = (frame: Frame): void => {
    if (frame.requestId === CONNECTION_REQUEST_ID) {
      if (frame.opcode !== OPCODE.ERROR) throw unexpectedOpcode(frame.opcode);
      this.#farewell = decodeError(frame);
      return;
    }
    const call = this.#calls.find(frame.requestId);
    if (call === undefined || call.state < CALL_STATE.SENT) {
      const message = `an answer to request ${frame.requestId}, which is not in flight`;
      throw new VarveError("PROTOCOL_ERROR", message);
    }
    if (frame.opcode === OPCODE.ERROR) this.#onError(call, decodeError(frame));
    else if (call.opcode === OPCODE.SCAN) this.#onScanFrame(call, frame);
    else if (call.opcode === OPCODE.WATCH) this.#onWatchFrame(call, frame);
    else if (frame.opcode === OPCODE.INGEST_READY) this.#onIngestReady(call, frame);
    else this.#onAnswer(call, frame);
  };

  #onAnswer(call: Call, frame: Frame): void {
    const answer = decodeAnswerTo(call, frame, this.#pool);
    const { state, resolve } = call;
    this.#finish(call);
    if (state === CALL_STATE.SENT) resolve(answer);
  }

  #onError(call: Call, error: VarveError): void {
    const { state, reject, scan } = call;
    this.#finish(call);
    if (state !== CALL_STATE.SENT) return;
    if (scan === undefined) reject(error);
    else scan.failed(error);
  }

  #onWatchFrame(call: Call, frame: Frame): void {
    if (frame.opcode !== OPCODE.WATCH_DATA) throw misfit(call, frame);
    if (call.scan instanceof WatchStream) call.scan.received(frame);
  }

  #onIngestReady(call: Call, frame: Frame): void {
    if (call.opcode !== OPCODE.INGEST_BEGIN && call.opcode !== OPCODE.INGEST_COMMIT) {
      throw misfit(call, frame);
    }
    if (call.scan instanceof IngestStream) call.scan.granted(decodeIngestReady(frame));
  }

  #onScanFrame(call: Call, frame: Frame): void {
    const scan = call.scan instanceof ClientScan ? call.scan : undefined;
    if (frame.opcode === OPCODE.SCAN_DATA) {
      scan?.received(decodeChunk(frame));
    } else if (frame.opcode === OPCODE.SCAN_SOUGHT) {
      scan?.sought(decodeScanSought(frame));
    } else if (frame.opcode === OPCODE.SCAN_END) {
      scan?.ended(decodeScanEnd(frame));
      this.#finish(call);
    } else {
      throw misfit(call, frame);
    }
  }

  /** The server's last word on the call has come. */
  #finish(call: Call): void {
    if (call.state === CALL_STATE.SENT) this.#live--;
    call.unwatch();
    this.#calls.release(call);
    this.#outbox.answered();
    if (this.#closing) this.#endWhenDone();
  }

  #endWhenDone(): void {
    if (!this.#closing || this.#live > 0) return;
    this.#outbox.flush();
    this.#channel.finish();
  }

  /** The connection is over: every caller that still waits is told. */
  #onEnd(cause: Error): void {
    this.#end = this.#farewell ?? cause;
    for (const call of this.#calls) {
      const { state, scan, reject } = call;
      const error = this.#connectionLost(maybeApplied(call));
      call.unwatch();
      this.#calls.release(call);
      if (state !== CALL_STATE.QUEUED && state !== CALL_STATE.SENT) continue;
      this.#live--;
      if (scan === undefined) reject(error);
      else scan.failed(error);
    }
  }

  #connectionLost(maybeApplied: boolean): VarveError {
    const message = `the connection to ${this.#channel.address} ended: ${this.#end?.message}`;
    const details = { retryable: !maybeApplied, maybeApplied, cause: this.#end };
    return new VarveError("CONNECTION_LOST", message, details);
  }
}

/** Whether the server may have seen the call, and the call is one that changes something. */
function maybeApplied(call: Call): boolean {
  return call.state === CALL_STATE.SENT && isWrite(call.opcode);
}
