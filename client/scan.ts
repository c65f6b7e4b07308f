/**
 * A scan over the connection. The server sends entries ahead of the reader up to a credit in bytes; what
 * the reader has taken is granted again, half a credit at a time. Calls made before earlier ones have
 * resolved are answered in order.
 *
 * Invariant: `#call` is set exactly as long as the server may still send something that matters.
 */
import { type Entry, type Scan, VarveError } from "varve-protocol";
import type { Call } from "./call-table.ts";

/** What a scan needs of its connection. */
export interface ScanSource {
  grant(call: Call, bytes: number): void;
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

/** A call of `next` (`count` 0) or `nextMany` that waits for entries. */
interface Waiter {
  readonly count: number;
  readonly entries: Entry[];
  readonly resolve: (result: never) => void;
  readonly reject: (error: VarveError) => void;
}

const END: IteratorResult<Entry, undefined> = { done: true, value: undefined };

export class ClientScan implements Scan {
  readonly #source: ScanSource;
  readonly #creditBytes: number;
  readonly #timeoutMs: number | undefined;
  #call: Call | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #pages: ScanChunk[] = [];
  readonly #waiters: Waiter[] = [];
  #failure: VarveError | undefined;
  #received = 0;
  /** Bytes taken by the reader and not yet granted again. */
  #takenBytes = 0;

  constructor(source: ScanSource, call: Call, creditBytes: number, timeoutMs: number | undefined) {
    this.#source = source;
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
    this.#received += page.entries.length;
    this.#pages.push(page);
    this.#serve();
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

  #wait<Result>(count: number): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ count, entries: [], resolve, reject });
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
  #fill({ count, entries }: Waiter): boolean {
    const wanted = Math.max(1, count);
    while (entries.length < wanted) {
      const page = this.#pages[0];
      if (page === undefined) return this.#call === undefined;
      const end = Math.min(page.entries.length, page.next + wanted - entries.length);
      while (page.next < end) entries.push(page.entries[page.next++]!);
      if (end < page.entries.length) break;
      this.#pages.shift();
      this.#grant(page.bytes);
    }
    return true;
  }

  #answer({ count, entries, resolve, reject }: Waiter): void {
    const failure = this.#failure;
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
