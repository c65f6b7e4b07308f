/**
 * The tables of one level (or one table of level 0) as a scan runs over them. The table that the scan is
 * in is held, so that its file stays open even if the table cache drops it; a scan of any length holds one
 * table of each level.
 */
import { compareBytes } from "../bytes/compare.ts";
import type { TableRun } from "../cursor/run-cursor.ts";
import { TableCursor } from "../table/table-cursor.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { OpenTable } from "./open-table.ts";
import { ReadAhead } from "./read-ahead.ts";
import type { TableCache } from "./table-cache.ts";

export class HeldRun implements TableRun {
  readonly #metas: readonly TableMeta[];
  readonly #tables: TableCache;
  readonly length: number;
  #held: OpenTable | undefined;

  /** `metas` are in key order and do not overlap; those that begin at `upper` or after it are left out. */
  constructor(metas: readonly TableMeta[], tables: TableCache, upper?: Uint8Array) {
    this.#metas = metas;
    this.#tables = tables;
    this.length = upper === undefined ? metas.length : this.#countBefore(upper);
  }

  smallest(i: number): Uint8Array {
    return this.#meta(i).smallest;
  }

  find(key: Uint8Array): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.#meta(middle).largest, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  open(i: number): TableCursor | undefined {
    const table = this.#tables.get(this.#meta(i).number);
    if (table === undefined) return undefined;
    table.hold();
    return this.#enter(table);
  }

  async load(i: number): Promise<TableCursor> {
    return this.#enter(await this.#tables.acquire(this.#meta(i)));
  }

  loadSync(i: number): TableCursor {
    return this.#enter(this.#tables.acquireSync(this.#meta(i)));
  }

  /** Ends the run; nothing is held afterwards. */
  release(): void {
    this.#held?.release();
    this.#held = undefined;
  }

  /** Takes over the hold on the table, and gives up that on the one before. */
  #enter(table: OpenTable): TableCursor {
    this.#held?.release();
    this.#held = table;
    return new TableCursor(table.table, new ReadAhead(table));
  }

  /** Tables that begin before `upper`. */
  #countBefore(upper: Uint8Array): number {
    let low = 0;
    let high = this.#metas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.#meta(middle).smallest, upper) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #meta(i: number): TableMeta {
    const meta = this.#metas[i];
    if (meta === undefined) throw new RangeError(`the run has no table ${i}`);
    return meta;
  }
}
