/** Varve as a store of the suites. */
import { Database } from "../../src/engine/database.ts";
import { DEFAULT_SETTINGS } from "../../src/options.ts";
import type { Operation } from "../../src/store.ts";
import type { Batch, BenchStore, StoreKind, StoreOptions } from "./bench-store.ts";

const SCAN_BATCH = 1000;

function optionsOf({ memoryBytes, compression, synced }: StoreOptions) {
  return {
    memoryBudget: memoryBytes,
    codecs: compression ? DEFAULT_SETTINGS.codecs : (["none"] as const),
    durability: synced ? ("always" as const) : ("none" as const),
  };
}

class VarveStore implements BenchStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  put(key: Buffer, value: Buffer): Promise<unknown> {
    return this.#db.put(key, value);
  }

  putBatch({ keys, values, count }: Batch): Promise<unknown> {
    const operations: Operation[] = [];
    for (let i = 0; i < count; i++) {
      operations.push({ type: "put", key: keys[i] as Buffer, value: values[i] as Buffer });
    }
    return this.#db.batch(operations);
  }

  deleteBatch(keys: readonly Buffer[]): Promise<unknown> {
    return this.#db.batch(keys.map((key) => ({ type: "delete" as const, key })));
  }

  getSync(key: Buffer): Uint8Array | undefined {
    return this.#db.getSync(key);
  }

  get(key: Buffer): Promise<Uint8Array | undefined> {
    return this.#db.get(key);
  }

  async readAll(reverse: boolean): Promise<number> {
    const scan = this.#db.scan({ reverse });
    let seen = 0;
    for (;;) {
      const entries = await scan.nextMany(SCAN_BATCH);
      if (entries.length === 0) return seen;
      seen += entries.length;
    }
  }

  async readAllSingly(): Promise<number> {
    let seen = 0;
    for await (const [key] of this.#db.scan()) seen += key.length > 0 ? 1 : 0;
    return seen;
  }

  async seek(key: Buffer, count: number): Promise<number> {
    return (await this.#db.scan({ gte: key, limit: count }).nextMany(count)).length;
  }

  bytesWritten(): number {
    const { log, flush, compaction } = this.#db.stats().bytesWritten;
    return log + flush + compaction;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

export const varve: StoreKind = {
  name: "varve",
  options: optionsOf,
  async open(directory, options) {
    return new VarveStore(await Database.open(directory, optionsOf(options)));
  },
};
