/**
 * A run of random operations on `Database` and on a `sorted-btree` model, whose clones stand for snapshots and
 * scans; every answer is compared. The operations depend on the seed alone, not on the options.
 */
import { expect } from "vitest";
import { compareBytes } from "../../src/bytes/compare.ts";
import { toBytes } from "../../src/bytes/data.ts";
import { Database } from "../../src/engine/database.ts";
import type { OpenOptions } from "../../src/engine/open-options.ts";
import {
  type BatchOptions,
  type Commit,
  decodeCounter,
  type Entry,
  type EntryRecord,
  type Expiry,
  encodeCounter,
  type KeyCondition,
  type KeyRange,
  MERGE_OPERATORS,
  type Operation,
  type PutOptions,
  type Reader,
  type ScanOptions,
  type Snapshot,
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

function within(key: Uint8Array, options: KeyRange): boolean {
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

/** The entry, unless it has expired. */
function presentOf(entry: EntryRecord | undefined, nowMs: number): EntryRecord | undefined {
  return (entry?.expiresAt ?? Number.POSITIVE_INFINITY) <= nowMs ? undefined : entry;
}

function presentIn(model: Model, nowMs: number): Model {
  const present = model.clone();
  for (const [key, entry] of model.toArray()) {
    if (presentOf(entry, nowMs) === undefined) present.delete(key);
  }
  return present;
}

function expiryOf({ ttlMs, expiresAt }: Expiry, nowMs: number): number | undefined {
  return ttlMs === undefined ? expiresAt : nowMs + ttlMs;
}

function valueAfter(
  operation: Extract<Operation, { readonly type: "put" | "merge" }>,
  before: Uint8Array | undefined,
): Uint8Array {
  if (operation.type === "put") return toBytes(operation.value);
  const { operator, operand } = operation;
  if (operator === "append") {
    return Uint8Array.from([...(before ?? []), ...(operand as Uint8Array)]);
  }
  const added = BigInt(operand as number);
  if (before === undefined) return encodeCounter(added);
  const value = decodeCounter(before);
  switch (operator) {
    case "add":
      return encodeCounter(BigInt.asIntN(64, value + added));
    case "max":
      return encodeCounter(value > added ? value : added);
    case "min":
      return encodeCounter(value < added ? value : added);
  }
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
    const present = presentIn(this.model, this.clock.now());
    expect(await Array.fromAsync(this.db.scan())).toEqual(entriesOf(present));
    await this.db.close();
  }

  async write(): Promise<void> {
    const { random } = this;
    this.clock.advance(random.chance(2) ? 2 ** 33 : random.below(1000));
    const count = random.chance(60) ? 1 : 1 + random.below(12);
    const operations = Array.from({ length: count }, () => this.#operation());
    const durability = random.pick(["always", "interval", "none"] as const);
    const [only] = operations;
    const conditions = random.chance(25) ? this.#conditions() : [];
    const options = conditions.length === 0 ? { durability } : { durability, if: conditions };
    const failed = conditions.find((condition) => !this.#holds(condition));
    const written = this.#write(count === 1 ? only : undefined, operations, options);
    if (failed === undefined) {
      this.#apply(operations, await written);
      return;
    }
    const present = this.#present(toBytes(failed.key));
    await expect(written).rejects.toMatchObject({
      code: "CONDITION_FAILED",
      key: toBytes(failed.key),
      sequence: present?.sequence,
    });
  }

  #write(
    only: Operation | undefined,
    operations: readonly Operation[],
    options: BatchOptions,
  ): Promise<Commit> {
    switch (only?.type) {
      case "put": {
        const { key, value, ttlMs, expiresAt } = only;
        const expiry = ttlMs === undefined ? { expiresAt } : { ttlMs };
        const given = expiresAt === undefined && ttlMs === undefined ? {} : expiry;
        return this.db.put(key, value, { ...options, ...given } as PutOptions);
      }
      case "delete":
        return this.db.delete(only.key, options);
      case "deleteRange": {
        const { type: _type, ...range } = only;
        if (options.if !== undefined) return this.db.batch(operations, options);
        return this.db.deleteRange(range, options);
      }
      case "merge":
        if (options.if !== undefined) return this.db.batch(operations, options);
        return this.db.merge(only.key, only.operator, only.operand, options);
      default:
        return this.db.batch(operations, options);
    }
  }

  #operation(): Operation {
    const { random } = this;
    const key = randomKey(random);
    const dice = random.below(100);
    if (dice < 3) return { type: "deleteRange", ...this.#range() };
    if (dice < 25) return { type: "delete", key };
    if (dice < 40) {
      const operator = random.pick(MERGE_OPERATORS);
      const operand =
        operator === "append" ? random.bytes(random.below(20)) : random.below(2000) - 1000;
      return { type: "merge", key, operator, operand };
    }
    const put = { type: "put" as const, key, value: this.#value() };
    if (dice < 85) return put;
    const lifeMs = random.pick([1, 500, 20_000, 2 ** 34]);
    if (random.chance(50)) return { ...put, ttlMs: lifeMs };
    return { ...put, expiresAt: this.clock.now() + lifeMs - random.below(2) * 1000 };
  }

  /** Mostly narrow, so that something is left; empty ones, too. */
  #range(): KeyRange {
    const { random } = this;
    const dice = random.below(10);
    if (dice === 0) return { gte: randomKey(random) };
    if (dice === 1) return { lt: `k${random.below(60)}` };
    if (dice === 2) return { prefix: `key:${random.below(7)}:` };
    const [gte, lt] = [randomKey(random), randomKey(random)];
    if (dice < 7) return { gte, lte: Uint8Array.from([...gte, 0xff]) };
    return random.chance(50) ? { gte, lt } : { gt: gte, lte: lt };
  }

  /** Counters among them, so that merges meet some. */
  #value(): Uint8Array {
    return this.random.chance(30)
      ? encodeCounter(this.random.below(100))
      : randomValue(this.random);
  }

  /** On the newest entries of some keys, of which most hold. */
  #conditions(): KeyCondition[] {
    return Array.from({ length: 1 + this.random.below(3) }, () => {
      const key = randomKey(this.random);
      const present = this.#present(key);
      if (this.random.chance(15)) return { key, sequence: (present?.sequence ?? 0) + 1 };
      if (present === undefined) {
        return this.random.chance(80) ? { key, absent: true as const } : { key, sequence: 0 };
      }
      const isAny = this.random.chance(50);
      return isAny ? { key, present: true as const } : { key, sequence: present.sequence };
    });
  }

  #holds(condition: KeyCondition): boolean {
    const present = this.#present(toBytes(condition.key));
    if ("absent" in condition) return present === undefined;
    if ("present" in condition) return present !== undefined;
    return present?.sequence === condition.sequence;
  }

  #present(key: Uint8Array, model: Model = this.model): EntryRecord | undefined {
    return presentOf(model.get(key), this.clock.now());
  }

  /** Puts a commit into the model; its operations have consecutive sequence numbers up to its version. */
  #apply(operations: readonly Operation[], { version }: Commit): void {
    const now = this.clock.now();
    operations.forEach((operation, i) => {
      if (operation.type === "deleteRange") {
        for (const key of this.model.keysArray()) {
          if (within(key, operation)) this.model.delete(key);
        }
        return;
      }
      const key = toBytes(operation.key);
      const before = this.#present(key);
      if (operation.type === "delete") {
        this.model.delete(key);
        return;
      }
      this.#set(key, version - operations.length + 1 + i, before, {
        value: valueAfter(operation, before?.value),
        expiresAt: operation.type === "merge" ? before?.expiresAt : expiryOf(operation, now),
      });
    });
  }

  #set(
    key: Uint8Array,
    sequence: number,
    before: EntryRecord | undefined,
    { value, expiresAt }: Pick<EntryRecord, "value" | "expiresAt">,
  ): void {
    const now = this.clock.now();
    this.model.set(key, {
      value,
      sequence,
      revision: (before?.revision ?? 0) + 1,
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
      expiresAt,
    });
  }

  /** Writes that tell what they found. */
  async change(): Promise<void> {
    const { random, db } = this;
    this.clock.advance(random.below(1000));
    const key = randomKey(random);
    const before = this.#present(key);
    const dice = random.below(3);
    if (dice === 0) {
      await this.#increment(key, before);
      return;
    }
    const expiresAt = dice === 1 ? this.clock.now() + random.pick([1, 30_000, 2 ** 34]) : undefined;
    const commit =
      expiresAt === undefined ? await db.persist(key) : await db.expire(key, { expiresAt });
    expect(commit === undefined).toBe(before === undefined);
    if (commit === undefined || before === undefined) return;
    this.#set(key, commit.version, before, { value: before.value, expiresAt });
  }

  async #increment(key: Uint8Array, before: EntryRecord | undefined): Promise<void> {
    const delta = this.random.below(2000) - 1000;
    if (before !== undefined && before.value.length !== 8) {
      await expect(this.db.increment(key, delta)).rejects.toMatchObject({ code: "NOT_A_COUNTER" });
      return;
    }
    const value = (before === undefined ? 0n : decodeCounter(before.value)) + BigInt(delta);
    if (value !== BigInt.asIntN(64, value)) {
      await expect(this.db.increment(key, delta)).rejects.toMatchObject({
        code: "COUNTER_OVERFLOW",
      });
      return;
    }
    const { version, ...rest } = await this.db.increment(key, delta);
    expect(rest.value).toBe(value);
    const { expiresAt } = before ?? {};
    this.#set(key, version, before, { value: encodeCounter(value), expiresAt });
  }

  /** Of keys that are there and others, close to one another or not. */
  async ingest(): Promise<void> {
    const { random, db } = this;
    const keys = new BTree<Uint8Array, Uint8Array>(undefined, compareBytes);
    const first = randomKey(random);
    for (let count = random.below(40); count > 0; count--) {
      const near = Uint8Array.from([...first, ...random.bytes(1)]);
      keys.set(random.chance(40) ? near : randomKey(random), this.#value());
    }
    const pairs = keys.toArray();
    const expiresAt = random.chance(30) ? this.clock.now() + random.pick([1, 20_000]) : undefined;
    const middle = random.below(pairs.length + 1);
    const items = random.chance(50) ? pairs : [pairs.slice(0, middle), pairs.slice(middle)];
    const { version } = await db.ingest(items, expiresAt === undefined ? {} : { expiresAt });
    for (const [key, value] of pairs) {
      this.#set(key, version, this.#present(key), { value, expiresAt });
    }
  }

  async read(reader: Reader, whole: Model): Promise<void> {
    const { random } = this;
    const model = presentIn(whole, this.clock.now());
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
    expect(this.db.getSync(key)).toEqual(this.#present(key)?.value);
  }

  async step(): Promise<void> {
    const { random } = this;
    const dice = random.below(100);
    if (dice < 62) await this.write();
    else if (dice < 70) await this.change();
    else if (dice < 84) await this.read(this.db, this.model);
    else if (dice < 87) this.readSync();
    else if (dice < 90)
      this.snapshots.push({ snapshot: await this.db.snapshot(), model: this.model.clone() });
    else if (dice < 94 && this.snapshots.length > 0) {
      const { snapshot, model } = random.pick(this.snapshots);
      await this.read(snapshot, model);
    } else if (dice < 96) await this.db.flush();
    else if (dice < 97) await this.db.compact();
    else if (dice < 98) await this.reopen();
    else if (dice < 99) await this.ingest();
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
