/**
 * A run of random operations on `Database` and on a `sorted-btree` model, whose clones stand for snapshots and
 * scans; every answer is compared. The operations depend on the seed alone, not on the options.
 */
import { expect } from "vitest";
import { compareBytes } from "../../src/bytes/compare.ts";
import { toBytes } from "../../src/bytes/data.ts";
import { Database } from "../../src/engine/database.ts";
import type { OpenOptions } from "../../src/engine/open-options.ts";
import type { Snapshot } from "../../src/engine/snapshot.ts";
import type {
  Commit,
  Entry,
  EntryRecord,
  Operation,
  Reader,
  ScanOptions,
} from "../../src/store.ts";
import { BTree } from "../../src/version/b-tree.ts";
import { Random } from "./random.ts";
import { WallClock } from "./wall-clock.ts";

type Model = BTree<Uint8Array, EntryRecord>;

const KEYS = 300;

function randomKey(random: Random): Uint8Array {
  const number = random.below(KEYS);
  // Different lengths, shared prefixes, and bytes on both sides of 0x7f.
  return toBytes(number % 3 === 0 ? `k${number}` : `key:${number % 7}:ÿ${number}`);
}

function randomValue(random: Random): Uint8Array {
  return random.bytes(random.chance(5) ? 3000 : random.below(60));
}

function scanOf(random: Random): ScanOptions {
  return {
    ...(random.chance(30) ? { gte: randomKey(random) } : {}),
    ...(random.chance(20) ? { gt: randomKey(random) } : {}),
    ...(random.chance(30) ? { lt: randomKey(random) } : {}),
    ...(random.chance(20) ? { lte: randomKey(random) } : {}),
    ...(random.chance(20) ? { prefix: `key:${random.below(7)}` } : {}),
    ...(random.chance(30) ? { limit: random.below(20) } : {}),
    reverse: random.chance(50),
  };
}

function within(key: Uint8Array, options: ScanOptions): boolean {
  const { gte, gt, lt, lte, prefix } = options;
  return (
    (gte === undefined || compareBytes(key, toBytes(gte)) >= 0) &&
    (gt === undefined || compareBytes(key, toBytes(gt)) > 0) &&
    (lt === undefined || compareBytes(key, toBytes(lt)) < 0) &&
    (lte === undefined || compareBytes(key, toBytes(lte)) <= 0) &&
    (prefix === undefined ||
      compareBytes(key.subarray(0, toBytes(prefix).length), toBytes(prefix)) === 0)
  );
}

function entriesOf(model: Model): Entry[] {
  return model.toArray().map(([key, { value }]) => [key, value]);
}

function expectedScan(model: Model, options: ScanOptions): Entry[] {
  const entries = entriesOf(model).filter(([key]) => within(key, options));
  if (options.reverse === true) entries.reverse();
  return entries.slice(0, options.limit);
}

async function collect(reader: Reader, options: ScanOptions, random: Random): Promise<Entry[]> {
  if (random.chance(50)) return await Array.fromAsync(reader.scan(options));
  const entries: Entry[] = [];
  await using scan = reader.scan(options);
  for (;;) {
    const some = await scan.nextMany(1 + random.below(7));
    if (some.length === 0) return entries;
    entries.push(...some);
  }
}

export class ModelRun {
  readonly random: Random;
  readonly model: Model = new BTree(undefined, compareBytes);
  readonly snapshots: { snapshot: Snapshot; model: Model }[] = [];
  db: Database;
  /** Levels that held a table at some time. */
  readonly levelsSeen = new Set<number>();
  readonly clock: WallClock;
  readonly #directory: string;
  readonly #options: OpenOptions;

  private constructor(
    seed: number,
    directory: string,
    options: OpenOptions,
    db: Database,
    clock: WallClock,
  ) {
    this.random = new Random(seed);
    this.#directory = directory;
    this.#options = options;
    this.db = db;
    this.clock = clock;
  }

  static async start(seed: number, directory: string, rest: OpenOptions): Promise<ModelRun> {
    const clock = new WallClock();
    const options = { ...rest, clock };
    return new ModelRun(seed, directory, options, await Database.open(directory, options), clock);
  }

  /** So many operations, then a reopen and a comparison of everything. */
  async run(operations: number): Promise<void> {
    for (let i = 0; i < operations; i++) {
      await this.step();
      for (const { level, files } of this.db.stats().levels) {
        if (files > 0) this.levelsSeen.add(level);
      }
    }
    await this.reopen();
    expect(await Array.fromAsync(this.db.scan())).toEqual(entriesOf(this.model));
    await this.db.close();
  }

  async write(): Promise<void> {
    const count = this.random.chance(60) ? 1 : 1 + this.random.below(12);
    const operations: Operation[] = [];
    for (let i = 0; i < count; i++) {
      const key = randomKey(this.random);
      if (this.random.chance(30)) operations.push({ type: "delete", key });
      else operations.push({ type: "put", key, value: randomValue(this.random) });
    }
    const durability = this.random.pick(["always", "interval", "none"] as const);
    const [only] = operations;
    this.clock.advance(this.random.chance(2) ? 2 ** 33 : this.random.below(1000));
    if (count === 1 && only?.type === "put") {
      this.#apply(operations, await this.db.put(only.key, only.value, { durability }));
    } else if (count === 1 && only?.type === "delete") {
      this.#apply(operations, await this.db.delete(only.key, { durability }));
    } else {
      this.#apply(operations, await this.db.batch(operations, { durability }));
    }
  }

  /** Puts a commit into the model; its operations have consecutive sequence numbers up to its version. */
  #apply(operations: readonly Operation[], { version }: Commit): void {
    const now = this.clock.now();
    operations.forEach((operation, i) => {
      const key = toBytes(operation.key);
      if (operation.type === "delete") {
        this.model.delete(key);
        return;
      }
      const before = this.model.get(key);
      this.model.set(key, {
        value: toBytes(operation.value),
        sequence: version - operations.length + 1 + i,
        revision: (before?.revision ?? 0) + 1,
        createdAt: before?.createdAt ?? now,
        updatedAt: now,
      });
    });
  }

  async read(reader: Reader, model: Model): Promise<void> {
    const { random } = this;
    const keys = Array.from({ length: 1 + random.below(5) }, () => randomKey(random));
    expect(await reader.getMany(keys)).toEqual(keys.map((key) => model.get(key)?.value));
    const key = randomKey(random);
    expect(await reader.get(key)).toEqual(model.get(key)?.value);
    for (const one of keys) expect(await reader.getEntry(one)).toEqual(model.get(one));
    const options = scanOf(random);
    expect(await collect(reader, options, random)).toEqual(expectedScan(model, options));
  }

  readSync(): void {
    const key = randomKey(this.random);
    expect(this.db.getSync(key)).toEqual(this.model.get(key)?.value);
  }

  async step(): Promise<void> {
    const { random } = this;
    const dice = random.below(100);
    if (dice < 70) await this.write();
    else if (dice < 84) await this.read(this.db, this.model);
    else if (dice < 87) this.readSync();
    else if (dice < 90)
      this.snapshots.push({ snapshot: this.db.snapshot(), model: this.model.clone() });
    else if (dice < 94 && this.snapshots.length > 0) {
      const { snapshot, model } = random.pick(this.snapshots);
      await this.read(snapshot, model);
    } else if (dice < 96) await this.db.flush();
    else if (dice < 97) await this.db.compact();
    else if (dice < 98) await this.reopen();
  }

  async reopen(): Promise<void> {
    for (const { snapshot, model } of this.snapshots.splice(0)) {
      await this.read(snapshot, model);
      await snapshot.close();
    }
    await this.db.close();
    this.db = await Database.open(this.#directory, this.#options);
  }
}
