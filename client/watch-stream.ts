/**
 * One connection's part of a watch. The server sends events ahead of the reader up to a credit in bytes; what the
 * reader has taken is granted again. A batch that comes in parts is put together here, and its parts granted as they
 * come, as nothing of it can be taken before it is whole.
 */
import {
  type CommitEvent,
  decodeWatchData,
  type FeedOperation,
  type Frame,
  VarveError,
  type WatchEvent,
  type WatchPart,
} from "varve-protocol";
import type { Call } from "./call-table.ts";
import type { ScanSource } from "./scan.ts";

/** What no store takes in one batch. */
const BATCH_BYTES_MAX = 2 ** 29;

interface Queued {
  readonly event: WatchEvent;
  /** What its frame took from the credit. */
  readonly bytes: number;
}

export class WatchStream {
  readonly #source: ScanSource;
  readonly #creditBytes: number;
  #call: Call | undefined;
  readonly #queue: Queued[] = [];
  #failure: VarveError | undefined;
  #partial: (CommitEvent & { operations: FeedOperation[] }) | undefined;
  #partialBytes = 0;
  #takenBytes = 0;
  #wake: (() => void) | undefined;

  constructor(source: ScanSource, call: Call, creditBytes: number) {
    this.#source = source;
    this.#call = call;
    this.#creditBytes = creditBytes;
  }

  /** One call at a time. */
  async next(): Promise<WatchEvent> {
    for (;;) {
      const queued = this.#queue.shift();
      if (queued !== undefined) {
        this.#grant(queued.bytes);
        return queued.event;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Ends the stream here, and tells the server if it does not know; what came before is dropped. */
  end(error: VarveError): void {
    const call = this.#call;
    this.#call = undefined;
    if (call !== undefined) this.#source.cancel(call);
    this.abandoned(error);
  }

  /** A WATCH_DATA frame. Its bytes are copied whole: a slow reader keeps no chunks of the socket. */
  received({ opcode, flags, requestId, bytes, start, end }: Frame): void {
    const body = new Uint8Array(end - start);
    body.set(bytes.subarray(start, end));
    const copy = { opcode, flags, requestId, bytes: body, start: 0, end: body.length };
    const events: WatchEvent[] = [];
    for (const part of decodeWatchData(copy)) {
      const event = this.#join(part, body.length);
      if (event !== undefined) events.push(event);
    }
    for (const [i, event] of events.entries()) {
      this.#queue.push({ event, bytes: i === 0 ? body.length : 0 });
    }
    if (events.length === 0) this.#grant(body.length);
    else this.#wakeUp();
  }

  abandoned(error: VarveError): void {
    this.#queue.length = 0;
    this.failed(error);
  }

  /** The stream fails after the events that came before. */
  failed(error: VarveError): void {
    this.#call = undefined;
    this.#partial = undefined;
    this.#failure ??= error;
    this.#wakeUp();
  }

  /** The event that the part completes, if it does. */
  #join(part: WatchPart, bytes: number): WatchEvent | undefined {
    const partial = this.#partial;
    if (part.type !== "commit") {
      if (partial === undefined) return part;
      throw new VarveError("PROTOCOL_ERROR", `a batch of the feed is cut off by a ${part.type}`);
    }
    const { more, ...event } = part;
    if (partial !== undefined && partial.sequence !== event.sequence) {
      throw new VarveError("PROTOCOL_ERROR", "a batch of the feed is cut off by another one");
    }
    if (partial === undefined && more !== true) return event;
    this.#partialBytes = (partial === undefined ? 0 : this.#partialBytes) + bytes;
    if (this.#partialBytes > BATCH_BYTES_MAX) {
      const message = `a batch of the feed has more than ${BATCH_BYTES_MAX} bytes`;
      throw new VarveError("PROTOCOL_ERROR", message);
    }
    const whole = partial ?? { ...event, operations: [] };
    for (const operation of event.operations) whole.operations.push(operation);
    this.#partial = more === true ? whole : undefined;
    return more === true ? undefined : whole;
  }

  #grant(bytes: number): void {
    this.#takenBytes += bytes;
    if (this.#call === undefined || this.#takenBytes * 2 < this.#creditBytes) return;
    this.#source.grant(this.#call, this.#takenBytes);
    this.#takenBytes = 0;
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
