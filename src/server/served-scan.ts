/**
 * A scan that is being streamed to a client: sent frame by frame while the client's credit lasts and the
 * connection is not full, then END. A client that grants nothing costs one pinned cursor and no more.
 */
import {
  encodeScanData,
  encodeScanEnd,
  encodeScanSought,
  type FrameWriter,
  SCAN_DATA_HEADER_BYTES,
  scanEntryBytes,
} from "varve-protocol";
import { VarveError } from "../errors.ts";
import type { ServedScan } from "./served-store.ts";

const FRAME_BYTES = 64 * 1024;
const FRAME_ENTRIES_MAX = 1000;
const CREDIT_MAX = 2 ** 32 - 1;

/** What a scan needs of its connection. */
export interface ScanOutput {
  readonly writer: FrameWriter;
  readonly peerFrameBytesMax: number;
  /** More answers wait for the peer than may. */
  readonly isFull: boolean;
  /** Something was written. */
  wrote(): void;
}

export class StreamedScan {
  readonly #requestId: number;
  readonly #scan: ServedScan;
  readonly #output: ScanOutput;
  #credit: number;
  #sent = 0;
  readonly #idleTimeoutMs: number;
  /** Why the scan was cancelled, once it has been. */
  #cancelled: VarveError | undefined;
  #wake: (() => void) | undefined;
  readonly #seekable: boolean;
  /** Where the client wants to go on; the last of its seeks counts. */
  #target: Uint8Array | undefined;
  #seeks = 0;

  constructor(
    requestId: number,
    scan: ServedScan,
    credit: number,
    output: ScanOutput,
    idleTimeoutMs: number,
    seekable = false,
  ) {
    this.#seekable = seekable;
    this.#requestId = requestId;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#scan = scan;
    this.#credit = credit;
    this.#output = output;
  }

  /** Sends until the end. Throws what ends the scan early, which after `cancel` is its reason. */
  async run(): Promise<void> {
    try {
      while (await this.#mayWrite()) {
        const bytesMax = Math.min(FRAME_BYTES, this.#credit);
        const entries = await this.#scan.nextMany(FRAME_ENTRIES_MAX, bytesMax);
        this.#assertGoingOn();
        // What was read before a seek is of no use.
        if (this.#target !== undefined) continue;
        if (entries.length === 0 && !this.#seekable) break;
        this.#write(entries);
        if (entries.length === 0) await this.#sought();
      }
      encodeScanEnd(this.#output.writer, this.#requestId, this.#sent);
      this.#output.wrote();
    } finally {
      await this.#scan.return();
    }
  }

  /** Goes on at the key; the client drops what comes before it is told so. */
  seek(key: Uint8Array): void {
    if (!this.#seekable) {
      this.cancel(new VarveError("INVALID_ARGUMENT", "the scan was not made to be sought in"));
      return;
    }
    this.#target = new Uint8Array(key);
    this.#seeks++;
    this.#wake?.();
    this.#wake = undefined;
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

  cancel(reason = new VarveError("ABORTED", "the scan was cancelled")): void {
    this.#cancelled ??= reason;
    this.resume();
  }

  #write(entries: Awaited<ReturnType<ServedScan["nextMany"]>>): void {
    const { writer, peerFrameBytesMax } = this.#output;
    const length = encodeScanData(writer, this.#requestId, entries);
    if (length > peerFrameBytesMax) {
      writer.undo();
      const message = `an entry of the scan takes a frame of ${length} bytes; the client takes ${peerFrameBytesMax}`;
      throw new VarveError("BATCH_TOO_LARGE", message);
    }
    this.#credit -= SCAN_DATA_HEADER_BYTES;
    for (const [key, value] of entries) this.#credit -= scanEntryBytes(key, value);
    this.#sent += entries.length;
    this.#output.wrote();
  }

  async #mayWrite(): Promise<true> {
    this.#assertGoingOn();
    await this.#followSeek();
    while (this.#credit <= 0 || this.#output.isFull) {
      await this.#resumed();
      this.#assertGoingOn();
      await this.#followSeek();
    }
    return true;
  }

  /** At the end, which has been told: waits for the client to seek. */
  async #sought(): Promise<void> {
    while (this.#target === undefined) {
      await this.#resumed();
      this.#assertGoingOn();
    }
  }

  async #followSeek(): Promise<void> {
    while (this.#target !== undefined) {
      const target = this.#target;
      const seeks = this.#seeks;
      await this.#scan.seek(target);
      this.#assertGoingOn();
      if (this.#target !== target) continue;
      this.#target = undefined;
      encodeScanSought(this.#output.writer, this.#requestId, seeks);
      this.#output.wrote();
    }
  }

  /** Waits for `resume`; throws where it does not come in time. */
  async #resumed(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const ms = this.#idleTimeoutMs;
      const timer = setTimeout(() => {
        reject(new VarveError("TIMEOUT", `nothing of the scan was read for ${ms} ms`));
      }, ms);
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
