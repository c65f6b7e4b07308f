/** Tables on the disk in memory: written from model entries, opened again, their blocks served by seed. */
import { join } from "node:path";
import { tableName } from "../../src/fs/names.ts";
import { trailerHigh, trailerLow } from "../../src/key.ts";
import { type BlockSource, SequentialBlockSource } from "../../src/table/block-source.ts";
import { parseTable, type Table } from "../../src/table/table.ts";
import type { TableMeta } from "../../src/table/table-meta.ts";
import { TableWriter, type TableWriterOptions } from "../../src/table/table-writer.ts";
import type { MemoryFileSystem } from "./memory-file-system.ts";
import type { ModelEntry } from "./model-entries.ts";
import { Random } from "./random.ts";

export const TABLE_DIRECTORY = "/";

export const TABLE_OPTIONS: TableWriterOptions = {
  number: 7,
  blockBytes: 128,
  codec: "none",
  filterErrorRate: 0.01,
  createdAtMs: 1_767_225_600_000,
};

export function pathOfTable(number: number): string {
  return join(TABLE_DIRECTORY, tableName(number));
}

/** Writes entries, which are in internal-key order, as one table. */
export function writeTable(
  fs: MemoryFileSystem,
  sorted: readonly ModelEntry[],
  options: Partial<TableWriterOptions> = {},
): TableMeta {
  const settings = { ...TABLE_OPTIONS, ...options };
  const file = fs.sync.open(pathOfTable(settings.number), "create");
  const writer = new TableWriter(file, settings);
  for (const { key, sequence, kind, timeMs, value } of sorted) {
    const low = trailerLow(sequence, kind);
    const high = trailerHigh(sequence);
    writer.add(key, 0, key.length, low, high, timeMs, value, 0, value.length);
  }
  return writer.finish();
}

export function openTable(fs: MemoryFileSystem, meta: TableMeta): Table {
  const path = pathOfTable(meta.number);
  const file = fs.sync.open(path, "read");
  const tail = new Uint8Array(meta.tailBytes);
  const got = file.read(tail, meta.fileBytes - meta.tailBytes);
  file.close();
  return parseTable(tail.subarray(0, got), {
    path,
    number: meta.number,
    fileBytes: meta.fileBytes,
  });
}

/** A source that has every block at once, straight from the file. */
export function sourceOf(fs: MemoryFileSystem, table: Table): BlockSource {
  return new SequentialBlockSource(fs.sync.open(table.path, "read"), table.index);
}

/** A source that has a block in memory or has not by seed, and whose loads may fail and be repeated. */
export class FitfulBlockSource implements BlockSource {
  readonly #source: BlockSource;
  readonly #random: Random;
  readonly #missPercent: number;
  readonly #failPercent: number;
  misses = 0;

  constructor(source: BlockSource, seed: number, missPercent: number, failPercent = 0) {
    this.#source = source;
    this.#random = new Random(seed);
    this.#missPercent = missPercent;
    this.#failPercent = failPercent;
  }

  cached(block: number): Uint8Array | undefined {
    if (!this.#random.chance(this.#missPercent)) return this.#source.loadSync(block);
    this.misses++;
    return undefined;
  }

  async load(block: number): Promise<Uint8Array> {
    await null;
    return this.loadSync(block);
  }

  loadSync(block: number): Uint8Array {
    if (this.#random.chance(this.#failPercent)) throw new Error("the disk said no");
    return this.#source.loadSync(block);
  }
}
