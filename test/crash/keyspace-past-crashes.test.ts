/**
 * Keyspaces with a retention of their own, altered meanwhile, ended at file operations: whatever a loss of power or the
 * process's death leaves there, no past is told wrong, and that of a keyspace which always kept it is there.
 */
import assert from "node:assert";
import { expect, test } from "vitest";
import type { Database } from "../../src/engine/database.ts";
import type { KeyedStore, Keyspace } from "../../src/store.ts";
import { seeds } from "../support/random.ts";
import { ENDED, emptyDisk, Life } from "./life.ts";
import { checkFiles, remains } from "./recovery.ts";

const DAY = 86_400_000;
const PARTS = 6;
const STRIDE = 3;
const STORE = "";
const KEYS = ["k0", "k1", "k2", "k3"];

/** What was answered: at `version` the keys had these values. */
interface Moment {
  readonly version: number;
  readonly name: string;
  readonly state: ReadonlyMap<string, string>;
}

interface Run {
  readonly life: Life;
  readonly moments: Moment[];
}

async function run(seed: number, endAt: number): Promise<Run> {
  const life = new Life(seed, emptyDisk);
  const result: Run = { life, moments: [] };
  life.endAt(endAt);
  const db = await life.open();
  if (db === ENDED) return result;
  await life.run(work(db, result).catch(() => undefined));
  if (!life.ended) await life.run(db.close());
  return result;
}

async function work(db: Database, { life, moments }: Run): Promise<void> {
  const { random } = life;
  const stores = new Map<string, KeyedStore>([
    [STORE, db],
    ["always", await db.keyspace("always", { retentionMs: DAY })],
    ["turns", await db.keyspace("turns")],
  ]);
  const states = new Map<string, Map<string, string>>();
  for (let step = 0; step < 80; step++) {
    const choice = random.below(100);
    if (choice < 8) await db.alterKeyspace("turns", { retentionMs: random.pick([null, 0, DAY]) });
    else if (choice < 16) await db.flush();
    else if (choice < 22) await db.compact();
    else {
      const name = random.pick([...stores.keys()]);
      const state = new Map(states.get(name));
      const [key, value] = [random.pick(KEYS), `${name} ${step}`.padEnd(60, ".")];
      const put = { durability: "always" } as const;
      const isRange = random.chance(10);
      const store = stores.get(name) as KeyedStore;
      const { version } = isRange
        ? await store.deleteRange({ gte: "" }, put)
        : await store.put(key, value, put);
      if (isRange) state.clear();
      else state.set(key, value);
      states.set(name, state);
      moments.push({ version, name, state });
    }
  }
}

async function survives({ life: ended, moments }: Run, loss: "power" | "process", seed: number) {
  const life = new Life(seed, remains(ended.disk, loss, seed));
  const db = await life.open();
  assert(db !== ENDED);
  const stores = new Map<string, KeyedStore>([[STORE, db]]);
  const names = new Set(moments.map(({ name }) => name));
  for (const name of names) {
    if (name === STORE) continue;
    stores.set(name, (await life.run(db.keyspace(name, { create: false }))) as Keyspace);
  }
  for (const turn of ["as found", "compacted"]) {
    for (const { version: at, name, state } of moments) {
      const reads = stores.get(name)!.getMany(KEYS, { at });
      const found = await life.run(
        reads.catch((error: { code: string }) => {
          assert.equal(error.code, "COMPACTED");
          assert.notEqual(name, "always", `the past at ${at} was to be kept, ${turn}`);
          return undefined;
        }),
      );
      assert(found !== ENDED);
      const texts = found?.map((value) => value && String(Buffer.from(value)));
      const expected = KEYS.map((key) => state.get(key));
      if (texts !== undefined) assert.deepEqual(texts, expected, `${name} at ${at}, ${turn}`);
    }
    await life.run(db.compact());
  }
  await life.run(db.close());
  await checkFiles(life);
}

const parts = seeds(3).flatMap((seed) =>
  Array.from({ length: PARTS }, (_, part) => ({ seed, part })),
);

test.each(parts)(
  "pasts of keyspaces hold at each operation (seed $seed, part $part)",
  async ({ seed, part }) => {
    const whole = await run(seed, Number.POSITIVE_INFINITY);
    expect(whole.moments.length).toBeGreaterThan(20);
    const { operations } = whole.life.disk;
    for (let at = 1 + part + PARTS * (seed % STRIDE); at <= operations; at += PARTS * STRIDE) {
      const ended = await run(seed, at);
      assert(ended.life.ended);
      for (const loss of ["process", "power"] as const) {
        try {
          await survives(ended, loss, at * 10);
        } catch (cause) {
          const message = cause instanceof Error ? cause.message : String(cause);
          throw new Error(`seed ${seed}, ended at ${at}, ${loss}: ${message}`, { cause });
        }
      }
    }
  },
);
