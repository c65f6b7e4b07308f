/**
 * The tables that are open, opened when first read and closed again by CLOCK when there are too many of
 * them, when their indexes and filters outgrow their share of the memory, or when the process is out of
 * files. Opening reads the tail of
 * the file once; two readers that need the same table share that read.
 */
import { join } from "node:path";
import { VarveError } from "../errors.ts";
import type { File, FileSystem } from "../fs/file-system.ts";
import { isOutOfFiles, systemCodeOf } from "../fs/io-failure.ts";
import { tableName } from "../fs/names.ts";
import { parseTable, type Table } from "../table/table.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { BlockCache } from "./block-cache.ts";
import { OpenTable } from "./open-table.ts";

/**
 * Of what tables and blocks share, what tables may take. A block that is missing costs one read of a block, a table
 * that is missing one of its whole tail; so blocks give way, but for what a scan needs.
 */
const TABLES_SHARE = 7 / 8;

export class TableCache {
  readonly blocks: BlockCache;
  /** Indexes and filters of the open tables. */
  memoryBytes = 0;
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #openLimit: number;
  /** At most `#openLimit`; less for a while after the process was out of files. */
  #openMax: number;
  /** Indexes, filters and blocks together. */
  #cacheBytes: number;
  readonly #tables = new Map<number, OpenTable>();
  readonly #opening = new Map<number, { waiters: number; readonly table: Promise<OpenTable> }>();

  constructor(options: {
    fs: FileSystem;
    directory: string;
    openMax: number;
    cacheBytes: number;
    blocks: BlockCache;
  }) {
    this.#fs = options.fs;
    this.#directory = options.directory;
    this.#openLimit = options.openMax;
    this.#openMax = options.openMax;
    this.#cacheBytes = options.cacheBytes;
    this.blocks = options.blocks;
    this.#balance();
  }

  get openTables(): number {
    return this.#tables.size;
  }

  /** The table if it is open. */
  get(number: number): OpenTable | undefined {
    const table = this.#tables.get(number);
    if (table !== undefined) table.used = true;
    return table;
  }

  /** Changes what indexes, filters and blocks may use together, as memtables grow and shrink. */
  resize(cacheBytes: number): void {
    this.#cacheBytes = cacheBytes;
    this.#balance();
  }

  /**
   * The table, opened if it is not, and held: the caller releases it. Whoever waits for one opening gets a
   * hold of its own before anything else runs, so that the table cannot be closed in between.
   */
  acquire(meta: TableMeta): Promise<OpenTable> {
    const open = this.get(meta.number);
    if (open !== undefined) {
      open.hold();
      return Promise.resolve(open);
    }
    const opening = this.#opening.get(meta.number);
    if (opening !== undefined) {
      opening.waiters++;
      return opening.table;
    }
    const started = { waiters: 1, table: this.#open(meta) };
    this.#opening.set(meta.number, started);
    return started.table;
  }

  /** Blocking twin of `acquire`. */
  acquireSync(meta: TableMeta): OpenTable {
    const open = this.get(meta.number);
    if (open === undefined) return this.#openSync(meta);
    open.hold();
    return open;
  }

  /** Closes a table that no version names any more, or that is to be read anew. */
  remove(number: number): void {
    const table = this.#tables.get(number);
    if (table === undefined) return;
    this.#tables.delete(number);
    this.memoryBytes -= table.table.memoryBytes;
    table.drop();
    this.#balance();
  }

  /** Closes half of the tables, because the process is out of files; false where there is nothing to close. */
  shrink(): boolean {
    const before = this.#tables.size;
    this.#openMax = Math.max(1, before >>> 1);
    this.#balance();
    return this.#tables.size < before;
  }

  /** Waits for tables that are being opened and closes all. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#opening.values()].map((opening) => opening.table));
    for (const number of [...this.#tables.keys()]) this.remove(number);
  }

  async #open(meta: TableMeta): Promise<OpenTable> {
    try {
      const table = await this.#read(meta);
      for (let i = this.#opening.get(meta.number)?.waiters ?? 0; i > 1; i--) table.hold();
      return table;
    } finally {
      this.#opening.delete(meta.number);
    }
  }

  /** Reads the tail; the table comes held, once. */
  async #read(meta: TableMeta): Promise<OpenTable> {
    const file = await this.#openFile(this.#path(meta));
    try {
      const tail = Buffer.allocUnsafeSlow(meta.tailBytes);
      const got = await file.read(tail, meta.fileBytes - meta.tailBytes);
      // A blocking read may have been faster.
      const open = this.get(meta.number);
      if (open === undefined) return this.#add(meta, file, tail.subarray(0, got));
      open.hold();
      await file.close();
      return open;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #openSync(meta: TableMeta): OpenTable {
    const file = this.#openFileSync(this.#path(meta));
    try {
      const tail = Buffer.allocUnsafeSlow(meta.tailBytes);
      const got = file.readSync(tail, meta.fileBytes - meta.tailBytes);
      return this.#add(meta, file, tail.subarray(0, got));
    } catch (error) {
      file.closeSync();
      throw error;
    }
  }

  async #openFile(path: string): Promise<File> {
    for (;;) {
      try {
        return await this.#fs.open(path, "read");
      } catch (error) {
        if (!isOutOfFiles(error) || !this.shrink()) throw missingOr(error, path);
      }
    }
  }

  #openFileSync(path: string): File {
    for (;;) {
      try {
        return this.#fs.openSync(path, "read");
      } catch (error) {
        if (!isOutOfFiles(error) || !this.shrink()) throw missingOr(error, path);
      }
    }
  }

  #parse(meta: TableMeta, file: File, tail: Uint8Array): Table {
    const { number, fileBytes, tailBytes } = meta;
    try {
      if (tail.length === tailBytes)
        return parseTable(tail, { path: file.path, number, fileBytes });
      const message = `${file.path} ends before offset ${fileBytes}, where the manifest says it does`;
      throw new VarveError("CORRUPTION", message);
    } catch (error) {
      this.blocks.damaged++;
      throw error;
    }
  }

  #add(meta: TableMeta, file: File, tail: Uint8Array): OpenTable {
    const table = this.#parse(meta, file, tail);
    const open = new OpenTable(table, file, this.blocks);
    if (this.#openMax < this.#openLimit) this.#openMax++;
    this.#tables.set(meta.number, open);
    this.memoryBytes += table.memoryBytes;
    // Held first: the table may be the one that has to go, when it alone is too large.
    open.hold();
    this.#balance();
    return open;
  }

  #path(meta: TableMeta): string {
    return join(this.#directory, tableName(meta.number));
  }

  /** Closes tables that are too many or too large together, then gives blocks what is left. */
  #balance(): void {
    const bytesMax = this.#cacheBytes * TABLES_SHARE;
    // A Map keeps insertion order: the oldest come first, and a table spared is moved to the end.
    for (const [number, table] of this.#tables) {
      if (this.#tables.size <= 1) break;
      if (this.#tables.size <= this.#openMax && this.memoryBytes <= bytesMax) break;
      this.#tables.delete(number);
      if (table.used) {
        table.used = false;
        this.#tables.set(number, table);
      } else {
        this.memoryBytes -= table.table.memoryBytes;
        table.drop();
      }
    }
    this.blocks.resize(Math.max(0, this.#cacheBytes - this.memoryBytes));
  }
}

/** A table that the version names and that is gone is damage; any other failure stays what it is. */
function missingOr(error: unknown, path: string): unknown {
  if (systemCodeOf(error) !== "ENOENT") return error;
  return new VarveError("CORRUPTION", `${path} at 0: the file is missing`, { cause: error });
}
