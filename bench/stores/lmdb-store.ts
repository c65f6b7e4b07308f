/** LMDB, by `lmdb`, as a store of the suites. Its cache is the operating system's, so it has no budget. */
import { open, type RootDatabase } from "lmdb";
import type { Batch, BenchStore, StoreKind, StoreOptions } from "./bench-store.ts";

/** Without `overlappingSync` a write is answered when it is on the disk, with it when it is visible. */
function optionsOf({ compression, synced }: StoreOptions) {
  return {
    keyEncoding: "binary" as const,
    encoding: "binary" as const,
    compression,
    noSync: !synced,
    overlappingSync: false,
  };
}

class LmdbStore implements BenchStore {
  readonly #db: RootDatabase<Buffer, Buffer>;

  constructor(db: RootDatabase<Buffer, Buffer>) {
    this.#db = db;
  }

  put(key: Buffer, value: Buffer): Promise<unknown> {
    return this.#db.put(key, value);
  }

  putBatch({ keys, values, count }: Batch): Promise<unknown> {
    return this.#db.batch(() => {
      for (let i = 0; i < count; i++) void this.#db.put(keys[i] as Buffer, values[i] as Buffer);
    });
  }

  deleteBatch(keys: readonly Buffer[]): Promise<unknown> {
    return this.#db.batch(() => {
      for (const key of keys) void this.#db.remove(key);
    });
  }

  getSync(key: Buffer): Uint8Array | undefined {
    return this.#db.getBinary(key);
  }

  get(key: Buffer): Promise<Uint8Array | undefined> {
    return this.#db.getAsync(key) as unknown as Promise<Buffer | undefined>;
  }

  async readAll(reverse: boolean): Promise<number> {
    let seen = 0;
    for (const { key } of this.#db.getRange({ reverse })) seen += key.length > 0 ? 1 : 0;
    return seen;
  }

  readAllSingly(): Promise<number> {
    return this.readAll(false);
  }

  async seek(key: Buffer, count: number): Promise<number> {
    let seen = 0;
    for (const entry of this.#db.getRange({ start: key, limit: count })) {
      seen += entry.key.length > 0 ? 1 : 0;
    }
    return seen;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

export const lmdb: StoreKind = {
  name: "lmdb",
  options: optionsOf,
  async open(directory, options) {
    return new LmdbStore(open<Buffer, Buffer>({ path: directory, ...optionsOf(options) }));
  },
};
