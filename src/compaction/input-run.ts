/** A sorted run of a compaction's inputs, opened table by table and read in sequence with blocking calls. */
import { join } from "node:path";
import { compareBytes } from "../bytes/compare.ts";
import type { TableRun } from "../cursor/run-cursor.ts";
import type { EntryCursor } from "../entry-cursor.ts";
import { VarveError } from "../errors.ts";
import type { SyncFile, SyncFileSystem } from "../fs/file-system.ts";
import { tableName } from "../fs/names.ts";
import { SequentialBlockSource } from "../table/block-source.ts";
import { parseTable } from "../table/table.ts";
import { TableCursor } from "../table/table-cursor.ts";
import type { TableMeta } from "../table/table-meta.ts";

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
    const { number, fileBytes, tailBytes } = this.#table(i);
    const path = join(this.#directory, tableName(number));
    const file = this.#fs.open(path, "read");
    this.#file = file;
    const tail = Buffer.allocUnsafeSlow(tailBytes);
    const got = file.read(tail, fileBytes - tailBytes);
    if (got !== tailBytes) {
      throw new VarveError(
        "CORRUPTION",
        `${path} at ${fileBytes - tailBytes + got}: the file ends early`,
      );
    }
    this.#bytesRead += tailBytes;
    const table = parseTable(tail, { path, number, fileBytes });
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
