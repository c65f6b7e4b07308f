/**
 * The calls of a connection, found by request id without a hash: an id is a place in a dense array and the
 * number of times that the place was used, so an answer to an earlier call in the same place is noticed.
 *
 *   request id = uses (12 bits, 1 … 4095) << 20 | place (20 bits)
 *
 * A place is free again only when nothing more can come for it: an abandoned call keeps its place until
 * the server has given its final answer. Hot path: call objects are used again, so a call allocates nothing
 * here but its first time.
 */
import type { VarveError } from "varve-protocol";
import type { IngestStream } from "./ingest-stream.ts";
import type { ClientScan } from "./scan.ts";
import type { WatchStream } from "./watch-stream.ts";

const PLACE_BITS = 20;
const PLACES_MAX = 2 ** PLACE_BITS;
const USES_MAX = 2 ** (32 - PLACE_BITS) - 1;

export const CALL_STATE = {
  FREE: 0,
  /** Its frame is encoded and waits to be sent. */
  QUEUED: 1,
  /** Given up while queued: its frame will be left out. */
  DROPPED: 2,
  /** Its frame is with the socket. */
  SENT: 3,
  /** Given up after it was sent: the server's answer is awaited and ignored. */
  CANCELLED: 4,
} as const;
type CallState = (typeof CALL_STATE)[keyof typeof CALL_STATE];

export class Call {
  requestId = 0;
  state: CallState = CALL_STATE.FREE;
  /** The request's opcode, which says what answers fit. */
  opcode = 0;
  /** The keys of a GET_MANY. */
  keys = 0;
  /** What a SCAN's, WATCH's or INGEST_BEGIN's answers go to. */
  scan: ClientScan | WatchStream | IngestStream | undefined = undefined;
  resolve: (value: unknown) => void = ignore;
  reject: (error: VarveError) => void = ignore;
  timer: NodeJS.Timeout | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  onAbort: () => void = ignore;
  readonly place: number;

  constructor(place: number) {
    this.place = place;
  }

  /** No timer and no signal will end this call any more. */
  unwatch(): void {
    if (this.timer !== undefined) {
      clearTimeout(this.timer);
      this.timer = undefined;
    }
    if (this.signal !== undefined) {
      this.signal.removeEventListener("abort", this.onAbort);
      this.signal = undefined;
      this.onAbort = ignore;
    }
  }
}

export class CallTable {
  readonly #calls: Call[] = [];
  readonly #free: Call[] = [];

  /** A call in a free place, with a new request id; `undefined` where all places are taken. */
  acquire(): Call | undefined {
    const call = this.#free.pop() ?? this.#add();
    if (call === undefined) return undefined;
    const uses = call.requestId >>> PLACE_BITS;
    const nextUses = uses === USES_MAX ? 1 : uses + 1;
    call.requestId = ((nextUses << PLACE_BITS) | call.place) >>> 0;
    return call;
  }

  find(requestId: number): Call | undefined {
    const call = this.#calls[requestId & (PLACES_MAX - 1)];
    if (call === undefined || call.requestId !== requestId) return undefined;
    return call.state === CALL_STATE.FREE ? undefined : call;
  }

  release(call: Call): void {
    call.state = CALL_STATE.FREE;
    call.scan = undefined;
    call.resolve = ignore;
    call.reject = ignore;
    this.#free.push(call);
  }

  /** The calls that are not free. */
  *[Symbol.iterator](): Generator<Call> {
    for (const call of this.#calls) {
      if (call.state !== CALL_STATE.FREE) yield call;
    }
  }

  #add(): Call | undefined {
    if (this.#calls.length === PLACES_MAX) return undefined;
    const call = new Call(this.#calls.length);
    this.#calls.push(call);
    return call;
  }
}

function ignore(): void {}
