/**
 * Random writes, flushes and reopenings, watched by readers of random ranges that are slow, stop, and resume by
 * sequence: what they are told is what was committed, exactly.
 */
import assert from "node:assert";
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import { VarveError } from "../../src/errors.ts";
import type { Settings } from "../../src/options.ts";
import type { Operation, Watch, WatchEvent } from "../../src/store.ts";
import { FeedModel, type TextRange, textOfEvent } from "../support/feed-model.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { Random, seeds } from "../support/random.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";

const ACTIONS = 120;
const READERS = 4;
const HEARTBEAT_MS = 50;
/** Turns of the event loop in which nothing comes, after which time goes by. */
const TURNS = 20;

class Run {
  readonly random: Random;
  readonly model = new FeedModel();
  readonly clock = new ManualClock();
  readonly fs = new MemoryFileSystem();
  readonly #settings: Partial<Settings>;
  readonly readers: Reader[] = [];
  db!: Database;
  /** With entries that expire merges are folded, and are told as puts. */
  readonly #expires: boolean;

  constructor(seed: number, settings: Partial<Settings>) {
    this.random = new Random(seed);
    this.#expires = seed % 2 === 0;
    this.#settings = settings;
  }

  async open(): Promise<void> {
    const { fs, clock } = this;
    const settings = { ...TINY_SETTINGS, ...this.#settings };
    this.db = await Database.open("/db", { ...settings, fs, clock, background: "inline" });
  }

  async reopen(): Promise<void> {
    for (const reader of this.readers) reader.stop();
    await this.db.close();
    await this.open();
  }

  /** The clock is turned while nothing comes. */
  async settle<Result>(promise: Promise<Result>): Promise<Result> {
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    promise.then(settled, settled);
    for (let turns = 0; !isSettled; turns++) {
      await new Promise(setImmediate);
      if (!isSettled && turns > TURNS) this.clock.advance(HEARTBEAT_MS);
    }
    return promise;
  }

  async write(): Promise<void> {
    const { random, db, model } = this;
    const count = random.chance(50) ? 1 : 1 + random.below(8);
    const operations = Array.from({ length: count }, () => this.#operation());
    const durability = random.pick(["always", "interval", "none"] as const);
    const { version } = await this.settle(db.batch(operations, { durability }));
    assert.equal(version, model.commit(operations));
  }

  #operation(): Operation {
    const { random, clock } = this;
    const key = this.key();
    const dice = random.below(100);
    if (dice < 20) return { type: "delete", key };
    if (dice < 28) {
      const [gte, lt] = [key, this.key()].sort() as [string, string];
      return random.chance(10)
        ? { type: "deleteRange", gte }
        : { type: "deleteRange", gte, lt: random.chance(70) ? `${gte}~` : lt };
    }
    const value = "v".repeat(random.below(random.chance(3) ? 3000 : 60));
    if (dice < 45 && !this.#expires)
      return { type: "merge", key, operator: "append", operand: value };
    if (dice > 80 && this.#expires) {
      return { type: "put", key, value, expiresAt: clock.now() + random.below(400) };
    }
    return { type: "put", key, value };
  }

  key(): string {
    return `k${String(this.random.below(40)).padStart(2, "0")}`;
  }

  async act(): Promise<void> {
    const { random, clock } = this;
    const dice = random.below(100);
    if (dice < 60) await this.write();
    else if (dice < 66) await this.settle(this.db.flush());
    else if (dice < 69) await this.reopen();
    else if (dice < 72) clock.advance(random.below(300));
    else await random.pick(this.readers).read(1 + random.below(6));
  }
}

class Reader {
  readonly #run: Run;
  readonly range: TextRange;
  /** All up to here was told. */
  sequence = 0;
  compactions = 0;
  #watch: Watch | undefined;

  constructor(run: Run) {
    this.#run = run;
    const [gte, lt] = [run.key(), run.key()].sort() as [string, string];
    this.range = run.random.pick([{}, { gte }, { lt }, { gte, lt }]);
  }

  stop(): void {
    this.#watch = undefined;
  }

  /** Reads so many events, or until there is nothing more. */
  async read(events: number): Promise<void> {
    for (let i = 0; i < events; i++) if (!(await this.#readOne())) break;
    if (!this.#run.random.chance(20)) return;
    await this.#watch?.return();
    this.#watch = undefined;
  }

  /** False where there was nothing more to be told. */
  async #readOne(): Promise<boolean> {
    const { model, clock, db } = this.#run;
    const upTo = model.sequence;
    let event: WatchEvent;
    try {
      this.#watch ??= db.watch({
        ...this.range,
        since: this.sequence,
        heartbeatMs: HEARTBEAT_MS,
      });
      const result = await this.#run.settle(this.#watch.next());
      assert(result.done === false);
      event = result.value;
    } catch (error) {
      assert(error instanceof VarveError && error.code === "COMPACTED", String(error));
      const { sequence = 0 } = error;
      assert(sequence > this.sequence && sequence <= upTo, "the oldest that can be asked for");
      this.compactions++;
      this.sequence = sequence;
      this.#watch = undefined;
      return true;
    }
    const { sequence } = event;
    assert(sequence >= this.sequence, "progress never goes back");
    const told = event.type === "commit" ? [textOfEvent(event)] : [];
    expect(told).toEqual(model.events(this.range, this.sequence, sequence, clock.now()));
    const isFirst = event.type === "progress" && sequence === this.sequence;
    this.sequence = sequence;
    return event.type === "commit" || (isFirst && sequence < upTo);
  }

  /** Reads on to what is there now. */
  async finish(): Promise<void> {
    while (this.sequence < this.#run.model.sequence) await this.#readOne();
  }
}

async function watched(seed: number, settings: Partial<Settings>): Promise<Run> {
  const run = new Run(seed, settings);
  await run.open();
  for (let i = 0; i < READERS; i++) run.readers.push(new Reader(run));
  for (let i = 0; i < ACTIONS; i++) await run.act();
  for (const reader of run.readers) await reader.finish();
  expect(run.db.stats().feed.watchers).toBeLessThanOrEqual(ACTIONS);
  await run.db.close();
  expect(run.fs.openFiles).toBe(0);
  return run;
}

test.each(seeds(300))("with a log that is kept all is told, once (seed %i)", async (seed) => {
  const run = await watched(seed, { feedRetentionBytes: 2 ** 30 });
  expect(run.readers.map(({ compactions }) => compactions)).toEqual([0, 0, 0, 0]);
});

test.each(seeds(300))(
  "with a short log a reader may fall behind, and is told (seed %i)",
  async (seed) => {
    await watched(seed, { feedRetentionBytes: seed % 3 === 0 ? 0 : 10_000 });
  },
);
