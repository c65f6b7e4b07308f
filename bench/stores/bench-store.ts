/** What the suites ask of an embedded store, Varve's or a peer's, each in the way that suits it best. */
export interface StoreOptions {
  /** Memory for what is written and what is cached together. */
  readonly memoryBytes: number;
  readonly compression: boolean;
  /** Whether writes are answered once they are on the disk, or once the operating system has them. */
  readonly synced: boolean;
}

/** Entries of which the first `count` are meant; the arrays are used again by the caller. */
export interface Batch {
  readonly keys: readonly Buffer[];
  readonly values: readonly Buffer[];
  readonly count: number;
}

export interface BenchStore {
  put(key: Buffer, value: Buffer): Promise<unknown>;
  putBatch(batch: Batch): Promise<unknown>;
  deleteBatch(keys: readonly Buffer[]): Promise<unknown>;
  /** The value, in memory that is the caller's to keep. */
  getSync(key: Buffer): Uint8Array | undefined;
  get(key: Buffer): Promise<Uint8Array | undefined>;
  /** Reads everything with the store's fastest call for that; returns the entries seen. */
  readAll(reverse: boolean): Promise<number>;
  /** Reads everything with an entry a call. */
  readAllSingly(): Promise<number>;
  /** Reads up to `count` entries from the first one at or after `key`; returns how many. */
  seek(key: Buffer, count: number): Promise<number>;
  /** Bytes written to the disk since the open, by log, flushes and compactions; where the store counts them. */
  bytesWritten?(): number;
  close(): Promise<void>;
}

/** A store by name, and every option that it is opened with. */
export interface StoreKind {
  readonly name: string;
  options(options: StoreOptions): Readonly<Record<string, unknown>>;
  open(directory: string, options: StoreOptions): Promise<BenchStore>;
}
