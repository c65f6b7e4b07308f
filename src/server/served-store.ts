/** What the server serves: the common `Store`, and what an administrator asks for. */
import type {
  Entry,
  KeyspaceInfo,
  KeyspaceOptions,
  NOT_CACHED,
  PageReader,
  ScanOptions,
  SeekableScan,
  Snapshot,
  Store,
} from "../store.ts";

export interface ServedScan extends SeekableScan {
  /** Ends early once keys and values together reach `bytesMax`. */
  nextMany(count: number, bytesMax?: number): Promise<Entry[]>;
}

export interface ServedReader extends PageReader {
  scan(options?: ScanOptions): ServedScan;
}

export interface ServedSnapshot extends Snapshot, ServedReader {
  scan(options?: ScanOptions): ServedScan;
}

/**
 * Keys are stored keys (`protocol/keyspace-keys.ts`), as they travel. Writes take what they need of keys, values, operands and conditions before they return their promise: the
 * server hands them views of a socket's chunk.
 */
export interface ServedStore extends Omit<Store, "keyspace"> {
  /** The answer from memory, without a promise, or `NOT_CACHED` where the disk would have to be asked. */
  getCached(key: Uint8Array): Uint8Array | undefined | typeof NOT_CACHED;
  scan(options?: ScanOptions): ServedScan;
  snapshot(): Promise<ServedSnapshot>;
  openKeyspace(name: string, options?: KeyspaceOptions): Promise<Omit<KeyspaceInfo, "bytes">>;
  /** Plain numbers and strings. */
  stats(): object;
  flush(): Promise<void>;
  verify(): Promise<object>;
  compact(range?: { gte?: Uint8Array; lte?: Uint8Array }): Promise<void>;
}
