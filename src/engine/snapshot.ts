/**
 * The database as it was at one moment. Compaction keeps what an open snapshot sees, so an old one costs
 * disk space: close it when done.
 */
import { VarveError } from "../errors.ts";
import type {
  CountOptions,
  Data,
  EntryRecord,
  Keyspace,
  NOT_CACHED,
  Page,
  PageOptions,
  PageReader,
  ReadOptions,
  ScanOptions,
  Snapshot,
} from "../store.ts";
import type { EngineScan } from "./scan.ts";

/** Reading at the snapshot's sequence, as the database does it. */
export interface SnapshotReads {
  get(key: Data): Promise<Uint8Array | undefined>;
  getEntry(key: Data): Promise<EntryRecord | undefined>;
  getEntryCached(key: Data): EntryRecord | undefined | typeof NOT_CACHED;
  getMany(keys: readonly Data[]): Promise<(Uint8Array | undefined)[]>;
  scan(options: ScanOptions | undefined): EngineScan;
  page(options: PageOptions | undefined): Promise<Page>;
  count(options: CountOptions | undefined): Promise<number>;
}

export interface SnapshotParts {
  /** The newest sequence that the snapshot sees. */
  readonly sequence: number;
  readonly reads: SnapshotReads;
  /** Throws for what is no keyspace of this database. */
  readonly readsOf: (keyspace: Keyspace) => SnapshotReads;
  /** Called once. */
  readonly release: () => void;
}

export class EngineSnapshot implements Snapshot {
  /** The newest sequence that the snapshot sees. */
  readonly sequence: number;
  readonly #parts: SnapshotParts;
  readonly #state: { isClosed: boolean };

  /** `state` is that of the snapshot of which this shows another keyspace. */
  constructor(parts: SnapshotParts, state = { isClosed: false }) {
    this.sequence = parts.sequence;
    this.#parts = parts;
    this.#state = state;
  }

  async get(key: Data): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    return this.#parts.reads.get(key);
  }

  async getEntry(key: Data): Promise<EntryRecord | undefined> {
    this.#assertOpen();
    return this.#parts.reads.getEntry(key);
  }

  /** As `getEntry` from memory alone, without a promise. */
  getEntryCached(key: Data): EntryRecord | undefined | typeof NOT_CACHED {
    this.#assertOpen();
    return this.#parts.reads.getEntryCached(key);
  }

  async getMany(keys: readonly Data[]): Promise<(Uint8Array | undefined)[]> {
    this.#assertOpen();
    return this.#parts.reads.getMany(keys);
  }

  scan(options?: ScanOptions): EngineScan {
    this.#assertOpen();
    assertNoAt(options);
    return this.#parts.reads.scan(options);
  }

  async page(options?: PageOptions): Promise<Page> {
    this.#assertOpen();
    assertNoAt(options);
    return this.#parts.reads.page(options);
  }

  async count(options?: CountOptions): Promise<number> {
    this.#assertOpen();
    assertNoAt(options);
    return this.#parts.reads.count(options);
  }

  keyspace(keyspace: Keyspace): PageReader {
    this.#assertOpen();
    const reads = this.#parts.readsOf(keyspace);
    return new EngineSnapshot({ ...this.#parts, reads }, this.#state);
  }

  /** Scans that were begun go on. Closing twice is fine. */
  async close(): Promise<void> {
    if (this.#state.isClosed) return;
    this.#state.isClosed = true;
    this.#parts.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #assertOpen(): void {
    if (this.#state.isClosed) throw new VarveError("CLOSED", "the snapshot is closed");
  }
}

function assertNoAt(options: ReadOptions | undefined): void {
  if (options?.at === undefined) return;
  const message = "a snapshot is read as of its own sequence, not at another";
  throw new VarveError("INVALID_ARGUMENT", message);
}
