/**
 * One client's connection: bytes in, requests executed, answers out.
 *
 * The frames of one socket read are executed in place as they are decoded, and their answers leave in one
 * write; so do all answers that become ready in one tick. What cannot be answered at once is in flight.
 *
 * Invariants: nothing but HELLO is executed before HELLO. While too much is in flight or waits for the peer
 * to read, the socket is not read from, and frames that had come already are deferred, in order; so what a
 * peer can make the server keep is bounded. Every request is answered exactly once, unless the connection
 * ends first.
 */
import type { Socket } from "node:net";
import {
  CONNECTION_REQUEST_ID,
  encodeError,
  type Frame,
  FrameDecoder,
  FrameWriter,
  HANDSHAKE_FRAME_BYTES_MAX,
  type Hello,
  OPCODE,
} from "varve-protocol";
import { VarveError } from "../errors.ts";
import type { StreamedIngest } from "./ingests.ts";
import { execute, greet } from "./requests.ts";
import type { ScanOutput, StreamedScan } from "./served-scan.ts";
import type { StreamedWatch } from "./served-watch.ts";
import type { ServerContext } from "./server-context.ts";

/** How long a peer may take to read a last error before the socket is torn down. */
const LINGER_MS = 1000;

export class Connection implements ScanOutput {
  readonly writer = new FrameWriter();
  peerFrameBytesMax = HANDSHAKE_FRAME_BYTES_MAX;
  readonly id: number;
  /** For logs. */
  readonly peer: string;
  clientName = "";
  /** Wall clock, milliseconds. */
  readonly since = Date.now();
  bytesIn = 0;
  bytesOut = 0;
  /** Of those that were answered from memory, how many are not told to the meter yet. */
  getsFromMemory = 0;
  readonly scans = new Map<number, StreamedScan>();
  readonly watches = new Map<number, StreamedWatch>();
  readonly ingests = new Map<number, StreamedIngest>();
  /** What ends a count before it has seen all. */
  readonly counts = new Map<number, AbortController>();
  /** Ids of requests, scans and watches included, that have no final answer yet. */
  readonly inFlight = new Set<number>();
  readonly #context: ServerContext;
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder(HANDSHAKE_FRAME_BYTES_MAX);
  readonly #deferred: Frame[] = [];
  readonly #helloTimer: NodeJS.Timeout;
  #greeted = false;
  #flushScheduled = false;
  #reading = false;
  #goingOn = false;
  /** The peer has said all it will, or we take no more of it: ends when nothing is in flight. */
  #finishing = false;
  #ended = false;

  constructor(socket: Socket, context: ServerContext, id: number) {
    this.id = id;
    this.#socket = socket;
    this.#context = context;
    this.peer = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? "?"}`;
    this.#helloTimer = setTimeout(() => this.#helloLate(), context.settings.helloTimeoutMs);
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("drain", () => this.#settle());
    socket.on("end", () => this.#peerEnded());
    socket.on("error", (error) => context.logger.debug({ peer: this.peer, err: error }, "socket"));
    socket.on("close", () => this.#closed());
  }

  /** More answers wait for the peer to read than may. */
  get isFull(): boolean {
    const waiting = this.#socket.writableLength + this.writer.pendingBytes;
    return waiting > this.#context.settings.answerBytesMax;
  }

  get isClosing(): boolean {
    return this.#context.isClosing;
  }

  /** Called after an answer was put into `writer`: it leaves with all others of this tick. */
  wrote(): void {
    if (this.#flushScheduled || this.#reading) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
      this.#settle();
    });
  }

  /** The request has its final answer, or had: its id is free. */
  done(requestId: number): void {
    this.inFlight.delete(requestId);
    this.wrote();
  }

  greeted(hello: Hello): void {
    clearTimeout(this.#helloTimer);
    this.#greeted = true;
    this.clientName = hello.clientName;
    this.peerFrameBytesMax = hello.frameBytesMax;
    this.#decoder.frameBytesMax = this.#context.settings.frameBytesMax;
  }

  /** Says that the server is going, answers what is in flight, and ends. */
  shutDown(): void {
    const message = "the server is shutting down";
    const reason = new VarveError("SHUTTING_DOWN", message, { retryable: true });
    this.sendError(CONNECTION_REQUEST_ID, reason);
    this.#finishing = true;
    this.#cancelStreams(reason);
    this.wrote();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  sendError(requestId: number, error: VarveError): void {
    encodeError(this.writer, requestId, error, this.peerFrameBytesMax);
    this.wrote();
  }

  #read(chunk: Buffer): void {
    if (this.#ended) return;
    this.#context.counters.bytesIn += chunk.length;
    this.bytesIn += chunk.length;
    const begunMs = this.#context.meter?.chunkBegins() ?? 0;
    this.#reading = true;
    let requestId = CONNECTION_REQUEST_ID;
    try {
      this.#decoder.push(chunk, (frame) => {
        requestId = frame.requestId;
        this.#take(frame);
        requestId = CONNECTION_REQUEST_ID;
      });
    } catch (error) {
      this.#protocolError(requestId, error);
    }
    this.#reading = false;
    this.#flush();
    this.#meterGets(begunMs);
    this.#settle();
  }

  /** Executes a frame, or keeps it for when there is room. Throws what ends the connection. */
  #take(frame: Frame): void {
    if (!this.#greeted) {
      greet(this, this.#context, frame);
      return;
    }
    // What lets scans go on, or ends requests, must never wait behind them.
    const { opcode: given } = frame;
    const isCredit = given === OPCODE.SCAN_CREDIT || given === OPCODE.WATCH_CREDIT;
    const isControl = given === OPCODE.CANCEL || given === OPCODE.SCAN_SEEK || isCredit;
    if (!isControl && (this.#deferred.length > 0 || this.#mustWait())) {
      const { opcode, flags, requestId, bytes, start, end } = frame;
      this.#deferred.push({ opcode, flags, requestId, bytes, start, end });
    } else {
      execute(this, this.#context, frame);
    }
  }

  #mustWait(): boolean {
    const streams = this.scans.size + this.watches.size + this.ingests.size;
    const waiting = this.inFlight.size - streams;
    return waiting >= this.#context.settings.requestsInFlightMax || this.isFull;
  }

  /** After anything has changed: goes on with deferred frames, reads on or not, ends when it is time. */
  #settle(): void {
    if (this.#ended) return;
    this.#takeDeferred();
    if (this.scans.size + this.watches.size > 0 && !this.isFull) this.#resumeStreams();
    if (this.#deferred.length > 0 && !this.#mustWait()) this.#goOnLater();
    const mustWait = this.#deferred.length > 0 || this.#mustWait();
    if (mustWait && !this.#socket.isPaused()) this.#socket.pause();
    else if (!mustWait && this.#socket.isPaused()) this.#socket.resume();
    if (this.#finishing && this.#deferred.length === 0 && this.inFlight.size === 0) this.#end();
  }

  /**
   * The socket took all at once, so no `drain` will come; others have their turn before the deferred frames
   * go on.
   */
  #goOnLater(): void {
    if (this.#goingOn) return;
    this.#goingOn = true;
    setImmediate(() => {
      this.#goingOn = false;
      this.#settle();
    });
  }

  #resumeStreams(): void {
    for (const scan of this.scans.values()) scan.resume();
    for (const watch of this.watches.values()) watch.resume();
  }

  #cancelStreams(reason?: VarveError): void {
    for (const scan of this.scans.values()) scan.cancel(reason);
    for (const watch of this.watches.values()) watch.cancel(reason);
    for (const ingest of this.ingests.values()) ingest.cancel(reason);
  }

  /** All that goes on for long, as nobody is there to be told of it. */
  #cancelAll(): void {
    this.#cancelStreams();
    for (const count of this.counts.values()) count.abort();
  }

  #takeDeferred(): void {
    if (this.#deferred.length === 0 || this.#mustWait()) return;
    this.#reading = true;
    let taken = 0;
    try {
      for (const frame of this.#deferred) {
        if (this.#mustWait()) break;
        taken++;
        execute(this, this.#context, frame);
      }
    } catch (error) {
      this.#protocolError(this.#deferred[taken - 1]?.requestId ?? CONNECTION_REQUEST_ID, error);
    }
    this.#deferred.splice(0, taken);
    this.#reading = false;
    this.#flush();
    this.#meterGets(0);
  }

  /** `begunMs` as the meter gave it. */
  #meterGets(begunMs: number): void {
    if (this.getsFromMemory === 0) return;
    this.#context.meter?.answeredFromMemory(this.getsFromMemory, begunMs);
    this.getsFromMemory = 0;
  }

  #flush(): void {
    const bytes = this.writer.pendingBytes;
    if (bytes === 0 || this.#socket.destroyed || !this.#socket.writable) return;
    this.#context.counters.bytesOut += bytes;
    this.bytesOut += bytes;
    this.#socket.write(this.writer.take());
  }

  #peerEnded(): void {
    this.#finishing = true;
    this.#cancelAll();
    if (!this.#greeted) this.#end();
    this.#settle();
  }

  #helloLate(): void {
    const ms = this.#context.settings.helloTimeoutMs;
    this.#protocolError(
      CONNECTION_REQUEST_ID,
      new VarveError("PROTOCOL_ERROR", `no HELLO came within ${ms} ms`),
    );
  }

  /** Answers a bad frame where that is possible, says so in the log, and ends the connection. */
  #protocolError(requestId: number, error: unknown): void {
    if (this.#ended) return;
    const known = error instanceof VarveError ? error : undefined;
    const { logger, counters } = this.#context;
    counters.protocolErrors++;
    const fields = { peer: this.peer, client: this.clientName, code: known?.code, err: error };
    logger.warn(fields, "closing a connection that does not speak the protocol");
    const answer = known ?? new VarveError("INTERNAL", "the server failed; its log says more");
    encodeError(this.writer, requestId, answer);
    this.#flush();
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#helloTimer);
    this.#decoder.stop();
    this.#deferred.length = 0;
    this.#flush();
    this.#cancelAll();
    this.#context.snapshots.closeAll(this);
    this.#socket.end();
    // What still comes is read and dropped, as an unread byte would reset the connection under our answer.
    this.#socket.resume();
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
  }

  #closed(): void {
    this.#ended = true;
    clearTimeout(this.#helloTimer);
    this.#decoder.stop();
    this.#deferred.length = 0;
    this.#cancelAll();
    this.#context.snapshots.closeAll(this);
    this.#context.closed(this);
  }
}
