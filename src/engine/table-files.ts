/** Removes files that nothing needs any more: tables after an edit at run time, and left-overs at open. */
import { join } from "node:path";
import type { FileSystem } from "../fs/file-system.ts";
import { parseFileName, tableName } from "../fs/names.ts";
import type { TableMeta } from "../table/table-meta.ts";
import { CURRENT_TEMPORARY_NAME } from "../version/manifest.ts";
import type { Logger } from "./open-options.ts";

export class TableFiles {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #removing = new Set<Promise<void>>();

  constructor(fs: FileSystem, directory: string, logger: Logger) {
    this.#fs = fs;
    this.#directory = directory;
    this.#logger = logger;
  }

  /** Removes tables that no version names; a failure is logged, and made good at the next open. */
  remove(tables: readonly TableMeta[]): void {
    for (const { number } of tables) {
      const path = join(this.#directory, tableName(number));
      const removing = this.#fs.remove(path).catch((error: unknown) => {
        this.#logger.warn({ err: error, path }, "a table could not be removed");
      });
      this.#removing.add(removing);
      removing.finally(() => this.#removing.delete(removing));
    }
  }

  /** Puts the names of tables that were written on the disk. */
  syncNames(): Promise<void> {
    return this.#fs.syncDirectory(this.#directory);
  }

  /**
   * Removes what an earlier run left behind: outputs of work that was cut short, manifests that were
   * replaced, log segments that were made ready and not used. `names` is what was there before this run made
   * any file; `live` are the numbers of the tables and segments among them that are needed.
   */
  async removeLeftOvers(names: readonly string[], live: ReadonlySet<number>): Promise<void> {
    for (const name of names) {
      const file = parseFileName(name);
      const isLeftOver = file !== undefined && !live.has(file.number);
      if (!isLeftOver && name !== CURRENT_TEMPORARY_NAME) continue;
      const path = join(this.#directory, name);
      if (await this.#fs.exists(path)) await this.#fs.remove(path);
    }
  }

  /** Resolves when no removal is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#removing);
  }
}
