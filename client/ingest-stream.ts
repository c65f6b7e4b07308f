/**
 * An ingest over the connection: pairs are put into frames as they come, and sent while the server's credit lasts. So
 * what is on its way is bounded, and a source is read no faster than the server takes what comes of it.
 */
import {
  type Commit,
  type Data,
  drainPairs,
  encodeEmpty,
  FrameWriter,
  IngestDataWriter,
  type KeyMapping,
  type Limits,
  OPCODE,
  type Pair,
  type PairSink,
  type Pairs,
  Stop,
  VarveError,
} from "varve-protocol";
import type { Call } from "./call-table.ts";
import { storedKey } from "./stored-keys.ts";
import { checkValue } from "./validate.ts";

const FRAME_BYTES = 64 * 1024;

/** What an ingest needs of its connection. */
export interface IngestTarget {
  /** Sends frames of the call, which is with the server. */
  send(frames: Uint8Array): void;
  cancel(call: Call): void;
  /** Ends the call with `TIMEOUT`. */
  expire(call: Call, timeoutMs: number): void;
}

export class IngestStream implements PairSink {
  readonly #target: IngestTarget;
  readonly #keys: KeyMapping;
  readonly #limits: Limits;
  readonly #timeoutMs: number | undefined;
  readonly #stop = new Stop();
  readonly #writer = new FrameWriter();
  readonly #data: IngestDataWriter;
  readonly #committed: Promise<unknown>;
  #call: Call | undefined;
  #credit = 0;
  #pairs = 0;
  #credited: (() => void) | undefined;

  constructor(
    target: IngestTarget,
    call: Call,
    keys: KeyMapping,
    limits: Limits,
    timeoutMs: number | undefined,
  ) {
    this.#keys = keys;
    this.#target = target;
    this.#call = call;
    this.#limits = limits;
    this.#timeoutMs = timeoutMs;
    this.#data = new IngestDataWriter(this.#writer, call.requestId);
    this.#committed = new Promise((resolve) => {
      call.resolve = (commit) => {
        this.#call = undefined;
        resolve(commit);
      };
    });
  }

  async run(pairs: Pairs): Promise<Commit> {
    try {
      await this.#hasCredit();
      await drainPairs(pairs, this, this.#stop);
      this.#sendData();
      return await this.#commit();
    } catch (error) {
      const call = this.#call;
      this.#call = undefined;
      if (call !== undefined) this.#target.cancel(call);
      throw error;
    }
  }

  take(pair: Pair): boolean {
    if (!Array.isArray(pair) || pair.length !== 2) {
      const message = `pair ${this.#pairs} is not an array of a key and a value`;
      throw new VarveError("INVALID_ARGUMENT", message);
    }
    if (this.#data.bytes >= FRAME_BYTES) return false;
    const [given, value] = pair;
    let key: Data;
    try {
      key = storedKey(given, this.#keys, this.#limits);
      checkValue(value, this.#limits);
    } catch (error) {
      if (!(error instanceof VarveError)) throw error;
      throw new VarveError(error.code, `pair ${this.#pairs}: ${error.message}`);
    }
    this.#data.add(key, value);
    this.#pairs++;
    return true;
  }

  async makeRoom(): Promise<void> {
    this.#sendData();
    await this.#hasCredit();
  }

  /** The server takes so many bytes more. */
  granted(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > 0) this.#credited?.();
  }

  failed(error: VarveError): void {
    this.#call = undefined;
    this.#stop.stop(error);
  }

  /** The ingest was given up here. */
  abandoned(error: VarveError): void {
    this.failed(error);
  }

  #sendData(): void {
    if (this.#data.isEmpty || this.#call === undefined) return;
    const { frame, bodyBytes } = this.#data.finish();
    this.#credit -= bodyBytes;
    this.#target.send(frame);
  }

  async #commit(): Promise<Commit> {
    this.#stop.check();
    const call = this.#call as Call;
    // From now on it may have been applied.
    call.opcode = OPCODE.INGEST_COMMIT;
    encodeEmpty(this.#writer, call.requestId, OPCODE.INGEST_COMMIT);
    this.#target.send(this.#writer.take());
    return (await this.#inTime(this.#committed)) as Commit;
  }

  async #hasCredit(): Promise<void> {
    if (this.#credit > 0) return;
    const credited = new Promise<void>((resolve) => {
      this.#credited = resolve;
    });
    await this.#inTime(credited);
  }

  /** Waits for the server. */
  async #inTime<Result>(promise: Promise<Result>): Promise<Result> {
    const [call, ms] = [this.#call, this.#timeoutMs];
    const timer =
      call === undefined || ms === undefined
        ? undefined
        : setTimeout(() => this.#target.expire(call, ms), ms);
    try {
      return await this.#stop.orStopped(promise);
    } finally {
      clearTimeout(timer);
    }
  }
}
