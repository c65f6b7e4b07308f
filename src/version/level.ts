/**
 * The tables of one level below 0: in key order, without overlap of user keys. Edits go to a `sorted-btree`
 * keyed by largest key, whose clone shares everything that the edit leaves alone; reads go to a flat array
 * made of it on first use, which a binary search walks faster than the tree's nodes.
 */
import { compareBytes } from "../bytes/compare.ts";
import { VarveError } from "../errors.ts";
import type { TableMeta } from "../table/table-meta.ts";
import { BTree } from "./b-tree.ts";

export class Level {
  static readonly EMPTY = new Level(new BTree<Uint8Array, TableMeta>(undefined, compareBytes));

  readonly #tree: BTree<Uint8Array, TableMeta>;
  #files: readonly TableMeta[] | undefined;

  private constructor(tree: BTree<Uint8Array, TableMeta>) {
    this.#tree = tree;
  }

  /** In key order. */
  get files(): readonly TableMeta[] {
    this.#files ??= this.#tree.valuesArray();
    return this.#files;
  }

  /** The table whose range covers the key, if there is one. */
  tableFor(key: Uint8Array): TableMeta | undefined {
    const table = this.files[this.find(key)];
    return table !== undefined && compareBytes(table.smallest, key) <= 0 ? table : undefined;
  }

  /** The index of the first table whose largest key is at or after `key`; `files.length` if none is. */
  find(key: Uint8Array): number {
    const files = this.files;
    let low = 0;
    let high = files.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(files[middle]!.largest, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Tables with a key from `smallest` to `largest`, both included; no bound where one is not given. */
  overlapping(smallest: Uint8Array | undefined, largest: Uint8Array | undefined): TableMeta[] {
    const found: TableMeta[] = [];
    const { files } = this;
    for (let i = smallest === undefined ? 0 : this.find(smallest); i < files.length; i++) {
      const table = files[i]!;
      if (largest !== undefined && compareBytes(table.smallest, largest) > 0) break;
      found.push(table);
    }
    return found;
  }

  /** A level with these changes; `CORRUPTION` where they do not fit what is here. */
  with(added: readonly TableMeta[], removed: readonly number[]): Level {
    const tree = this.#tree.clone();
    if (removed.length > 0) {
      const byNumber = new Map(this.files.map((table) => [table.number, table]));
      for (const number of removed) {
        const table = byNumber.get(number);
        if (table === undefined || !tree.delete(table.largest)) {
          throw new VarveError("CORRUPTION", `an edit removes table ${number}, which is not there`);
        }
      }
    }
    for (const table of added) {
      const next = tree.getPairOrNextHigher(table.smallest)?.[1];
      if (next !== undefined && compareBytes(next.smallest, table.largest) <= 0) {
        const message = `an edit adds table ${table.number}, which overlaps table ${next.number}`;
        throw new VarveError("CORRUPTION", message);
      }
      tree.set(table.largest, table);
    }
    return new Level(tree);
  }
}
