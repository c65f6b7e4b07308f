/**
 * Tells the telemetry of each request what it was and how long it took: from when its frame was taken to when its answer
 * was ready to leave.
 *
 * Hot path. Looking at the clock costs 50 ns, a fiftieth of a pipelined PUT, so it is looked at once for all that happens
 * in one tick: the frames of one socket read are taken together, and the writes of one commit group are answered
 * together. GETs from memory are all answered when the chunk that brought them is worked off; one chunk in
 * `CHUNKS_PER_TIMED` is timed for them, with the weight of those between, and the first chunks of each second all are,
 * so that a server with little to do tells of everything.
 */
import { OPCODE, type OpcodeName } from "varve-protocol";
import type { OperationName, Telemetry } from "../telemetry/telemetry.ts";

const CHUNKS_PER_TIMED = 16;
const TIMED_AT_ONCE = 64;

/** What each request is counted as. Frames that steer a request which is under way are none. */
const OPERATION_OF: Readonly<Partial<Record<OpcodeName, OperationName>>> = {
  PING: "admin",
  KEYSPACE_OPEN: "admin",
  GET: "get",
  GET_MANY: "getMany",
  GET_ENTRY: "getEntry",
  PAGE: "page",
  COUNT: "count",
  SNAPSHOT: "admin",
  SNAPSHOT_CLOSE: "admin",
  SNAPSHOT_RENEW: "admin",
  HISTORY: "history",
  PUT: "put",
  DELETE: "delete",
  BATCH: "batch",
  MERGE: "merge",
  INCREMENT: "increment",
  EXPIRE: "expire",
  DELETE_RANGE: "deleteRange",
  INGEST_BEGIN: "ingest",
  SCAN: "scan",
  WATCH: "watch",
  STATS: "admin",
  FLUSH: "admin",
  COMPACT: "admin",
  VERIFY: "admin",
  SNAPSHOTS_LIST: "admin",
  SNAPSHOT_KILL: "admin",
  KEYSPACES_LIST: "admin",
  KEYSPACE_DROP: "admin",
  KEYSPACE_ALTER: "admin",
};

const OPERATION_BY_OPCODE: readonly (OperationName | undefined)[] = Array.from(
  { length: 256 },
  (_, opcode) => {
    const name = Object.entries(OPERATION_OF).find(([of]) => OPCODE[of as OpcodeName] === opcode);
    return name?.[1];
  },
);

export type ServerTelemetry = Pick<Telemetry, "record" | "skip" | "seconds">;

export class RequestMeter {
  readonly #telemetry: ServerTelemetry;
  #tickMs = 0;
  #isTicking = false;
  readonly #endTick = () => {
    this.#isTicking = false;
  };
  /** Chunks that may still be timed before one in `CHUNKS_PER_TIMED` is. */
  #timedAtOnce = TIMED_AT_ONCE;
  #untilTimed = 0;
  #second = 0;
  /** GETs from memory of the chunks that were not timed. */
  #untimedGets = 0;

  constructor(telemetry: ServerTelemetry) {
    this.#telemetry = telemetry;
  }

  /** Milliseconds by the monotonic clock, the same for all that happens in one tick. */
  tickMs(): number {
    if (!this.#isTicking) {
      this.#tickMs = performance.now();
      this.#isTicking = true;
      queueMicrotask(this.#endTick);
    }
    return this.#tickMs;
  }

  /** Call as a chunk begins: 0 where it is not to be timed. */
  chunkBegins(): number {
    const { seconds } = this.#telemetry;
    if (seconds !== this.#second) {
      this.#second = seconds;
      this.#timedAtOnce = TIMED_AT_ONCE;
    }
    if (this.#timedAtOnce > 0) this.#timedAtOnce--;
    else if (--this.#untilTimed > 0) return 0;
    else this.#untilTimed = CHUNKS_PER_TIMED;
    return this.tickMs();
  }

  /** Call as the answers to a chunk's GETs leave. */
  answeredFromMemory(gets: number, begunMs: number): void {
    const telemetry = this.#telemetry;
    if (begunMs === 0) {
      telemetry.skip("tcp", "get", gets);
      this.#untimedGets += gets;
      return;
    }
    const weight = this.#untimedGets + gets;
    this.#untimedGets = 0;
    telemetry.record("tcp", "get", performance.now() - begunMs, false, undefined, weight);
    telemetry.skip("tcp", "get", gets - 1);
  }

  /** `endMs` may be of the tick where the request was surely taken in another one. */
  answered(
    opcode: number,
    startMs: number,
    endMs: number,
    isError: boolean,
    key?: Uint8Array,
  ): void {
    const operation = OPERATION_BY_OPCODE[opcode];
    if (operation === undefined) return;
    this.#telemetry.record("tcp", operation, endMs - startMs, isError, key);
  }
}
