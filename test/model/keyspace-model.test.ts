/**
 * Keyspaces against one map for each, with memtables and tables so small that all levels fill: created, dropped, created
 * anew, written one by one and across, read at snapshots, and reopened. `SEED=n npx vitest run test/model/keyspace`
 * replays one seed.
 */
import { expect, test } from "vitest";
import { compareBytes } from "../../src/bytes/compare.ts";
import { toBytes } from "../../src/bytes/data.ts";
import { Database } from "../../src/engine/database.ts";
import type { Entry, KeyedStore, Keyspace, Operation, Snapshot } from "../../src/store.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { Random, seeds } from "../support/random.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";

const NAMES = ["a", "b", "größe", "zz"];
const STORE = "";
const STEPS = 100;

type Contents = Map<string, Entry>;

function randomKey(random: Random): Uint8Array {
  const first = random.pick([0, 0, 1, 0x6b, 0xff]);
  return Uint8Array.of(first, ...random.bytes(random.below(3)).map((byte) => byte % 4));
}

class Run {
  readonly random: Random;
  readonly fs = new MemoryFileSystem();
  /** By name; the store itself has none. */
  readonly contents = new Map<string, Contents>([[STORE, new Map()]]);
  readonly views = new Map<string, Keyspace>();
  readonly dropped: Keyspace[] = [];
  snapshots: { snapshot: Snapshot; contents: Map<string, Contents> }[] = [];
  db: Database;

  constructor(seed: number, db: Database, fs: MemoryFileSystem) {
    this.random = new Random(seed);
    this.db = db;
    this.fs = fs;
  }

  static async start(seed: number): Promise<Run> {
    const fs = new MemoryFileSystem();
    return new Run(seed, await openOn(fs), fs);
  }

  get names(): string[] {
    return [...this.contents.keys()];
  }

  storeOf(name: string): KeyedStore {
    return this.views.get(name) ?? this.db;
  }

  async step(): Promise<void> {
    const roll = this.random.below(100);
    if (roll < 50) await this.write();
    else if (roll < 55) await this.deleteRange();
    else if (roll < 62) await this.create();
    else if (roll < 66) await this.drop();
    else if (roll < 85) await this.read(this.random.pick(this.names));
    else if (roll < 88) await this.snapshot();
    else if (roll < 92) await this.readSnapshot();
    else if (roll < 95) await this.db.flush();
    else if (roll < 97) await this.db.compact();
    else if (roll < 98) await this.readDropped();
    else await this.reopen();
  }

  /** One batch, over any of them. */
  async write(): Promise<void> {
    const { random } = this;
    const own = random.pick(this.names);
    const changes = Array.from({ length: 1 + random.below(6) }, () => {
      const name = random.pick(this.names.filter((one) => one !== STORE || own === STORE));
      const key = randomKey(random);
      const value = random.chance(25) ? undefined : random.bytes(random.below(40));
      return { name, key, value };
    });
    const operations = changes.map(({ name, key, value }): Operation => {
      const keyspace = this.views.get(name);
      const where = name === own || keyspace === undefined ? {} : { keyspace };
      return value === undefined
        ? { type: "delete", key, ...where }
        : { type: "put", key, value, ...where };
    });
    await this.storeOf(own).batch(operations, { durability: random.pick(["always", "none"]) });
    for (const { name, key, value } of changes) {
      const text = Buffer.from(key).toString("latin1");
      if (value === undefined) this.contents.get(name)?.delete(text);
      else this.contents.get(name)?.set(text, [key, value]);
    }
  }

  async deleteRange(): Promise<void> {
    const { random } = this;
    const name = random.pick(this.names);
    const gte = random.chance(30) ? new Uint8Array() : randomKey(random);
    const lt = random.chance(30) ? undefined : randomKey(random);
    await this.storeOf(name).deleteRange({ gte, ...(lt === undefined ? {} : { lt }) });
    const contents = this.contents.get(name) as Contents;
    for (const [text, [key]] of contents) {
      const isBefore = lt === undefined || compareBytes(key, lt) < 0;
      if (compareBytes(key, gte) >= 0 && isBefore) contents.delete(text);
    }
  }

  async create(): Promise<void> {
    const name = this.random.pick(NAMES);
    this.views.set(name, await this.db.keyspace(name));
    if (!this.contents.has(name)) this.contents.set(name, new Map());
  }

  async drop(): Promise<void> {
    const name = this.random.pick(NAMES);
    expect(await this.db.dropKeyspace(name)).toBe(this.contents.delete(name));
    const view = this.views.get(name);
    if (view !== undefined) this.dropped.push(view);
    this.views.delete(name);
  }

  async read(name: string): Promise<void> {
    const { random } = this;
    const store = this.storeOf(name);
    const contents = this.contents.get(name) as Contents;
    const key = randomKey(random);
    expect(await store.get(key)).toEqual(contents.get(Buffer.from(key).toString("latin1"))?.[1]);
    const reverse = random.chance(50);
    const bounds = random.chance(50) ? { gte: key } : random.chance(50) ? { lt: key } : {};
    const expected = sorted(contents).filter(([one]) => {
      if ("gte" in bounds) return compareBytes(one, key) >= 0;
      return "lt" in bounds ? compareBytes(one, key) < 0 : true;
    });
    expect(await store.count(bounds)).toBe(expected.length);
    if (reverse) expected.reverse();
    expect(await Array.fromAsync(store.scan({ ...bounds, reverse }))).toEqual(expected);
    const paged: Entry[] = [];
    for (let cursor: Uint8Array | undefined; ; ) {
      const from = cursor === undefined ? {} : { cursor };
      const page = await store.page({ ...bounds, reverse, limit: 7, ...from });
      paged.push(...page.entries);
      cursor = page.cursor;
      if (cursor === undefined) break;
    }
    expect(paged).toEqual(expected);
  }

  async snapshot(): Promise<void> {
    const contents = new Map([...this.contents].map(([name, one]) => [name, new Map(one)]));
    this.snapshots.push({ snapshot: await this.db.snapshot(), contents });
  }

  async readSnapshot(): Promise<void> {
    if (this.snapshots.length === 0) return;
    const { snapshot, contents } = this.random.pick(this.snapshots);
    expect(await Array.fromAsync(snapshot.scan())).toEqual(sorted(contents.get(STORE) as Contents));
    for (const [name, view] of this.views) {
      // One of the same name that was created since was empty then.
      const all = await Array.fromAsync(snapshot.keyspace(view).scan());
      if (all.length > 0) expect(all).toEqual(sorted(contents.get(name) ?? new Map()));
    }
  }

  async readDropped(): Promise<void> {
    if (this.dropped.length === 0) return;
    const view = this.random.pick(this.dropped);
    const failure = { code: "NO_SUCH_KEYSPACE" };
    await expect(view.get("k")).rejects.toMatchObject(failure);
    await expect(view.put("k", "")).rejects.toMatchObject(failure);
  }

  async reopen(): Promise<void> {
    this.snapshots = [];
    this.dropped.length = 0;
    await this.db.close();
    this.db = await openOn(this.fs);
    for (const name of this.views.keys()) {
      this.views.set(name, await this.db.keyspace(name, { create: false }));
    }
    const names = this.names.filter((name) => name !== STORE);
    expect((await this.db.keyspaces()).map(({ name }) => name)).toEqual(
      names.sort((a, b) => compareBytes(toBytes(a), toBytes(b))),
    );
  }
}

function openOn(fs: MemoryFileSystem): Promise<Database> {
  return Database.open("/db", { ...TINY_SETTINGS, fs, background: "inline" });
}

function sorted(contents: Contents): Entry[] {
  return [...contents.values()].sort(([a], [b]) => compareBytes(a, b));
}

test.each(seeds(300))("answers as the maps do (seed %i)", async (seed) => {
  const run = await Run.start(seed);
  for (let step = 0; step < STEPS; step++) await run.step();
  await run.reopen();
  for (const name of run.names) await run.read(name);
  expect((await run.db.verify()).problems).toEqual([]);
  await run.db.close();
});
