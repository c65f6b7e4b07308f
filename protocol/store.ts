/**
 * The interface that the embedded database and the networked client share, so that a program moves from
 * one to the other by changing the line that opens it. It lives here, beside the frames, because the
 * client depends on nothing else of Varve.
 */
import type { KeyspaceChanges, KeyspaceInfo, KeyspaceOptions } from "./keyspace-settings.ts";

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

/** What says that its keys are of another keyspace than the one that is called, of the same store. */
export interface InKeyspace {
  readonly keyspace?: Keyspace;
}

/** A condition on any key, also one that the write does not touch. */
export type KeyCondition = Condition & InKeyspace & { readonly key: Data };

/**
 * That nothing was written since a sequence: to a key, which `present` says is there still, as entries also expire; or
 * to any key in a range, though it may take a change for granted where it cannot tell. Otherwise the write fails with
 * `CONFLICT`: read again, and try anew. The sequence is that of a snapshot, at which the key or range was read.
 */
export type UnchangedCondition = InKeyspace &
  (
    | { readonly key: Data; readonly unchangedSince: number; readonly present?: true }
    | { readonly range: KeyRange; readonly unchangedSince: number }
  );

export type WriteCondition = KeyCondition | UnchangedCondition;

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
  readonly if?: Condition | readonly WriteCondition[];
}

export interface PutOptions extends DeleteOptions, Expiry {}

export interface BatchOptions extends WriteOptions {
  /** On any keys, as they are before the batch: all must hold, or nothing is written. */
  readonly if?: readonly WriteCondition[];
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

export type Operation = InKeyspace &
  (
    | ({ readonly type: "put"; readonly key: Data; readonly value: Data } & Expiry)
    | { readonly type: "delete"; readonly key: Data }
    | {
        readonly type: "merge";
        readonly key: Data;
        readonly operator: MergeOperator;
        readonly operand: Operand;
      }
    | ({ readonly type: "deleteRange" } & KeyRange)
  );

export interface ReadOptions {
  /**
   * Reads the store as it was when the commit with this sequence, its `version`, was the newest. Fails with `COMPACTED`
   * where that past is gone; the error's `sequence` is the oldest that can be read. What has expired by now is absent.
   *
   * A `Commit.version`, and the sequence of a snapshot or of a feed's event, is that of a whole commit. That of one entry,
   * as `getEntry` and `history` tell it, may lie inside of a batch, whose later operations are then not seen: where the
   * batches of the past ended is not kept.
   */
  readonly at?: number;
}

/** A version of a key, as `history` tells it. */
export interface KeyVersion {
  readonly sequence: number;
  /** As it was then; `undefined` where the key was deleted, or the version has expired by now. */
  readonly value: Uint8Array | undefined;
  /** When it was committed; `undefined` where the key was deleted with a range. */
  readonly updatedAt: number | undefined;
  readonly expiresAt: number | undefined;
}

export interface HistoryOptions {
  /** At most so many versions, 100 unless given, up to 10,000. */
  readonly limit?: number;
}

/** Without bounds a scan covers everything. */
export interface ScanOptions extends KeyRange, ReadOptions {
  /** From the last key to the first. */
  readonly reverse?: boolean;
  /** At most so many entries. */
  readonly limit?: number;
  /** At most so many bytes of keys and values, and the entry that goes over it: at least one. */
  readonly limitBytes?: number;
  /** Values come out empty, and are not read. */
  readonly keysOnly?: boolean;
  /** The scan stays open at its end, to be sought in, until it is returned from, disposed of, or has met a limit. */
  readonly seekable?: boolean;
}

/** A page ends at 1,000 entries and 1 MiB, unless told otherwise. */
export interface PageOptions extends ScanOptions {
  /** Of the page before: the page that follows it, of a scan with the same bounds and direction. */
  readonly cursor?: Uint8Array;
}

export interface Page {
  readonly entries: Entry[];
  /**
   * For the next page, from this store or another of the same data; `undefined` at the end. A page may have fewer
   * entries than asked for, none even, and a cursor: much that is deleted had to be passed over.
   */
  readonly cursor: Uint8Array | undefined;
}

/** What is counted: all keys in a range, now or at an earlier commit. */
export interface CountOptions extends KeyRange, ReadOptions {
  /** Ends the count with `ABORTED`. */
  readonly signal?: AbortSignal;
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

/** A scan that can go on elsewhere. */
export interface SeekableScan extends Scan {
  /**
   * The next entry is the first at or after the key, or in a scan in reverse the last at or before it, within the scan's
   * bounds and as of its moment; forwards or backwards from where it is, and from its end. For scans that were made
   * with `seekable`; `CLOSED` after the scan has ended for good.
   */
  seek(key: Data): Promise<void>;
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

/** What reads pages, too. */
export interface PageReader extends Reader {
  scan(options?: ScanOptions): SeekableScan;
  /** A part of a scan, in bounded time. Each page sees the moment at which it is read, or that of its reader. */
  page(options?: PageOptions): Promise<Page>;
  /** How many keys there are. Reads them all, but hands none out. */
  count(options?: CountOptions): Promise<number>;
}

/**
 * The store as it was at one moment, for as long as the snapshot is open. It makes the store keep what it sees, so
 * close it when done. Over a connection it is leased: one that is not used for long, or that an administrator ends,
 * fails with `SNAPSHOT_EXPIRED`.
 */
export interface Snapshot extends PageReader, AsyncDisposable {
  /** The newest sequence that the snapshot sees. */
  readonly sequence: number;
  /** Another keyspace of the same store, at the same moment, for as long as this snapshot is open. */
  keyspace(keyspace: Keyspace): PageReader;
  /** Scans that were begun go on. Closing twice is fine. */
  close(): Promise<void>;
}

/**
 * What a transaction's function works with. Reads see one moment, that of the first of them, and the transaction's own
 * writes, which are kept here until it commits. Of use until the function has returned: then calls fail with `CLOSED`.
 */
export interface Transaction extends Reader {
  /** Of an entry that the transaction has written, `sequence` is 0 and the times are of now: it is not committed yet. */
  getEntry(key: Data): Promise<EntryRecord | undefined>;
  put(key: Data, value: Data, expiry?: Expiry): void;
  delete(key: Data): void;
  deleteRange(range: KeyRange): void;
  /** Reads nothing: two transactions that merge the same key are not in each other's way. */
  merge(key: Data, operator: MergeOperator, operand: Operand): void;
  /** Reads the counter, and tells what it comes to. Fails as the store's `increment` does. */
  increment(key: Data, delta?: number | bigint): Promise<bigint>;
  /** The same transaction, in another keyspace of the same store. */
  keyspace(keyspace: Keyspace): Transaction;
}

export interface TransactionOptions extends WriteOptions {
  /** How often it starts again because somebody was faster, before it fails with `CONFLICT`. Default 10. */
  readonly retries?: number;
  /** How long to wait before the given attempt to start again, from 1. By default random, up to a limit that doubles. */
  readonly backoffMs?: (attempt: number) => number;
}

/** What a store and each of its keyspaces can do with their keys. */
export interface KeyedStore extends PageReader {
  get(key: Data, options?: ReadOptions): Promise<Uint8Array | undefined>;
  getEntry(key: Data, options?: ReadOptions): Promise<EntryRecord | undefined>;
  getMany(keys: readonly Data[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]>;
  /**
   * The versions of a key, newest first, as far back as the store has kept all of them; the last one told is, unless
   * the key came into being with it or `limit` ends the list, what the key was at the oldest sequence to be read at.
   */
  history(key: Data, options?: HistoryOptions): Promise<KeyVersion[]>;
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
   * Runs a function whose reads and writes are as if nothing else were done meanwhile: serializable. Its writes are
   * one batch. Where something that it read was written before it could commit, it starts again, from the beginning,
   * so it may run several times; what it throws ends it, and nothing is written. Resolves to what it returns.
   *
   * Fails with `CONFLICT` where others were faster each time, and with `BATCH_TOO_LARGE` where it reads or writes more
   * than a transaction can. What it read may also have changed because an entry expired: of keys that is a conflict,
   * of what a scan found it is not.
   */
  transaction<Result>(
    body: (transaction: Transaction) => Promise<Result> | Result,
    options?: TransactionOptions,
  ): Promise<Result>;
  /**
   * Tells of commits as they become visible, and of those before, as far back as the log is kept. One that was answered
   * as `interval` or `none` may be told and then be lost with power, as it is lost to reads.
   */
  watch(options?: WatchOptions): Watch;
  /** The store as it is at the call: every write that was answered before is in it. */
  snapshot(): Promise<Snapshot>;
}

/**
 * A named part of a store: keys of one are not seen in another, nor in the store itself, which is one as well, without
 * a name. It is of use for as long as its store is open. Once it was dropped, calls fail with `NO_SUCH_KEYSPACE`, also
 * where another of the same name was created since.
 */
export interface Keyspace extends KeyedStore {
  readonly name: string;
}

export interface Store extends KeyedStore, AsyncDisposable {
  /**
   * Opens a keyspace, or creates it, which is durable when this resolves. The name has 1 to 255 bytes. Batches and
   * transactions reach across keyspaces: see `InKeyspace` and `Transaction.keyspace`.
   */
  keyspace(name: string, options?: KeyspaceOptions): Promise<Keyspace>;
  /** All of them, by name. */
  keyspaces(): Promise<KeyspaceInfo[]>;
  /**
   * Drops a keyspace with all that is in it, at once and durably; its space comes back by itself. False where there is
   * none. Scans of it that were begun go on; snapshots cannot read it any more.
   */
  dropKeyspace(name: string): Promise<boolean>;
  /** Fails with `NO_SUCH_KEYSPACE` where there is none. */
  alterKeyspace(name: string, changes: KeyspaceChanges): Promise<void>;
  close(): Promise<void>;
}
