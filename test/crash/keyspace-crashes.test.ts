/**
 * Keyspaces that are created, filled, dropped and created anew, ended at each file operation: whatever a loss of power
 * or the process's death leaves there, an answered creation or drop holds, one that was on its way is whole or has not
 * happened, and no entry shows up in a keyspace that it was not put into.
 */
import assert from "node:assert";
import { expect, test } from "vitest";
import type { Database } from "../../src/engine/database.ts";
import type { Keyspace } from "../../src/store.ts";
import { seeds } from "../support/random.ts";
import { ENDED, emptyDisk, Life } from "./life.ts";
import { checkFiles, remains } from "./recovery.ts";

const POWER_LOSSES = 3;
const PARTS = 4;
const NAMES = ["a", "b", "c"];

interface Generation {
  /** Answered, as were the puts of its entries, unless `isDropping`. */
  readonly entries: Map<string, string>;
  isDropping: boolean;
}

interface Run {
  readonly life: Life;
  /** By name, what was answered last. */
  readonly there: Map<string, Generation>;
  /** On its way. */
  creating: string | undefined;
  writing: { name: string; key: string; value: string } | undefined;
}

async function run(seed: number, endAt: number): Promise<Run> {
  const life = new Life(seed, emptyDisk);
  const result: Run = { life, there: new Map(), creating: undefined, writing: undefined };
  life.endAt(endAt);
  const db = await life.open();
  if (db === ENDED) return result;
  await life.run(work(db, result).catch(() => undefined));
  if (!life.ended) await life.run(db.close());
  return result;
}

async function work(db: Database, run: Run): Promise<void> {
  const { there, life } = run;
  const { random } = life;
  const open = new Map<string, Keyspace>();
  for (let step = 0; step < 70; step++) {
    const name = random.pick(NAMES);
    const generation = there.get(name);
    if (generation === undefined) {
      run.creating = name;
      open.set(name, await db.keyspace(name, { exclusive: true }));
      run.creating = undefined;
      there.set(name, { entries: new Map(), isDropping: false });
    } else if (random.chance(15)) {
      generation.isDropping = true;
      assert(await db.dropKeyspace(name));
      there.delete(name);
    } else if (random.chance(20)) {
      await (random.chance(50) ? db.flush() : db.compact());
    } else {
      const key = `k${random.below(20)}`;
      const value = `${name} ${step}`.padEnd(60, ".");
      run.writing = { name, key, value };
      await open.get(name)?.put(key, value, { durability: "always" });
      generation.entries.set(key, value);
      run.writing = undefined;
    }
  }
}

async function survives(ended: Run, loss: "power" | "process", seed: number): Promise<void> {
  const life = new Life(seed, remains(ended.life.disk, loss, seed));
  const db = await life.open();
  assert(db !== ENDED);
  const found = new Set(
    ((await life.run(db.keyspaces())) as { name: string }[]).map(({ name }) => name),
  );
  for (const name of NAMES) {
    const generation = ended.there.get(name);
    if (generation === undefined) {
      assert(!found.has(name) || ended.creating === name, `${name} was dropped, or never was`);
    } else assert(found.has(name) || generation.isDropping, `${name} was created`);
    // Whatever was there: it is empty where it is new.
    const keyspace = (await life.run(db.keyspace(name))) as Keyspace;
    const entries = (await life.run(Array.fromAsync(keyspace.scan()))) as [
      Uint8Array,
      Uint8Array,
    ][];
    const texts = new Map(
      entries.map(([key, value]) => [String(Buffer.from(key)), String(Buffer.from(value))]),
    );
    const expected = found.has(name) && generation !== undefined ? generation.entries : new Map();
    const { writing } = ended;
    for (const [key, value] of texts) {
      const isWriting = writing?.name === name && writing.key === key && writing.value === value;
      assert(isWriting || expected.get(key) === value, `${name} has ${key} = ${value}`);
    }
    for (const key of expected.keys()) assert(texts.has(key), `${name} has lost ${key}`);
  }
  assert.deepEqual(await life.run(Array.fromAsync(db.scan())), []);
  await life.run(db.close());
  await checkFiles(life);
}

const parts = seeds(2).flatMap((seed) =>
  Array.from({ length: PARTS }, (_, part) => ({ seed, part })),
);

test.each(parts)(
  "creations and drops hold at each operation (seed $seed, part $part)",
  async ({ seed, part }) => {
    const whole = await run(seed, Number.POSITIVE_INFINITY);
    expect(whole.there.size).toBeGreaterThan(0);
    for (let at = 1 + part; at <= whole.life.disk.operations; at += PARTS) {
      const ended = await run(seed, at);
      assert(ended.life.ended);
      for (let image = 0; image <= POWER_LOSSES; image++) {
        const loss = image === 0 ? "process" : "power";
        try {
          await survives(ended, loss, at * 10 + image);
        } catch (cause) {
          const message = cause instanceof Error ? cause.message : String(cause);
          throw new Error(`seed ${seed}, ended at ${at}, ${loss} ${image}: ${message}`, { cause });
        }
      }
    }
  },
);
