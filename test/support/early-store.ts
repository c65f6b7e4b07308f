/** A database that is broken: its reads see writes that are not in the log yet. */
import type { Database } from "../../src/engine/database.ts";
import type { ServedScan, ServedStore } from "../../src/server/served-store.ts";
import {
  type Commit,
  type Data,
  type Entry,
  type EntryRecord,
  type Incremented,
  type KeyVersion,
  NOT_CACHED,
  type Operation,
  type Page,
  type ScanOptions,
  type Transaction,
  type TransactionOptions,
  type Watch,
} from "../../src/store.ts";

const encoder = new TextEncoder();
const textOf = (data: Data): string =>
  typeof data === "string" ? data : new TextDecoder().decode(data);
const bytesOf = (data: Data): Uint8Array =>
  typeof data === "string" ? encoder.encode(data) : new Uint8Array(data);

type Change = { readonly value: Uint8Array | undefined };

export class EarlyStore implements ServedStore {
  readonly #database: Database;
  /** The newest unlogged change of each key. */
  readonly #early = new Map<string, Change>();

  constructor(database: Database) {
    this.#database = database;
  }

  put(key: Data, value: Data): Promise<Commit> {
    return this.batch([{ type: "put", key, value }]);
  }

  delete(key: Data): Promise<Commit> {
    return this.batch([{ type: "delete", key }]);
  }

  async batch(operations: readonly Operation[]): Promise<Commit> {
    const changes = operations.flatMap((operation) => {
      if (operation.type === "merge" || operation.type === "deleteRange") return [];
      const value = operation.type === "put" ? bytesOf(operation.value) : undefined;
      return [[textOf(operation.key), { value }] as const];
    });
    for (const [key, change] of changes) this.#early.set(key, change);
    try {
      return await this.#database.batch(operations);
    } finally {
      for (const [key, change] of changes) {
        if (this.#early.get(key) === change) this.#early.delete(key);
      }
    }
  }

  page(...args: Parameters<ServedStore["page"]>): Promise<Page> {
    return this.#database.page(...args);
  }

  count(...args: Parameters<ServedStore["count"]>): Promise<number> {
    return this.#database.count(...args);
  }

  history(...args: Parameters<ServedStore["history"]>): Promise<KeyVersion[]> {
    return this.#database.history(...args);
  }

  watch(...args: Parameters<ServedStore["watch"]>): Watch {
    return this.#database.watch(...args);
  }

  merge(...args: Parameters<ServedStore["merge"]>): Promise<Commit> {
    return this.#database.merge(...args);
  }

  ingest(...args: Parameters<ServedStore["ingest"]>): Promise<Commit> {
    return this.#database.ingest(...args);
  }

  increment(...args: Parameters<ServedStore["increment"]>): Promise<Incremented> {
    return this.#database.increment(...args);
  }

  expire(...args: Parameters<ServedStore["expire"]>): Promise<Commit | undefined> {
    return this.#database.expire(...args);
  }

  persist(...args: Parameters<ServedStore["persist"]>): Promise<Commit | undefined> {
    return this.#database.persist(...args);
  }

  async get(key: Data): Promise<Uint8Array | undefined> {
    const early = this.#early.get(textOf(key));
    return early === undefined ? this.#database.get(key) : early.value;
  }

  async getMany(keys: readonly Data[]): Promise<(Uint8Array | undefined)[]> {
    const early = new Map(this.#early);
    const values = await this.#database.getMany(keys);
    return keys.map((key, i) => {
      const change = early.get(textOf(key));
      return change === undefined ? values[i] : change.value;
    });
  }

  async getEntry(key: Data): Promise<EntryRecord | undefined> {
    return this.#database.getEntry(key);
  }

  deleteRange(...args: Parameters<Database["deleteRange"]>): ReturnType<Database["deleteRange"]> {
    return this.#database.deleteRange(...args);
  }

  getCached(): typeof NOT_CACHED {
    return NOT_CACHED;
  }

  /** Of the bounds it knows the prefix alone. */
  scan({ prefix = "", reverse = false }: ScanOptions = {}): ServedScan {
    const early = [...this.#early].filter(([key]) => key.startsWith(textOf(prefix)));
    const scan = this.#database.scan({ prefix });
    return new ListScan(async () => {
      const entries = new Map<string, Uint8Array>();
      for await (const [key, value] of scan) entries.set(textOf(key), value);
      for (const [key, { value }] of early) {
        if (value === undefined) entries.delete(key);
        else entries.set(key, value);
      }
      const sorted = [...entries.keys()].sort();
      if (reverse) sorted.reverse();
      return sorted.map((key): Entry => [bytesOf(key), entries.get(key) ?? new Uint8Array()]);
    });
  }

  transaction<Result>(
    body: (transaction: Transaction) => Promise<Result> | Result,
    options?: TransactionOptions,
  ): Promise<Result> {
    return this.#database.transaction(body, options);
  }

  snapshot(): ReturnType<Database["snapshot"]> {
    return this.#database.snapshot();
  }

  openKeyspace(
    ...args: Parameters<ServedStore["openKeyspace"]>
  ): ReturnType<ServedStore["openKeyspace"]> {
    return this.#database.openKeyspace(...args);
  }

  keyspace(...args: Parameters<Database["keyspace"]>): ReturnType<Database["keyspace"]> {
    return this.#database.keyspace(...args);
  }

  keyspaces(): ReturnType<Database["keyspaces"]> {
    return this.#database.keyspaces();
  }

  dropKeyspace(name: string): Promise<boolean> {
    return this.#database.dropKeyspace(name);
  }

  alterKeyspace(...args: Parameters<Database["alterKeyspace"]>): Promise<void> {
    return this.#database.alterKeyspace(...args);
  }

  stats(): object {
    return this.#database.stats();
  }

  flush(): Promise<void> {
    return this.#database.flush();
  }

  verify(): Promise<object> {
    return this.#database.verify();
  }

  compact(): Promise<void> {
    return this.#database.compact();
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A scan over entries that are read all at once. */
class ListScan implements ServedScan {
  readonly #entries: Promise<Entry[]>;

  constructor(read: () => Promise<Entry[]>) {
    this.#entries = read();
  }

  async nextMany(count: number): Promise<Entry[]> {
    return (await this.#entries).splice(0, count);
  }

  async next(): Promise<IteratorResult<Entry, undefined>> {
    const [value] = await this.nextMany(1);
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  seek(): Promise<void> {
    return Promise.reject(new Error("a list is read once"));
  }

  async return(): Promise<IteratorResult<Entry, undefined>> {
    await this.#entries;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): ServedScan {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
