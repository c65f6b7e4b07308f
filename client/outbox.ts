/**
 * What waits to be sent. A call's frame is encoded at once, so that the caller may use its arrays again,
 * and waits here until the socket takes more and fewer than `inFlightMax` calls are with the server.
 * CANCEL, SCAN_CREDIT and WATCH_CREDIT have a writer of their own, ahead of waiting calls: they are what makes room.
 *
 * Invariant: a call is SENT, and a write counts as maybe applied, exactly from the moment at which its
 * frame is handed to the socket.
 */
import type { Socket } from "node:net";
import {
  encodeEmpty,
  encodeScanCredit,
  encodeScanSeek,
  encodeWatchCredit,
  FrameWriter,
  OPCODE,
  readU32,
} from "varve-protocol";
import { CALL_STATE, type Call, type CallTable } from "./call-table.ts";

const FRAME_LENGTH_BYTES = 4;
const REQUEST_ID_AT = 6;

export class Outbox {
  /** Where calls are encoded; each is then made known by `add`. */
  readonly writer = new FrameWriter();
  readonly #urgent = new FrameWriter();
  readonly #socket: Socket;
  readonly #calls: CallTable;
  readonly #inFlightMax: number;
  /** Frames in `writer`, of dropped calls among them. */
  #queued = 0;
  /** Calls with the server, cancelled ones among them. */
  #inFlight = 0;
  #flushScheduled = false;

  constructor(socket: Socket, calls: CallTable, inFlightMax: number) {
    this.#socket = socket;
    this.#calls = calls;
    this.#inFlightMax = inFlightMax;
    socket.on("drain", this.#flushLater);
  }

  /** The call's frame was encoded last. */
  add(call: Call): void {
    call.state = CALL_STATE.QUEUED;
    this.#queued++;
    this.#scheduleFlush();
  }

  /** The call is given up: its frame is left out, or the server told. */
  cancel(call: Call): void {
    if (call.state === CALL_STATE.QUEUED) {
      call.state = CALL_STATE.DROPPED;
    } else {
      call.state = CALL_STATE.CANCELLED;
      encodeEmpty(this.#urgent, call.requestId, OPCODE.CANCEL);
    }
    this.#scheduleFlush();
  }

  grant(call: Call, bytes: number): void {
    const encode = call.opcode === OPCODE.WATCH ? encodeWatchCredit : encodeScanCredit;
    encode(this.#urgent, call.requestId, bytes);
    this.#scheduleFlush();
  }

  /** Of a scan whose frame was sent. */
  seek(call: Call, key: Uint8Array): void {
    encodeScanSeek(this.#urgent, call.requestId, key);
    this.#scheduleFlush();
  }

  /** Frames of a call that is with the server; who sends them sees to it that they are not too many. */
  send(frames: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(frames);
  }

  /** The server's final answer to a call has come. */
  answered(): void {
    this.#inFlight--;
    if (this.#queued > 0) this.#scheduleFlush();
  }

  flush(): void {
    const socket = this.#socket;
    if (!socket.writable || socket.writableNeedDrain) return;
    if (this.#urgent.pendingBytes > 0) socket.write(this.#urgent.take());
    if (this.#queued > 0) this.#send();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // After the microtasks: the calls that follow from one chunk's answers leave together.
    process.nextTick(this.#flushLater);
  }

  readonly #flushLater = (): void => {
    this.#flushScheduled = false;
    this.flush();
  };

  /** Hands waiting frames to the socket, as many as may be in flight, leaving out those of dropped calls. */
  #send(): void {
    const { writer } = this;
    const bytes = writer.peek();
    let start = 0;
    let at = 0;
    while (at < bytes.length && this.#inFlight < this.#inFlightMax) {
      const end = at + FRAME_LENGTH_BYTES + readU32(bytes, at);
      // A queued call keeps its place in the table until its frame was sent or left out.
      const call = this.#calls.find(readU32(bytes, at + REQUEST_ID_AT))!;
      this.#queued--;
      if (call.state === CALL_STATE.DROPPED) {
        if (at > start) this.#socket.write(writer.take(at - start));
        writer.take(end - at);
        start = end;
        this.#calls.release(call);
      } else {
        call.state = CALL_STATE.SENT;
        this.#inFlight++;
      }
      at = end;
    }
    if (at > start) this.#socket.write(writer.take(at - start));
  }
}
