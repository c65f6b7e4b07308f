/**
 * An ingest among writes, flushes and compactions of the same keys, ended at each of its file operations: whatever a loss
 * of power or the process's death leaves there, all of it is there or nothing, and with it all that was acknowledged
 * before. `SEED=n npx vitest run test/crash/ingest` replays run n.
 */
import assert from "node:assert";
import { expect, test } from "vitest";
import type { Database } from "../../src/engine/database.ts";
import type { Pair } from "../../src/store.ts";
import { seeds } from "../support/random.ts";
import { ENDED, emptyDisk, Life } from "./life.ts";
import { checkFiles, remains } from "./recovery.ts";

const PAIRS = 60;
const POWER_LOSSES = 3;
const PARTS = 4;

const keyOf = (i: number) => `k${String(i).padStart(3, "0")}`;
const textOf = (name: string, i: number) => `${name}${i}`.padEnd(60, ".");
const pairsOf = (name: string): Pair[] =>
  Array.from({ length: PAIRS }, (_, i): Pair => [keyOf(i * 2), textOf(name, i)]);

interface Run {
  readonly life: Life;
  /** Values that were acknowledged as `always`, by key. */
  readonly acknowledged: Map<string, string>;
  /** How many ingests were answered. */
  ingests: number;
}

/** Several writes, answered, then an ingest with others on its way, and once more. */
async function run(seed: number, endAt: number): Promise<Run> {
  const life = new Life(seed, emptyDisk);
  const result: Run = { life, acknowledged: new Map(), ingests: 0 };
  life.endAt(endAt);
  const db = await life.open();
  if (db === ENDED) return result;
  await life.run(work(db, result).catch(() => undefined));
  if (!life.ended) await life.run(db.close());
  return result;
}

async function work(db: Database, result: Run): Promise<void> {
  const { acknowledged, life } = result;
  const put = async (i: number, name: string) => {
    const value = textOf(name, i);
    await db.put(keyOf(i), value, { durability: "always" });
    acknowledged.set(keyOf(i), value);
  };
  for (const name of ["first", "second"]) {
    for (let i = 0; i < 30; i++) await put(life.random.below(40), `${name}-before`);
    await db.put("lazy", name, { durability: "none" });
    const ingest = db.ingest([pairsOf(name).slice(0, 20), pairsOf(name).slice(20)]);
    // Of other keys, so that what must be there is known.
    const others = Array.from({ length: 8 }, (_, i) => put(i * 2 + 1, `${name}-meanwhile`));
    const compaction = life.random.chance(50) ? db.compact() : db.flush();
    await Promise.all([ingest, ...others, compaction]);
    result.ingests++;
    for (const [key, value] of pairsOf(name)) acknowledged.set(String(key), String(value));
  }
  await put(1, "last");
}

async function survives(ended: Run, loss: "power" | "process", seed: number): Promise<void> {
  const life = new Life(seed, remains(ended.life.disk, loss, seed));
  const db = await life.open();
  assert(db !== ENDED);
  const found = new Map<string, string>();
  for (const [key, value] of (await life.run(Array.fromAsync(db.scan()))) as [
    Uint8Array,
    Uint8Array,
  ][]) {
    found.set(Buffer.from(key).toString(), Buffer.from(value).toString());
  }
  const ingested = ["first", "second"].filter((name) =>
    found.get(keyOf(PAIRS * 2 - 2))?.startsWith(name),
  );
  const [name] = ingested;
  if (ended.ingests > 0) assert(name !== undefined, "what was answered is there");
  if (ended.ingests === 2) assert.equal(name, "second");
  for (const [key, value] of name === undefined ? [] : pairsOf(name)) {
    const other = found.get(String(key));
    // What was put after it to the same key is there in its place.
    const isLater = name === "first" && other?.startsWith("second-before");
    assert(other === value || isLater, `${key} is ${other}, though ${name} was ingested`);
  }
  if (name === undefined) {
    for (const value of found.values()) assert(!/^(first|second)\d/.test(value), "nothing of it");
  }
  if (name === "second") assert.equal(found.get("lazy"), "second", "no hole before an ingest");
  for (const [key, value] of ended.acknowledged) {
    const other = found.get(key);
    const isIngested = name !== undefined && Number(key.slice(1)) % 2 === 0;
    const isLater = other !== undefined && other !== value;
    assert(other === value || isIngested || isLater, `${key} is ${other}, not ${value}`);
  }
  const { sequence } = db.stats();
  const next = await life.run(db.put("next", "1"));
  assert(next !== ENDED && next.version > sequence);
  await life.run(db.close());
  await checkFiles(life);
}

const parts = seeds(1).flatMap((seed) =>
  Array.from({ length: PARTS }, (_, part) => ({ seed, part })),
);

test.each(parts)(
  "all or nothing at each operation (seed $seed, part $part)",
  async ({ seed, part }) => {
    const whole = await run(seed, Number.POSITIVE_INFINITY);
    expect(whole.ingests).toBe(2);
    for (let at = 1 + part; at <= whole.life.disk.operations; at += PARTS) {
      const ended = await run(seed, at);
      assert(ended.life.ended);
      for (let image = 0; image <= POWER_LOSSES; image++) {
        const loss = image === 0 ? "process" : "power";
        try {
          await survives(ended, loss, at * 10 + image);
        } catch (cause) {
          const why = cause instanceof Error ? cause.message : cause;
          throw new Error(`seed ${seed}, ended at ${at}, image ${image}: ${why}`, { cause });
        }
      }
    }
  },
);
