/**
 * The database as it was at one moment. Compaction keeps what an open snapshot sees, so an old one costs
 * disk space: close it when done.
 */
import { VarveError } from "../errors.ts";
import type { Data, EntryRecord, ScanOptions, Snapshot } from "../store.ts";
import type { EngineScan } from "./scan.ts";

/** Reading at the snapshot's sequence, as the database does it. */
export interface SnapshotReads {
  get(key: Data, sequence: number): Promise<Uint8Array | undefined>;
  getEntry(key: Data, sequence: number): Promise<EntryRecord | undefined>;
  getMany(keys: readonly Data[], sequence: number): Promise<(Uint8Array | undefined)[]>;
  scan(options: ScanOptions | undefined, sequence: number): EngineScan;
}

export class EngineSnapshot implements Snapshot {
  /** The newest sequence that the snapshot sees. */
  readonly sequence: number;
  readonly #reads: SnapshotReads;
  readonly #release: () => void;
  #closed = false;

  constructor(sequence: number, reads: SnapshotReads, release: () => void) {
    this.sequence = sequence;
    this.#reads = reads;
    this.#release = release;
  }

  async get(key: Data): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    return this.#reads.get(key, this.sequence);
  }

  async getEntry(key: Data): Promise<EntryRecord | undefined> {
    this.#assertOpen();
    return this.#reads.getEntry(key, this.sequence);
  }

  async getMany(keys: readonly Data[]): Promise<(Uint8Array | undefined)[]> {
    this.#assertOpen();
    return this.#reads.getMany(keys, this.sequence);
  }

  scan(options?: ScanOptions): EngineScan {
    this.#assertOpen();
    if (options?.at !== undefined) {
      throw new VarveError(
        "INVALID_ARGUMENT",
        "a snapshot is read as of its own sequence, not at another",
      );
    }
    return this.#reads.scan(options, this.sequence);
  }

  /** Scans that were begun go on. Closing twice is fine. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new VarveError("CLOSED", "the snapshot is closed");
  }
}
