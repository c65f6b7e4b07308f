/**
 * A scan in a transaction: what the snapshot has, with what the transaction had written when the scan was made laid
 * over it. Calls made before earlier ones have resolved are answered in order.
 */
import { VarveError } from "./errors.ts";
import type { KeyMapping } from "./keyspace-keys.ts";
import type { Entry, Scan, ScanOptions, Snapshot } from "./store.ts";
import type { RangeRead } from "./transaction-reads.ts";
import { type PendingEntry, type TransactionWrites, valueAfter } from "./transaction-writes.ts";

const NO_VALUE = new Uint8Array();
const END: IteratorResult<Entry, undefined> = { done: true, value: undefined };

export class TransactionScan implements Scan {
  readonly #open: () => Promise<Snapshot>;
  readonly #options: ScanOptions;
  readonly #keys: KeyMapping;
  readonly #writes: TransactionWrites;
  readonly #read: RangeRead;
  readonly #sign: 1 | -1;
  /** The next to come is the last. */
  readonly #own: PendingEntry[];
  readonly #isHidden: (key: Uint8Array) => boolean;
  #left: number;
  #leftBytes: number;
  #stored: Scan | undefined;
  /** The next of what the snapshot has, once it was asked for. */
  #peeked: Entry | undefined;
  #isStoredOver = false;
  #isOver = false;
  #busy: Promise<unknown> = Promise.resolve();

  /** The bounds are those of stored keys, and their bytes must stay as they are. */
  constructor(
    options: ScanOptions,
    keys: KeyMapping,
    writes: TransactionWrites,
    read: RangeRead,
    open: () => Promise<Snapshot>,
  ) {
    this.#options = options;
    this.#keys = keys;
    this.#writes = writes;
    this.#read = read;
    this.#open = open;
    this.#sign = options.reverse === true ? -1 : 1;
    this.#left = options.limit ?? Number.POSITIVE_INFINITY;
    this.#leftBytes = options.limitBytes ?? Number.POSITIVE_INFINITY;
    this.#own = writes
      .entriesIn(options)
      .sort((a, b) => -this.#sign * Buffer.compare(a.key, b.key));
    // Ranges that are deleted later are none of this scan's.
    this.#isHidden = writes.deletedRangesNow();
  }

  next(): Promise<IteratorResult<Entry, undefined>> {
    return this.#queue(async () => {
      const entry = await this.#step();
      return entry === undefined ? END : { done: false, value: entry };
    });
  }

  nextMany(count: number): Promise<Entry[]> {
    if (!Number.isInteger(count) || count < 1) {
      const message = `nextMany takes a whole number from 1, not ${count}`;
      return Promise.reject(new VarveError("INVALID_ARGUMENT", message));
    }
    return this.#queue(async () => {
      const entries: Entry[] = [];
      while (entries.length < count) {
        const entry = await this.#step();
        if (entry === undefined) break;
        entries.push(entry);
      }
      return entries;
    });
  }

  async return(): Promise<IteratorResult<Entry, undefined>> {
    await this.#queue(() => this.#end());
    return END;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #step(): Promise<Entry | undefined> {
    if (this.#isOver) return undefined;
    if (this.#left <= 0 || this.#leftBytes <= 0) {
      await this.#end();
      return undefined;
    }
    for (;;) {
      const next = await this.#storedEntry();
      const own = this.#own.at(-1);
      if (next === undefined && own === undefined) {
        this.#read.ended();
        await this.#end();
        return undefined;
      }
      const entry = this.#merged(next, own);
      if (entry === undefined) continue;
      this.#read.reached(entry[0]);
      this.#left--;
      const [stored, value] = entry;
      const key = this.#keys.fromStored(stored);
      this.#leftBytes -= key.length + value.length;
      return [key, value];
    }
  }

  /** Takes what comes first of the two, or both where they are one key; `undefined` where that leaves nothing. */
  #merged(stored: Entry | undefined, own: PendingEntry | undefined): Entry | undefined {
    const order = this.#order(stored, own);
    if (order <= 0) this.#peeked = undefined;
    if (order >= 0) this.#own.pop();
    if (order < 0 || own === undefined) {
      return stored === undefined || this.#isHidden(stored[0]) ? undefined : stored;
    }
    const value = valueAfter(own, order === 0 ? stored?.[1] : undefined);
    if (value === undefined) return undefined;
    return [new Uint8Array(own.key), this.#options.keysOnly ? NO_VALUE : value];
  }

  #order(stored: Entry | undefined, own: PendingEntry | undefined): number {
    if (stored === undefined) return 1;
    if (own === undefined) return -1;
    return this.#sign * Buffer.compare(stored[0], own.key);
  }

  /** What the snapshot has next; it stays until it is taken. */
  async #storedEntry(): Promise<Entry | undefined> {
    if (this.#peeked !== undefined || this.#isStoredOver) return this.#peeked;
    this.#stored ??= (await this.#open()).scan(this.#storedOptions());
    // One by one: how large they are is not known before.
    const { done, value } = await this.#stored.next();
    this.#isStoredOver = done === true;
    this.#peeked = value;
    return value;
  }

  /** Of what the snapshot has, the transaction's writes may hide some: as much more must be read of it. */
  #storedOptions(): ScanOptions {
    const { limit, limitBytes: _, ...options } = this.#options;
    if (limit === undefined || this.#writes.hasDeletedRanges) return options;
    return { ...options, limit: limit + this.#own.length };
  }

  async #end(): Promise<void> {
    this.#isOver = true;
    this.#isStoredOver = true;
    this.#peeked = undefined;
    this.#own.length = 0;
    await this.#stored?.return();
  }

  /** A step that fails ends the scan. */
  #queue<Result>(step: () => Promise<Result>): Promise<Result> {
    const run = this.#busy.then(async () => {
      try {
        return await step();
      } catch (error) {
        await this.#end().catch(() => undefined);
        throw error;
      }
    });
    this.#busy = run.catch(() => undefined);
    return run;
  }
}
