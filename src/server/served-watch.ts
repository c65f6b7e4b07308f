/**
 * A watch that is being streamed to a client: sent event by event while the client's credit lasts and the connection
 * is not full. A client that grants nothing costs a place in the log and no more, for as long as it likes; but in
 * the middle of a batch, which is held for it, it has to go on in time.
 */
import {
  COMMIT_PART_HEADER_BYTES,
  encodeWatchData,
  feedOperationBytesMax,
  WATCH_DATA_HEADER_BYTES,
  type WatchPart,
} from "varve-protocol";
import { VarveError } from "../errors.ts";
import type { FeedOperation, Watch, WatchEvent } from "../store.ts";
import type { ScanOutput } from "./served-scan.ts";

const FRAME_BYTES = 64 * 1024;
const CREDIT_MAX = 2 ** 32 - 1;
/** Of a frame's `length`, opcode, flags and request id. */
const FRAME_FIXED_BYTES = 6;

export class StreamedWatch {
  readonly #requestId: number;
  readonly #watch: Watch;
  readonly #output: ScanOutput;
  readonly #idleTimeoutMs: number;
  #credit: number;
  /** Why the watch was cancelled, once it has been. */
  #cancelled: VarveError | undefined;
  #wake: (() => void) | undefined;

  constructor(
    requestId: number,
    watch: Watch,
    credit: number,
    output: ScanOutput,
    idleTimeoutMs: number,
  ) {
    this.#requestId = requestId;
    this.#watch = watch;
    this.#credit = credit;
    this.#output = output;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /** Sends for as long as it may. Throws what ends the watch, which after `cancel` is its reason. */
  async run(): Promise<never> {
    try {
      for (;;) {
        await this.#mayWrite(false);
        const { value } = await this.#watch.next();
        this.#assertGoingOn();
        if (value === undefined) throw new VarveError("CLOSED", "the watch was closed");
        await this.#send(value);
      }
    } finally {
      await this.#watch.return();
    }
  }

  grant(credit: number): void {
    this.#credit = Math.min(this.#credit + credit, CREDIT_MAX);
    this.resume();
  }

  /** The connection is not full any more: goes on, if there is credit. */
  resume(): void {
    if (this.#credit <= 0 && this.#cancelled === undefined) return;
    this.#wake?.();
    this.#wake = undefined;
  }

  cancel(reason = new VarveError("ABORTED", "the watch was cancelled")): void {
    this.#cancelled ??= reason;
    this.resume();
    void this.#watch.return();
  }

  async #send(event: WatchEvent): Promise<void> {
    if (event.type !== "commit") {
      this.#write(event);
      return;
    }
    const { operations } = event;
    for (let start = 0; start < operations.length; ) {
      if (start > 0) await this.#mayWrite(true);
      const end = this.#frameEnd(operations, start);
      const more = end < operations.length;
      this.#write({ ...event, operations: operations.slice(start, end), ...(more && { more }) });
      start = end;
    }
  }

  /** Operations that go together in a frame: one at least. */
  #frameEnd(operations: readonly FeedOperation[], start: number): number {
    const headers = FRAME_FIXED_BYTES + WATCH_DATA_HEADER_BYTES + COMMIT_PART_HEADER_BYTES;
    let bytes = Math.min(FRAME_BYTES, this.#output.peerFrameBytesMax) - headers;
    let end = start;
    while (end < operations.length) {
      bytes -= feedOperationBytesMax(operations[end]!);
      if (bytes < 0 && end > start) break;
      end++;
    }
    return end;
  }

  #write(part: WatchPart): void {
    const { writer, peerFrameBytesMax } = this.#output;
    const length = encodeWatchData(writer, this.#requestId, [part]);
    if (length > peerFrameBytesMax) {
      writer.undo();
      const message = `an operation of the feed takes a frame of ${length} bytes; the client takes ${peerFrameBytesMax}`;
      throw new VarveError("BATCH_TOO_LARGE", message);
    }
    this.#credit -= length - FRAME_FIXED_BYTES;
    this.#output.wrote();
  }

  async #mayWrite(isWithinBatch: boolean): Promise<void> {
    this.#assertGoingOn();
    while (this.#credit <= 0 || this.#output.isFull) {
      await this.#resumed(isWithinBatch);
      this.#assertGoingOn();
    }
  }

  /** Waits for `resume`; within a batch it throws where that does not come in time. */
  async #resumed(isWithinBatch: boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const ms = this.#idleTimeoutMs;
      const late = () => {
        reject(new VarveError("TIMEOUT", `nothing of a batch of the feed was read for ${ms} ms`));
      };
      const timer = isWithinBatch ? setTimeout(late, ms) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #assertGoingOn(): void {
    if (this.#cancelled !== undefined) throw this.#cancelled;
  }
}
