/** A sorted run of a compaction's inputs, opened table by table and read in sequence with blocking calls. */
import { join } from "node:path";
import { compareBytes } from "../bytes/compare.ts";
import type { TableRun } from "../cursor/run-cursor.ts";
import type { EntryCursor } from "../entry-cursor.ts";
import { VarveError } from "../errors.ts";
import type { SyncFile, SyncFileSystem } from "../fs/file-system.ts";
import { tableName } from "../fs/names.ts";
import { RangeTombstones } from "../range-tombstones.ts";
import { SequentialBlockSource } from "../table/block-source.ts";
import { parseTable, type Table } from "../table/table.ts";
import { TableCursor } from "../table/table-cursor.ts";
import type { TableMeta } from "../table/table-meta.ts";

/** Opens a table for its tail alone; the file stays open. */
function openTail(
  fs: SyncFileSystem,
  directory: string,
  { number, fileBytes, tailBytes }: TableMeta,
): { file: SyncFile; table: Table } {
  const path = join(directory, tableName(number));
  const file = fs.open(path, "read");
  try {
    const tail = Buffer.allocUnsafeSlow(tailBytes);
    const got = file.read(tail, fileBytes - tailBytes);
    if (got !== tailBytes) {
      const at = fileBytes - tailBytes + got;
      throw new VarveError("CORRUPTION", `${path} at ${at}: the file ends early`);
    }
    return { file, table: parseTable(tail, { path, number, fileBytes }) };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The ranges that were deleted in a table. */
export function readRanges(
  fs: SyncFileSystem,
  directory: string,
  meta: TableMeta,
): RangeTombstones {
  const { file, table } = openTail(fs, directory, meta);
  file.close();
  return table.ranges ?? new RangeTombstones();
}

export class InputRun implements TableRun {
  readonly #fs: SyncFileSystem;
  readonly #directory: string;
  readonly #tables: readonly TableMeta[];
  #file: SyncFile | undefined;
  #source: SequentialBlockSource | undefined;
  #bytesRead = 0;

  constructor(fs: SyncFileSystem, directory: string, tables: readonly TableMeta[]) {
    this.#fs = fs;
    this.#directory = directory;
    this.#tables = tables;
  }

  get length(): number {
    return this.#tables.length;
  }

  get bytesRead(): number {
    return this.#bytesRead + (this.#source?.bytesRead ?? 0);
  }

  smallest(i: number): Uint8Array {
    return this.#table(i).smallest;
  }

  find(key: Uint8Array): number {
    const found = this.#tables.findIndex((table) => compareBytes(table.largest, key) >= 0);
    return found === -1 ? this.length : found;
  }

  /** One table is open at a time: a run is read from end to end. */
  open(i: number): EntryCursor {
    this.close();
    const meta = this.#table(i);
    const { file, table } = openTail(this.#fs, this.#directory, meta);
    this.#file = file;
    this.#bytesRead += meta.tailBytes;
    this.#source = new SequentialBlockSource(file, table.index);
    return new TableCursor(table, this.#source);
  }

  async load(i: number): Promise<EntryCursor> {
    return this.open(i);
  }

  loadSync(i: number): EntryCursor {
    return this.open(i);
  }

  close(): void {
    this.#bytesRead += this.#source?.bytesRead ?? 0;
    this.#source = undefined;
    this.#file?.close();
    this.#file = undefined;
  }

  #table(i: number): TableMeta {
    const table = this.#tables[i];
    if (table === undefined) throw new RangeError(`the run has no table ${i}`);
    return table;
  }
}
