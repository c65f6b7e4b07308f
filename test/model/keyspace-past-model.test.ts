/**
 * The past of a store and of its keyspaces, of which each may have a retention of its own, given, changed and taken back at
 * any time, against a model that keeps every state that there ever was. What is within a keyspace's retention is never
 * gone, whatever the others have; what is gone is said to be, and is never told wrong. `SEED=n npx vitest run
 * test/model/keyspace-past` replays one seed.
 */
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import { encodeCounter, type KeyedStore, type Operation } from "../../src/store.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { Random, seeds } from "../support/random.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";
import { WallClock } from "../support/wall-clock.ts";

const STORE = "";
const NAMES = ["a", "b", "c"];
const KEYS = Array.from({ length: 10 }, (_, i) => `key:${i}`);
const STEPS = 110;

type State = ReadonlyMap<string, string>;

interface Retention {
  readonly retentionMs: number;
  readonly retentionSequences: number;
}

/** The store, or a keyspace from its creation to its drop. */
interface Space {
  readonly name: string;
  readonly store: () => KeyedStore;
  retention: Retention | undefined;
  /** Reads from here on must be answered; what is below may be gone. */
  goneTo: number;
}

interface Past {
  readonly version: number;
  readonly atMs: number;
  readonly states: ReadonlyMap<Space, State>;
  /** Keys of which the commit made a version, or that it deleted with a range. */
  readonly touched: ReadonlyMap<Space, ReadonlySet<string>>;
}

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");
const text = (key: Uint8Array) => Buffer.from(key).toString();

class Run {
  readonly random: Random;
  readonly clock = new WallClock();
  fs = new MemoryFileSystem();
  db!: Database;
  readonly past: Past[] = [{ version: 0, atMs: 0, states: new Map(), touched: new Map() }];
  storeRetention: Retention;
  readonly root: Space = {
    name: STORE,
    store: () => this.db,
    retention: undefined,
    goneTo: 0,
  };
  spaces: Space[] = [this.root];

  constructor(seed: number) {
    this.random = new Random(seed);
    this.storeRetention = this.random.chance(50)
      ? { retentionMs: 0, retentionSequences: 0 }
      : this.#anyRetention();
  }

  #anyRetention(): Retention {
    const { random } = this;
    return {
      retentionMs: random.chance(40) ? 1 + random.below(20_000) : 0,
      retentionSequences: random.chance(60) ? 1 + random.below(300) : 0,
    };
  }

  async open(): Promise<void> {
    const { fs, clock, storeRetention } = this;
    const options = { ...TINY_SETTINGS, ...storeRetention, fs, clock };
    this.db = await Database.open("/db", { ...options, background: "inline" });
    for (const space of this.spaces) if (space !== this.root) await this.#view(space.name);
  }

  readonly #views = new Map<string, KeyedStore>();

  async #view(name: string): Promise<void> {
    this.#views.set(name, await this.db.keyspace(name, { create: false }));
  }

  /** What may be gone by now. */
  noteGone(): void {
    const newest = this.past.at(-1)!.version;
    for (const space of this.spaces) {
      const { retentionMs, retentionSequences } = space.retention ?? this.storeRetention;
      const bySequence = retentionSequences === 0 ? newest : newest - retentionSequences;
      const oldestMs = this.clock.now() - retentionMs;
      const old = this.past.findLast(({ atMs }) => atMs <= oldestMs);
      const byTime = retentionMs === 0 ? newest : (old?.version ?? 0);
      space.goneTo = Math.max(space.goneTo, Math.min(bySequence, byTime));
    }
  }

  #push(
    version: number,
    states: ReadonlyMap<Space, State>,
    touched: Past["touched"] = new Map(),
  ): void {
    this.past.push({ version, atMs: this.clock.now(), states, touched });
    this.noteGone();
  }

  /** After a write of the store's own. */
  #pushSame(): void {
    this.#push(this.db.stats().sequence, this.past.at(-1)!.states);
  }

  async write(): Promise<void> {
    const { random } = this;
    const states = new Map(this.past.at(-1)!.states);
    const touched = new Map<Space, Set<string>>();
    const operations: Operation[] = [];
    for (let left = 1 + random.below(5); left > 0; left--) {
      const space = random.pick(this.spaces);
      const state = new Map(states.get(space) ?? []);
      states.set(space, state);
      if (!touched.has(space)) touched.set(space, new Set());
      const operation = this.#operation(state, touched.get(space) as Set<string>);
      const keyspace = this.#views.get(space.name);
      operations.push({ ...operation, ...(keyspace && { keyspace }) } as Operation);
    }
    const { version } = await this.db.batch(operations, { durability: "none" });
    this.#push(version, states, touched);
  }

  #operation(state: Map<string, string>, touched: Set<string>): Operation {
    const { random } = this;
    const key = random.pick(KEYS);
    if (random.chance(8)) {
      const [gte, lt] = random.chance(30) ? [undefined, undefined] : [key, random.pick(KEYS)];
      for (const one of KEYS) {
        if ((gte !== undefined && one < gte) || (lt !== undefined && one >= lt)) continue;
        state.delete(one);
        touched.add(one);
      }
      return gte === undefined
        ? { type: "deleteRange", gte: "" }
        : { type: "deleteRange", gte, lt: lt as string };
    }
    touched.add(key);
    if (random.chance(20)) {
      state.delete(key);
      return { type: "delete", key };
    }
    const number = BigInt(random.below(1000));
    if (random.chance(25)) {
      const before = state.get(key);
      const sum =
        (before === undefined ? 0n : Buffer.from(before, "hex").readBigInt64LE()) + number;
      state.set(key, hex(encodeCounter(sum)) as string);
      return { type: "merge", key, operator: "add", operand: number };
    }
    const value = encodeCounter(number);
    state.set(key, hex(value) as string);
    return { type: "put", key, value };
  }

  async create(): Promise<void> {
    const { random } = this;
    const name = random.pick(NAMES);
    if (this.spaces.some((space) => space.name === name)) return;
    const retention = random.chance(70) ? this.#anyRetention() : undefined;
    await this.db.keyspace(name, { exclusive: true, ...retention });
    await this.#view(name);
    const store = () => this.#views.get(name) as KeyedStore;
    // It has no past of its own before this.
    this.spaces.push({ name, store, retention, goneTo: this.root.goneTo });
    this.#pushSame();
  }

  async alter(): Promise<void> {
    const { random } = this;
    const space = random.pick(this.spaces);
    if (space === this.root) return;
    // What is under way goes by what was set when it began.
    const beside = random.chance(40) ? this.db.compact() : undefined;
    if (random.chance(25)) {
      await this.db.alterKeyspace(space.name, { retentionMs: null });
      space.retention = undefined;
    } else {
      const retention = this.#anyRetention();
      await this.db.alterKeyspace(space.name, retention);
      space.retention = retention;
    }
    await beside;
    this.#pushSame();
  }

  async drop(): Promise<void> {
    const space = this.random.pick(this.spaces);
    if (space === this.root) return;
    await this.db.dropKeyspace(space.name);
    this.#views.delete(space.name);
    this.spaces = this.spaces.filter((one) => one !== space);
    this.#pushSame();
  }

  async check(): Promise<void> {
    const { random } = this;
    const space = random.pick(this.spaces);
    const store = space.store();
    const { version: at, states } = random.pick(this.past);
    const state = states.get(space) ?? new Map<string, string>();
    const key = random.pick(KEYS);
    const what = `${space.name} at ${at}`;
    try {
      expect(hex(await store.get(key, { at })), what).toBe(state.get(key));
      expect((await store.getMany(KEYS, { at })).map(hex), what).toEqual(
        KEYS.map((one) => state.get(one)),
      );
      expect(hex((await store.getEntry(key, { at }))?.value), what).toBe(state.get(key));
      const reverse = random.chance(50);
      const entries = [...state].sort(([a], [b]) => (a < b ? -1 : 1));
      if (reverse) entries.reverse();
      const shown = (pairs: readonly (readonly [Uint8Array, Uint8Array])[]) =>
        pairs.map(([one, value]) => [text(one), hex(value)]);
      expect(shown(await Array.fromAsync(store.scan({ at, reverse }))), what).toEqual(entries);
      expect(shown((await store.page({ at, reverse })).entries), what).toEqual(entries);
      expect(await store.count({ at }), what).toBe(entries.length);
    } catch (error) {
      if ((error as { code?: unknown }).code === undefined) throw error;
      expect(error, what).toMatchObject({ code: "COMPACTED" });
      expect(at, what).toBeLessThan(space.goneTo);
      expect((error as { sequence: number }).sequence).toBeLessThanOrEqual(space.goneTo);
    }
    await this.#checkHistory(space, key);
  }

  /** From where on the past of a keyspace is whole, as it says itself. */
  async #oldest(space: Space): Promise<number> {
    try {
      await space.store().get("key", { at: 0 });
      return 0;
    } catch (error) {
      return (error as { sequence: number }).sequence;
    }
  }

  /** All that is whole is told, newest first, and as it was. */
  async #checkHistory(space: Space, key: string): Promise<void> {
    const oldest = await this.#oldest(space);
    expect(oldest).toBeLessThanOrEqual(space.goneTo);
    const told = await space.store().history(key, { limit: 10_000 });
    const sequences = told.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => b - a));
    expect(new Set(sequences).size).toBe(sequences.length);
    for (const { version, states, touched } of this.past) {
      if (version < oldest || touched.get(space)?.has(key) !== true) continue;
      const then = told.find(({ sequence }) => sequence <= version);
      expect(hex(then?.value), `${space.name}, ${key} at ${version}`).toBe(
        states.get(space)?.get(key),
      );
    }
    expect(hex(told[0]?.value)).toBe(this.past.at(-1)?.states.get(space)?.get(key));
  }

  async step(): Promise<void> {
    const { random, clock } = this;
    clock.advance(random.below(200));
    if (random.chance(2)) clock.advance(random.below(30_000));
    if (random.chance(1)) clock.advance(-random.below(2000));
    this.noteGone();
    const choice = random.below(100);
    if (choice < 50) await this.write();
    else if (choice < 55) await this.create();
    else if (choice < 60) await this.alter();
    else if (choice < 62) await this.drop();
    else if (choice < 85) await this.check();
    else if (choice < 92) await this.db.flush();
    else if (choice < 96) await this.db.compact();
    else await this.#again();
    this.noteGone();
  }

  async #again(): Promise<void> {
    const { random } = this;
    if (random.chance(50)) await this.db.close();
    else {
      const lost = this.fs;
      lost.crash();
      await this.db.close().catch(() => undefined);
      this.fs = lost.crashImage(random.below(2 ** 31));
    }
    if (random.chance(30)) this.storeRetention = this.#anyRetention();
    this.noteGone();
    await this.open();
    // What was not synced may be lost, from the end.
    const { sequence } = this.db.stats();
    while (this.past.at(-1)!.version > sequence) this.past.pop();
    expect(this.past.at(-1)!.version).toBe(sequence);
  }
}

test.each(seeds(300))(
  "each keyspace's past is told as it was, or said to be gone (seed %i)",
  async (seed) => {
    const run = new Run(seed);
    await run.open();
    for (let i = 0; i < STEPS; i++) await run.step();
    for (let i = 0; i < 12; i++) await run.check();
    await run.db.close();
  },
);
