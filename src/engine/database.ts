/**
 * `Database`: the embedded engine. This file is the map of it: what each call does, in the order it is
 * done, with the work itself in the files beside.
 */

import { VarveError } from "../errors.ts";
import { DiskFileSystem } from "../fs/disk-file-system.ts";
import type { FileSystem } from "../fs/file-system.ts";
import type { Settings } from "../options.ts";
import {
  type Data,
  KeyMapping,
  type KeyspaceChanges,
  type KeyspaceInfo,
  type KeyspaceOptions,
  type Store,
} from "../store.ts";
import type { Engine } from "./engine.ts";
import { EngineKeyspace, EngineStore, writableOf } from "./engine-store.ts";
import type { KeyspaceAdmin } from "./keyspace-admin.ts";
import { layoutOf, type TreeLayout } from "./layout.ts";
import { openEngine } from "./open-engine.ts";
import type { OpenOptions } from "./open-options.ts";
import { type RepairReport, repairDirectory } from "./repair.ts";
import { type DatabaseStats, statsOf } from "./stats.ts";
import { checkRange } from "./validate.ts";
import {
  type TablesReport,
  type VerifyProgress,
  type VerifyReport,
  verifyDirectory,
  verifyTables,
} from "./verify.ts";

const VERIFY_RETRY_MS = 1000;

export class Database extends EngineStore implements Store {
  readonly #engine: Engine;
  readonly #keys: KeyMapping;
  readonly #keyspaces: KeyspaceAdmin;
  #stored: Database | undefined;
  #verifying: VerifyProgress | undefined;

  private constructor(engine: Engine, keys: KeyMapping) {
    super(engine, keys);
    this.#engine = engine;
    this.#keys = keys;
    this.#keyspaces = engine.keyspaceAdmin;
  }

  /**
   * Opens the database in `directory`, or makes one where there is none. One process at a time owns it.
   *
   * Throws `LOCKED` where another owns it, `NOT_A_DATABASE` for a directory with other files in it,
   * `UNSUPPORTED_FORMAT` for files of a newer version, `CORRUPTION` for damage, with file and offset, and
   * `INVALID_ARGUMENT` for an unknown or wrong option.
   */
  static async open(directory: string, options: OpenOptions = {}): Promise<Database> {
    return new Database(await openEngine(directory, options), KeyMapping.DEFAULT);
  }

  /** What keys, values and batches may have at most. */
  get limits(): Pick<
    Settings,
    "keyBytesMax" | "valueBytesMax" | "batchBytesMax" | "batchOperationsMax"
  > {
    const { keyBytesMax, valueBytesMax, batchBytesMax, batchOperationsMax } = this.#engine.settings;
    return { keyBytesMax, valueBytesMax, batchBytesMax, batchOperationsMax };
  }

  /** The same database by its stored keys, all keyspaces of it (`protocol/keyspace-keys.ts`): what a server serves. */
  get stored(): Database {
    this.#stored ??= new Database(this.#engine, KeyMapping.STORED);
    return this.#stored;
  }

  async keyspace(name: string, options?: KeyspaceOptions): Promise<EngineKeyspace> {
    const { id } = await this.openKeyspace(name, options);
    return new EngineKeyspace(this.#engine, name, KeyMapping.of(id));
  }

  /** What there is to know of a keyspace, opened or created as by `keyspace`. */
  async openKeyspace(
    name: string,
    options?: KeyspaceOptions,
  ): Promise<Omit<KeyspaceInfo, "bytes">> {
    this.#open();
    return this.#keyspaces.open(name, options);
  }

  async keyspaces(): Promise<KeyspaceInfo[]> {
    this.#open();
    return this.#keyspaces.list();
  }

  async dropKeyspace(name: string): Promise<boolean> {
    this.#open();
    return this.#keyspaces.drop(name);
  }

  async alterKeyspace(name: string, changes: KeyspaceChanges): Promise<void> {
    this.#open();
    return this.#keyspaces.alter(name, changes);
  }

  /** Writes all memtables to tables; resolves when they are on the disk. */
  async flush(): Promise<void> {
    const { commits, maintenance } = this.#open();
    writableOf(this.#engine);
    await commits.rotate();
    await maintenance.flushed();
  }

  /** Flushes, then compacts the keys from `gte` to `lte` (all, of all keyspaces, without bounds) down to the last level. */
  async compact(range: { readonly gte?: Data; readonly lte?: Data } = {}): Promise<void> {
    const { gte, lte } = range;
    const stored = {
      ...(gte === undefined ? {} : { gte: this.#keys.toStored(gte) }),
      ...(lte === undefined ? {} : { lte: this.#keys.toStored(lte) }),
    };
    const checked = checkRange(stored, this.#engine.limits);
    await this.flush();
    await this.#engine.maintenance.compact(checked);
  }

  /** Reads every table and tells all that is wrong in them, while reads and writes go on. One at a time. */
  async verify(onProgress?: (progress: VerifyProgress) => void): Promise<TablesReport> {
    const { fs, directory, tree } = this.#open();
    if (this.#verifying !== undefined) {
      throw new VarveError("OVERLOADED", "the database is being verified already", {
        retryAfterMs: VERIFY_RETRY_MS,
      });
    }
    this.#verifying = { doneBytes: 0, totalBytes: 0 };
    const view = tree.views.pin();
    try {
      return await verifyTables(fs, directory, view.version, (progress) => {
        this.#verifying = progress;
        onProgress?.(progress);
      });
    } finally {
      this.#verifying = undefined;
      tree.views.unpin(view);
    }
  }

  /** Verifies the database in a directory that nobody has open: manifest, tables and log. */
  static verify(
    directory: string,
    onProgress?: (progress: VerifyProgress) => void,
    fs: FileSystem = new DiskFileSystem(),
  ): Promise<VerifyReport> {
    return verifyDirectory(fs, directory, onProgress);
  }

  /**
   * Makes a damaged database, which nobody has open, one that opens: keeps all that is sound, moves the rest
   * to `lost/`, and tells what was lost.
   */
  static repair(directory: string, fs: FileSystem = new DiskFileSystem()): Promise<RepairReport> {
    return repairDirectory(fs, directory);
  }

  stats(): DatabaseStats {
    return statsOf(this.#open(), this.#verifying);
  }

  /** The tree as it lies there at this moment, with what the background does to it. */
  layout(): TreeLayout {
    return layoutOf(this.#open());
  }

  /** Waits for the writes in flight, syncs and gives the directory back. Closing twice is fine. */
  close(): Promise<void> {
    return this.#engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(): Engine {
    if (this.#engine.isClosing) throw new VarveError("CLOSED", "the database is closed");
    return this.#engine;
  }
}
