/**
 * A scan over the connection. The server sends entries ahead of the reader up to a credit in bytes; what
 * the reader has taken is granted again, half a credit at a time. Calls made before earlier ones have
 * resolved are answered in order.
 *
 * Invariant: `#call` is set exactly as long as the server may still send something that matters.
 */
import {
  type Data,
  type Entry,
  type KeyMapping,
  type SeekableScan,
  VarveError,
} from "varve-protocol";
import type { Call } from "./call-table.ts";

/** What a scan needs of its connection. */
export interface ScanSource {
  grant(call: Call, bytes: number): void;
  seek(call: Call, key: Uint8Array): void;
  /** The scan is given up by its reader. */
  cancel(call: Call): void;
  /** Ends the scan with `TIMEOUT`. */
  expire(call: Call, timeoutMs: number): void;
}

/** Entries of one SCAN_DATA frame, handed out from `next` on. */
export interface ScanChunk {
  readonly entries: readonly Entry[];
  /** What the frame took from the credit. */
  readonly bytes: number;
  next: number;
}

/** A call of `next` (`count` 0) or `nextMany` that waits for entries, or a seek that waits for its turn. */
interface Waiter {
  readonly count: number;
  readonly target?: Uint8Array;
  readonly entries: Entry[];
  readonly resolve: (result: never) => void;
  readonly reject: (error: VarveError) => void;
}

const END: IteratorResult<Entry, undefined> = { done: true, value: undefined };

export class ClientScan implements SeekableScan {
  readonly #source: ScanSource;
  readonly #keys: KeyMapping;
  readonly #creditBytes: number;
  readonly #timeoutMs: number | undefined;
  #call: Call | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #pages: ScanChunk[] = [];
  readonly #waiters: Waiter[] = [];
  #failure: VarveError | undefined;
  #received = 0;
  /** The server has the scan. */
  #isBegun = false;
  readonly #seekable: boolean;
  /** Seeks that the server was told of, and followed. */
  #seeks = 0;
  #sought = 0;
  /** A scan that can be sought in has told all up to its end. */
  #isAtEnd = false;
  /** Bytes taken by the reader and not yet granted again. */
  #takenBytes = 0;

  constructor(
    source: ScanSource,
    call: Call,
    keys: KeyMapping,
    creditBytes: number,
    timeoutMs: number | undefined,
    seekable: boolean,
  ) {
    this.#seekable = seekable;
    this.#source = source;
    this.#keys = keys;
    this.#call = call;
    this.#creditBytes = creditBytes;
    this.#timeoutMs = timeoutMs;
  }

  next(): Promise<IteratorResult<Entry, undefined>> {
    const page = this.#pages[0];
    if (this.#waiters.length === 0 && page !== undefined && page.next < page.entries.length - 1) {
      return Promise.resolve({ done: false, value: page.entries[page.next++]! });
    }
    return this.#wait(0);
  }

  nextMany(count: number): Promise<Entry[]> {
    if (!Number.isInteger(count) || count < 1) {
      const message = `nextMany takes a whole number from 1, not ${count}`;
      return Promise.reject(new VarveError("INVALID_ARGUMENT", message));
    }
    return this.#wait(count);
  }

  /** Calls that were made before see what came before. */
  seek(key: Data): Promise<void> {
    if (!this.#seekable) {
      const message = "a scan is sought in that was made with seekable";
      return Promise.reject(new VarveError("INVALID_ARGUMENT", message));
    }
    const target = new Uint8Array(Buffer.from(this.#keys.toStored(key)));
    return this.#wait(0, target);
  }

  async return(): Promise<IteratorResult<Entry, undefined>> {
    const call = this.#call;
    this.#call = undefined;
    if (call !== undefined) this.#source.cancel(call);
    this.#pages.length = 0;
    this.#failure = undefined;
    this.#serve();
    return END;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Entries came. */
  received(page: ScanChunk): void {
    this.#isBegun = true;
    this.#received += page.entries.length;
    for (const entry of page.entries) entry[0] = this.#keys.fromStored(entry[0]);
    if (this.#sought !== this.#seeks) this.#grant(page.bytes);
    else if (page.entries.length > 0) this.#pages.push(page);
    else {
      this.#isAtEnd = true;
      this.#grant(page.bytes);
    }
    this.#serve();
  }

  /** The server has followed so many seeks; what comes now is from there. */
  sought(seeks: number): void {
    if (seeks > this.#seeks) {
      const message = `the scan was sought ${seeks} times, though only ${this.#seeks} were asked for`;
      throw new VarveError("PROTOCOL_ERROR", message);
    }
    this.#sought = seeks;
  }

  /** The server says that it sent `count` entries and that there are no more. */
  ended(count: number): void {
    if (count !== this.#received) {
      const message = `the scan ended after ${count} entries, of which ${this.#received} came`;
      throw new VarveError("PROTOCOL_ERROR", message);
    }
    this.#call = undefined;
    this.#serve();
  }

  /** The scan was given up here: what came before is dropped. */
  abandoned(error: VarveError): void {
    this.#pages.length = 0;
    this.failed(error);
  }

  /** The scan fails after the entries that came before. */
  failed(error: VarveError): void {
    this.#call = undefined;
    this.#failure = error;
    this.#serve();
  }

  #wait<Result>(count: number, target?: Uint8Array): Promise<Result> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { count, entries: [], resolve, reject };
      this.#waiters.push(target === undefined ? waiter : { ...waiter, target });
      if (this.#waiters.length === 1) this.#serve();
    });
  }

  /** Answers as many waiters as what is there allows, in order. */
  #serve(): void {
    while (this.#waiters.length > 0 && this.#fill(this.#waiters[0]!)) {
      this.#answer(this.#waiters.shift()!);
    }
    this.#watch();
  }

  /** Gives the waiter what is there; true where it can be answered. */
  #fill({ count, entries, target }: Waiter): boolean {
    if (target !== undefined) return this.#tellSeek(target);
    const wanted = Math.max(1, count);
    while (entries.length < wanted) {
      const page = this.#pages[0];
      if (page === undefined) return this.#call === undefined || this.#isAtEnd;
      const end = Math.min(page.entries.length, page.next + wanted - entries.length);
      while (page.next < end) entries.push(page.entries[page.next++]!);
      if (end < page.entries.length) break;
      this.#pages.shift();
      this.#grant(page.bytes);
    }
    return true;
  }

  /** True when the server has been told, or there is nobody to tell. */
  #tellSeek(target: Uint8Array): boolean {
    if (this.#call === undefined) return true;
    if (!this.#isBegun) return false;
    for (const page of this.#pages.splice(0)) this.#grant(page.bytes);
    this.#isAtEnd = false;
    this.#seeks++;
    this.#source.seek(this.#call, target);
    return true;
  }

  #answer({ count, entries, target, resolve, reject }: Waiter): void {
    const failure = this.#failure;
    if (target !== undefined) {
      if (this.#call !== undefined) resolve(undefined as never);
      else reject(failure ?? new VarveError("CLOSED", "the scan has ended"));
      return;
    }
    if (entries.length === 0 && failure !== undefined) {
      this.#failure = undefined;
      reject(failure);
    } else if (count > 0) {
      resolve(entries as never);
    } else {
      const entry = entries[0];
      resolve((entry === undefined ? END : { done: false, value: entry }) as never);
    }
  }

  #grant(bytes: number): void {
    this.#takenBytes += bytes;
    if (this.#call === undefined || this.#takenBytes * 2 < this.#creditBytes) return;
    this.#source.grant(this.#call, this.#takenBytes);
    this.#takenBytes = 0;
  }

  /** Restarts the time limit: it runs while the reader waits for the server. */
  #watch(): void {
    if (this.#timeoutMs === undefined) return;
    clearTimeout(this.#timer);
    if (this.#call === undefined || this.#waiters.length === 0) return;
    this.#timer = setTimeout(() => {
      if (this.#call !== undefined) this.#source.expire(this.#call, this.#timeoutMs ?? 0);
    }, this.#timeoutMs);
  }
}
