/**
 * The interface that the embedded database and the networked client share, so that a program moves from
 * one to the other by changing the line that opens it. It lives here, beside the frames, because the
 * client depends on nothing else of Varve.
 */

/** Bytes, or a string that stands for its UTF-8 encoding. */
export type Data = Uint8Array | string;

/** A key and its value, as a scan hands them out. The arrays are the caller's to keep. */
export type Entry = [key: Uint8Array, value: Uint8Array];

/** A value with what is known of its key. Times are milliseconds of the store's wall clock, as `Date.now()` gives. */
export interface EntryRecord {
  /** The caller's to keep. */
  readonly value: Uint8Array;
  /** Of the write that put it there: unique, and increasing in commit order. */
  readonly sequence: number;
  /** How often the key was written since it came into being: 1, 2, 3, … A delete starts it afresh. */
  readonly revision: number;
  /** When the key came into being. */
  readonly createdAt: number;
  /** When the value was written. */
  readonly updatedAt: number;
}

/**
 * When a write is answered.
 * - `always`: after the log that holds it is on the disk.
 * - `interval`: after the log is with the operating system; it reaches the disk within `syncIntervalMs`.
 * - `none`: after the log is with the operating system, which writes it when it likes.
 */
export const DURABILITIES = ["always", "interval", "none"] as const;
export type Durability = (typeof DURABILITIES)[number];

export interface WriteOptions {
  /** Overrides the store's default for this write. */
  readonly durability?: Durability;
}

export interface Commit {
  /** The sequence number of the write's last operation: unique, and increasing in commit order. */
  readonly version: number;
}

export type Operation =
  | { readonly type: "put"; readonly key: Data; readonly value: Data }
  | { readonly type: "delete"; readonly key: Data };

/** Bounds compare keys as unsigned bytes. Without bounds a scan covers everything. */
export interface ScanOptions {
  readonly gte?: Data;
  readonly gt?: Data;
  readonly lt?: Data;
  readonly lte?: Data;
  /** Only keys that start with these bytes; combines with the bounds. */
  readonly prefix?: Data;
  /** From the last key to the first. */
  readonly reverse?: boolean;
  /** At most so many entries. */
  readonly limit?: number;
}

/**
 * A scan in progress. It sees the one moment at which it was made and pins what it reads until it has
 * ended, was returned from, or disposed of; `for await` does that by itself.
 */
export interface Scan extends AsyncIterableIterator<Entry>, AsyncDisposable {
  next(): Promise<IteratorResult<Entry, undefined>>;
  /** Up to `count` further entries at once; an empty array means the end. Faster than `next` one by one. */
  nextMany(count: number): Promise<Entry[]>;
  return(): Promise<IteratorResult<Entry, undefined>>;
  [Symbol.asyncIterator](): Scan;
}

export interface Reader {
  /** The value, or `undefined` where the key is absent. The array is the caller's to keep. */
  get(key: Data): Promise<Uint8Array | undefined>;
  /** The value with what is known of its key, or `undefined` where the key is absent. */
  getEntry(key: Data): Promise<EntryRecord | undefined>;
  /** The values in the order of `keys`, all seen at one moment. */
  getMany(keys: readonly Data[]): Promise<(Uint8Array | undefined)[]>;
  scan(options?: ScanOptions): Scan;
}

export interface Store extends Reader, AsyncDisposable {
  put(key: Data, value: Data, options?: WriteOptions): Promise<Commit>;
  /** Deleting an absent key succeeds. */
  delete(key: Data, options?: WriteOptions): Promise<Commit>;
  /** All of the operations or none, in order; a later one on the same key wins. */
  batch(operations: readonly Operation[], options?: WriteOptions): Promise<Commit>;
  close(): Promise<void>;
}
