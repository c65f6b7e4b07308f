/**
 * Reads of the past against a model that keeps every state that there ever was. What is within the retention is never
 * gone; what is gone is said to be, and is never told wrong.
 */
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import { encodeCounter, type Operation } from "../../src/store.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { Random, seeds } from "../support/random.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";
import { WallClock } from "../support/wall-clock.ts";

type State = ReadonlyMap<string, string>;

interface Past {
  readonly version: number;
  readonly atMs: number;
  readonly state: State;
  /** Keys of which the commit made a version, or that it deleted with a range. */
  readonly touched: ReadonlySet<string>;
}

const KEYS = Array.from({ length: 24 }, (_, i) => `key:${String(i).padStart(2, "0")}`);
const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");
const text = (key: Uint8Array) => Buffer.from(key).toString();

class PastRun {
  readonly past: Past[] = [{ version: 0, atMs: 0, state: new Map(), touched: new Set() }];
  readonly clock = new WallClock();
  fs = new MemoryFileSystem();
  readonly random: Random;
  retention: { retentionMs: number; retentionSequences: number };
  /** Not above this; the largest that any setting so far has allowed to go. */
  goneTo = 0;
  db!: Database;
  readonly #turns: boolean;

  constructor(seed: number, turns: boolean) {
    this.random = new Random(seed);
    this.retention = this.#anyRetention();
    this.#turns = turns;
  }

  async open(): Promise<void> {
    const { fs, clock } = this;
    this.db = await Database.open("/db", {
      ...TINY_SETTINGS,
      ...this.retention,
      fs,
      clock,
      background: "inline",
    });
  }

  #anyRetention() {
    const { random } = this;
    return {
      retentionMs: random.chance(40) ? 1 + random.below(20_000) : 0,
      retentionSequences: random.chance(60) ? 1 + random.below(300) : 0,
    };
  }

  /** What may be gone by now. */
  noteGone(): void {
    const { retentionMs, retentionSequences } = this.retention;
    const newest = this.past.at(-1)!.version;
    const bySequence = retentionSequences === 0 ? newest : newest - retentionSequences;
    const oldestMs = this.clock.now() - retentionMs;
    const old = this.past.findLast(({ atMs }) => atMs <= oldestMs);
    const byTime = retentionMs === 0 ? newest : (old?.version ?? 0);
    this.goneTo = Math.max(this.goneTo, Math.min(bySequence, byTime));
  }

  async write(): Promise<void> {
    const { random } = this;
    const state = new Map(this.past.at(-1)!.state);
    const touched = new Set<string>();
    const operations = Array.from({ length: 1 + random.below(4) }, () => {
      const key = random.pick(KEYS);
      return this.#operation(key, state, touched);
    });
    const { version } = await this.db.batch(operations, { durability: "none" });
    this.past.push({ version, atMs: this.clock.now(), state, touched });
    this.noteGone();
  }

  #operation(key: string, state: Map<string, string>, touched: Set<string>): Operation {
    const { random } = this;
    if (random.chance(8)) {
      const end = random.pick(KEYS);
      for (const one of KEYS) {
        if (one < key || one >= end) continue;
        state.delete(one);
        touched.add(one);
      }
      return { type: "deleteRange", gte: key, lt: end };
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

  async check(): Promise<void> {
    const { random, db } = this;
    const { version: at, state } = random.pick(this.past);
    const key = random.pick(KEYS);
    const gone = (error: unknown) => {
      expect(error).toMatchObject({ code: "COMPACTED" });
      expect(at).toBeLessThan(this.goneTo);
      expect((error as { sequence: number }).sequence).toBeLessThanOrEqual(this.goneTo);
    };
    try {
      expect(hex(await db.get(key, { at }))).toBe(state.get(key));
      expect((await db.getMany(KEYS, { at })).map(hex)).toEqual(KEYS.map((one) => state.get(one)));
      expect(hex((await db.getEntry(key, { at }))?.value)).toBe(state.get(key));
      const reverse = random.chance(50);
      const scanned = await Array.fromAsync(db.scan({ at, reverse }));
      const entries = [...state].sort(([a], [b]) => (a < b ? -1 : 1));
      if (reverse) entries.reverse();
      expect(scanned.map(([one, value]) => [text(one), hex(value)])).toEqual(entries);
    } catch (error) {
      if ((error as { code?: unknown }).code === undefined) throw error;
      gone(error);
    }
    await this.#checkHistory(key);
  }

  /** All that is whole is told, newest first, and as it was. */
  async #checkHistory(key: string): Promise<void> {
    const oldest = this.db.stats().oldestSequence;
    expect(oldest).toBeLessThanOrEqual(this.goneTo);
    const told = await this.db.history(key, { limit: 10_000 });
    const sequences = told.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => b - a));
    expect(new Set(sequences).size).toBe(sequences.length);
    for (const { version, state, touched } of this.past) {
      if (version < oldest || !touched.has(key)) continue;
      const then = told.find(({ sequence }) => sequence <= version);
      expect(hex(then?.value), `${key} at ${version}`).toBe(state.get(key));
    }
    const [newest] = told;
    expect(hex(newest?.value)).toBe(this.past.at(-1)?.state.get(key));
    expect((await this.db.history(key, { limit: 1 })).length).toBeLessThanOrEqual(1);
  }

  async step(): Promise<void> {
    const { random } = this;
    this.clock.advance(random.below(200));
    const choice = random.below(100);
    if (choice < 60) await this.write();
    else if (choice < 85) await this.check();
    else if (choice < 93) await this.db.flush();
    else if (choice < 97) await this.db.compact();
    else {
      if (random.chance(50)) await this.db.close();
      else await this.#crash();
      if (this.#turns) this.retention = this.#anyRetention();
      this.noteGone();
      await this.open();
      this.#forgetLost();
    }
    this.noteGone();
  }

  async #crash(): Promise<void> {
    const lost = this.fs;
    lost.crash();
    await this.db.close().catch(() => undefined);
    this.fs = lost.crashImage(this.random.below(2 ** 31));
  }

  /** What was not synced may be lost, from the end. */
  #forgetLost(): void {
    const { sequence } = this.db.stats();
    while (this.past.at(-1)!.version > sequence) this.past.pop();
    expect(this.past.at(-1)!.version).toBe(sequence);
  }
}

test.each(seeds(300))("the past is told as it was, or said to be gone (seed %i)", async (seed) => {
  const run = new PastRun(seed, seed % 2 === 0);
  await run.open();
  for (let i = 0; i < 150; i++) await run.step();
  for (let i = 0; i < 10; i++) await run.check();
  await run.db.close();
});
