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
  /** When the entry expires; `undefined` where it does not. */
  readonly expiresAt: number | undefined;
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

/**
 * What must hold of a key at the moment of the commit. `sequence` is that of the key's present entry, as `getEntry`
 * tells it. Exactly one of the three is given.
 */
export type Condition =
  | { readonly absent: true }
  | { readonly present: true }
  | { readonly sequence: number };

/** A condition on any key, also one that the write does not touch. */
export type KeyCondition = Condition & { readonly key: Data };

/**
 * When an entry expires: so many milliseconds after the call, or at a time of the store's wall clock in milliseconds
 * since 1970. Not both. From then on the entry is absent to every reader, and its space comes back by itself.
 */
export interface Expiry {
  /** A whole number from 1. */
  readonly ttlMs?: number;
  readonly expiresAt?: number;
}

export interface DeleteOptions extends WriteOptions {
  /** On the key itself; or a list, on any keys. The write fails with `CONDITION_FAILED` where one does not hold. */
  readonly if?: Condition | readonly KeyCondition[];
}

export interface PutOptions extends DeleteOptions, Expiry {}

export interface BatchOptions extends WriteOptions {
  /** On any keys, as they are before the batch: all must hold, or nothing is written. */
  readonly if?: readonly KeyCondition[];
}

/**
 * How an operand is folded into a value. `add`, `max` and `min` work on counters: 64-bit integers with a sign, stored
 * in 8 bytes, little-endian. An absent value counts as 0 to `add`, and the operand takes its place for `max` and `min`;
 * of a value of other than 8 bytes the first 8 count, with zeros for those that are missing. `add` wraps around.
 * `append` puts bytes behind the value, which is cut at the largest value that a store takes, 16 MiB.
 */
export const MERGE_OPERATORS = ["add", "max", "min", "append"] as const;
export type MergeOperator = (typeof MERGE_OPERATORS)[number];

/** Bounds of keys, as unsigned bytes; all that are given hold together. */
export interface KeyRange {
  readonly gte?: Data;
  readonly gt?: Data;
  readonly lt?: Data;
  readonly lte?: Data;
  /** Only keys that start with these bytes. */
  readonly prefix?: Data;
}

/** What a merge adds: for counters an integer that 64 bits hold, or its 8 bytes; for `append` bytes. */
export type Operand = number | bigint | Data;

/** What a counter came to. */
export interface Incremented extends Commit {
  readonly value: bigint;
}

export interface Commit {
  /** The sequence number of the write's last operation: unique, and increasing in commit order. */
  readonly version: number;
}

/** A key and its value, to be written. */
export type Pair = readonly [key: Data, value: Data];

/** Pairs in the order of their keys, each key once. They may come singly or, which is faster, as arrays of them. */
export type Pairs = Iterable<Pair | readonly Pair[]> | AsyncIterable<Pair | readonly Pair[]>;

/** With an expiry, all entries have it. */
export interface IngestOptions extends Expiry {
  /** Ends the ingest with `ABORTED`, unless it is being committed already. */
  readonly signal?: AbortSignal;
}

export type Operation =
  | ({ readonly type: "put"; readonly key: Data; readonly value: Data } & Expiry)
  | { readonly type: "delete"; readonly key: Data }
  | {
      readonly type: "merge";
      readonly key: Data;
      readonly operator: MergeOperator;
      readonly operand: Operand;
    }
  | ({ readonly type: "deleteRange" } & KeyRange);

/** Without bounds a scan covers everything. */
export interface ScanOptions extends KeyRange {
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

/** What a watch tells, and from where on. Without bounds it tells of all keys. */
export interface WatchOptions extends KeyRange {
  /**
   * The sequence behind which to begin: that of the last event that was told, or a `Commit.version`. A batch that it
   * lies inside of is told whole. Unless given, the watch begins with what is committed next.
   */
  readonly since?: number;
  /** How often the watch says how far it is when it has nothing else to tell, in milliseconds. Default 5000. */
  readonly heartbeatMs?: number;
  /** Ends the watch with `ABORTED`. */
  readonly signal?: AbortSignal;
}

/**
 * An operation as it was committed, with what was computed for it: increments and conditional writes are puts. All can
 * be handed to `batch` as they are.
 */
export type FeedOperation =
  | {
      readonly type: "put";
      readonly key: Uint8Array;
      readonly value: Uint8Array;
      readonly expiresAt?: number;
    }
  /** With `expiresAt`: the put of an entry that has expired since. An expiry by itself is no event. */
  | { readonly type: "delete"; readonly key: Uint8Array; readonly expiresAt?: number }
  | {
      readonly type: "merge";
      readonly key: Uint8Array;
      readonly operator: MergeOperator;
      readonly operand: Uint8Array;
    }
  /** The part of it that is watched; without `lt` to the end of all keys. */
  | { readonly type: "deleteRange"; readonly gte: Uint8Array; readonly lt?: Uint8Array };

export interface CommitEvent {
  readonly type: "commit";
  /** Of the batch's last operation: what the writer was told as `Commit.version`. */
  readonly sequence: number;
  /** Of the batch's first operation. */
  readonly firstSequence: number;
  /** When it was committed, by the store's wall clock. */
  readonly time: number;
  /** Those of the batch that are watched, in order; at least one. */
  readonly operations: readonly FeedOperation[];
}

/**
 * Entries were ingested, all in this part of what is watched. They are not told one by one: read it anew. Where a store
 * was stopped in the middle of an ingest, this may be told though nothing has changed.
 */
export interface IngestEvent {
  readonly type: "ingest";
  readonly sequence: number;
  readonly time: number;
  readonly gte: Uint8Array;
  /** Without it, to the end of all keys. */
  readonly lt?: Uint8Array;
}

/** All up to this sequence has been told, as far as it is watched. Sequences may repeat. */
export interface ProgressEvent {
  readonly type: "progress";
  readonly sequence: number;
}

export type WatchEvent = CommitEvent | IngestEvent | ProgressEvent;

/**
 * What is committed, from somewhere on, in order, and every batch whole. The first event is a progress that says where
 * the watch begins. A watch holds nothing back for a slow reader, who is merely further behind in the log; it fails
 * with `COMPACTED` where that is not kept any more, and the error's `sequence` is the oldest that can be asked for.
 */
export interface Watch extends AsyncIterableIterator<WatchEvent>, AsyncDisposable {
  next(): Promise<IteratorResult<WatchEvent, undefined>>;
  return(): Promise<IteratorResult<WatchEvent, undefined>>;
  [Symbol.asyncIterator](): Watch;
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
  put(key: Data, value: Data, options?: PutOptions): Promise<Commit>;
  /** Deleting an absent key succeeds. */
  delete(key: Data, options?: DeleteOptions): Promise<Commit>;
  /**
   * Deletes all keys in a range, however many there are, at the cost of one write. At least one bound is given; an
   * empty `gte` deletes everything.
   */
  deleteRange(range: KeyRange, options?: WriteOptions): Promise<Commit>;
  /** All of the operations or none, in order; a later one on the same key wins. */
  batch(operations: readonly Operation[], options?: BatchOptions): Promise<Commit>;
  /**
   * Folds an operand into the value without reading it, so that it costs no more than a put. The entry keeps its
   * expiry.
   */
  merge(
    key: Data,
    operator: MergeOperator,
    operand: Operand,
    options?: WriteOptions,
  ): Promise<Commit>;
  /**
   * Adds to a counter, 0 where the key is absent, and tells what it came to; the entry keeps its expiry. Fails with
   * `NOT_A_COUNTER` where the value has not 8 bytes, and with `COUNTER_OVERFLOW` where 64 bits do not hold the sum.
   */
  increment(key: Data, delta?: number | bigint, options?: WriteOptions): Promise<Incremented>;
  /**
   * Puts any number of pairs, all at once or none: as one batch of puts at the moment at which the call ends, but made
   * into tables as they come, without log and memtables, and always durable. The keys come in order, as unsigned bytes,
   * and none twice; else it fails with `INVALID_ARGUMENT`, which names the pair by its place, counted from 0, and
   * nothing is written. `updatedAt` of the entries is when the call began. One at a time; another fails with
   * `OVERLOADED`.
   */
  ingest(pairs: Pairs, options?: IngestOptions): Promise<Commit>;
  /** Gives the entry another expiry, and leaves its value. `undefined` where the key is absent. */
  expire(key: Data, expiry: Expiry, options?: WriteOptions): Promise<Commit | undefined>;
  /** Takes the entry's expiry away. `undefined` where the key is absent. */
  persist(key: Data, options?: WriteOptions): Promise<Commit | undefined>;
  /**
   * Tells of commits as they become visible, and of those before, as far back as the log is kept. One that was answered
   * as `interval` or `none` may be told and then be lost with power, as it is lost to reads.
   */
  watch(options?: WatchOptions): Watch;
  close(): Promise<void>;
}
