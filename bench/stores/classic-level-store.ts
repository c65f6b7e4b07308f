/** LevelDB, by `classic-level`, as a store of the suites. */
import { ClassicLevel } from "classic-level";
import type { Batch, BenchStore, StoreKind, StoreOptions } from "./bench-store.ts";

const MIB = 1024 * 1024;
const SCAN_BATCH = 1000;
/** The default of 16 KiB would end each batch of a scan after 140 entries. */
const SCAN_BYTES = MIB;

/** LevelDB holds up to two write buffers, the one that fills and the one that is written out. */
function optionsOf({ memoryBytes, compression }: StoreOptions) {
  const writeBufferSize = Math.min(32 * MIB, memoryBytes / 8);
  return {
    keyEncoding: "buffer" as const,
    valueEncoding: "buffer" as const,
    compression,
    writeBufferSize,
    cacheSize: memoryBytes - 2 * writeBufferSize,
    blockSize: 4096,
    maxFileSize: 8 * MIB,
    maxOpenFiles: 1000,
  };
}

class ClassicLevelStore implements BenchStore {
  readonly #db: ClassicLevel<Buffer, Buffer>;
  readonly #write: { readonly sync: boolean };

  constructor(db: ClassicLevel<Buffer, Buffer>, synced: boolean) {
    this.#db = db;
    this.#write = { sync: synced };
  }

  put(key: Buffer, value: Buffer): Promise<unknown> {
    return this.#db.put(key, value, this.#write);
  }

  putBatch({ keys, values, count }: Batch): Promise<unknown> {
    const operations = [];
    for (let i = 0; i < count; i++) {
      operations.push({ type: "put" as const, key: keys[i] as Buffer, value: values[i] as Buffer });
    }
    return this.#db.batch(operations, this.#write);
  }

  deleteBatch(keys: readonly Buffer[]): Promise<unknown> {
    return this.#db.batch(
      keys.map((key) => ({ type: "del" as const, key })),
      this.#write,
    );
  }

  getSync(key: Buffer): Uint8Array | undefined {
    return this.#db.getSync(key);
  }

  get(key: Buffer): Promise<Uint8Array | undefined> {
    return this.#db.get(key);
  }

  async readAll(reverse: boolean): Promise<number> {
    const iterator = this.#db.iterator({ reverse, highWaterMarkBytes: SCAN_BYTES });
    let seen = 0;
    for (;;) {
      const entries = await iterator.nextv(SCAN_BATCH);
      if (entries.length === 0) break;
      seen += entries.length;
    }
    await iterator.close();
    return seen;
  }

  async readAllSingly(): Promise<number> {
    let seen = 0;
    for await (const [key] of this.#db.iterator()) seen += key.length > 0 ? 1 : 0;
    return seen;
  }

  async seek(key: Buffer, count: number): Promise<number> {
    const iterator = this.#db.iterator({
      gte: key,
      limit: count,
      highWaterMarkBytes: SCAN_BYTES,
    });
    let seen = 0;
    while (seen < count) {
      const entries = await iterator.nextv(count - seen);
      if (entries.length === 0) break;
      seen += entries.length;
    }
    await iterator.close();
    return seen;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

export const classicLevel: StoreKind = {
  name: "classic-level",
  options: (options) => ({ ...optionsOf(options), sync: options.synced }),
  async open(directory, options) {
    const db = new ClassicLevel<Buffer, Buffer>(directory, optionsOf(options));
    await db.open();
    return new ClassicLevelStore(db, options.synced);
  },
};
