/** Random transactions, whose reads and outcome must be those of a model that is copied, changed, and put back. */
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import { applyOperand } from "../../src/merge-operators.ts";
import {
  decodeCounter,
  encodeCounter,
  MERGE_OPERATORS,
  type MergeOperator,
  type ScanOptions,
  type Transaction,
} from "../../src/store.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { Random, seeds } from "../support/random.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";

/** Keys are text, whose order is that of their bytes. */
type Model = Map<string, Uint8Array>;

const KEYS = ["a", "b", "c", "d"].flatMap((letter) =>
  Array.from({ length: 8 }, (_, i) => [`${letter}${i}`, `${letter}${i}x`]).flat(),
);

function rangeOf(random: Random): ScanOptions {
  const range: { -readonly [Name in keyof ScanOptions]: ScanOptions[Name] } = {};
  if (random.below(3) === 0) range.gte = random.pick(KEYS);
  if (random.below(4) === 0) range.gt = random.pick(KEYS);
  if (random.below(3) === 0) range.lt = random.pick(KEYS);
  if (random.below(4) === 0) range.lte = random.pick(KEYS);
  if (random.below(4) === 0) range.prefix = random.pick(["a", "b", "c", "a1", "d7x"]);
  return range;
}

function isIn(key: string, { gte, gt, lt, lte, prefix }: ScanOptions): boolean {
  return (
    (gte === undefined || key >= (gte as string)) &&
    (gt === undefined || key > (gt as string)) &&
    (lt === undefined || key < (lt as string)) &&
    (lte === undefined || key <= (lte as string)) &&
    (prefix === undefined || key.startsWith(prefix as string))
  );
}

function expectedScan(model: Model, options: ScanOptions): [string, Uint8Array][] {
  const entries = [...model].filter(([key]) => isIn(key, options));
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  if (options.reverse) entries.reverse();
  return entries.slice(0, options.limit ?? entries.length);
}

async function read(tx: Transaction, model: Model, random: Random): Promise<void> {
  const key = random.pick(KEYS);
  switch (random.below(4)) {
    case 0:
      expect(await tx.get(key)).toEqual(model.get(key));
      break;
    case 1:
      expect((await tx.getEntry(key))?.value).toEqual(model.get(key));
      break;
    case 2: {
      const keys = [key, ...KEYS.filter(() => random.below(8) === 0), key];
      expect(await tx.getMany(keys)).toEqual(keys.map((one) => model.get(one)));
      break;
    }
    default: {
      const options: ScanOptions = {
        ...rangeOf(random),
        reverse: random.below(2) === 0,
        ...(random.below(2) === 0 ? { limit: random.below(12) } : {}),
      };
      const scan = tx.scan(options);
      const got = random.below(2) === 0 ? await Array.fromAsync(scan) : await scan.nextMany(1000);
      const decoder = new TextDecoder();
      expect(got.map(([one, value]) => [decoder.decode(one), value])).toEqual(
        expectedScan(model, options),
      );
    }
  }
}

async function write(tx: Transaction, model: Model, random: Random): Promise<void> {
  const key = random.pick(KEYS);
  const value = random.bytes(random.below(12));
  switch (random.below(6)) {
    case 0:
    case 1:
      tx.put(key, value);
      model.set(key, value);
      break;
    case 2:
      tx.delete(key);
      model.delete(key);
      break;
    case 3: {
      const range = rangeOf(random);
      if (Object.keys(range).length === 0) break;
      tx.deleteRange(range);
      for (const one of [...model.keys()]) if (isIn(one, range)) model.delete(one);
      break;
    }
    case 4: {
      const operator: MergeOperator = random.pick([...MERGE_OPERATORS]);
      const operand = operator === "append" ? value : encodeCounter(random.below(2000) - 1000);
      tx.merge(key, operator, operand);
      model.set(key, applyOperand(operator, model.get(key), operand));
      break;
    }
    default: {
      const before = model.get(key);
      if (before !== undefined && before.length !== 8) {
        await expect(tx.increment(key)).rejects.toMatchObject({ code: "NOT_A_COUNTER" });
        break;
      }
      const sum = (before === undefined ? 0n : decodeCounter(before)) + 7n;
      if (sum !== BigInt.asIntN(64, sum)) break;
      expect(await tx.increment(key, 7)).toBe(sum);
      model.set(key, encodeCounter(sum));
    }
  }
}

test.each(seeds(300))("a transaction answers as the model does (seed %i)", async (seed) => {
  const random = new Random(seed);
  const fs = new MemoryFileSystem();
  await using db = await Database.open("/db", { ...TINY_SETTINGS, fs, background: "inline" });
  let model: Model = new Map();
  for (let round = 0; round < 6; round++) {
    const changed: Model = new Map(model);
    const isAborted = random.below(5) === 0;
    const abort = new Error("aborted");
    const run = db.transaction(async (tx) => {
      for (let i = random.below(40); i > 0; i--) {
        if (random.below(2) === 0) await write(tx, changed, random);
        else await read(tx, changed, random);
      }
      if (isAborted) throw abort;
    });
    if (isAborted) await expect(run).rejects.toBe(abort);
    else {
      await run;
      model = changed;
    }
    const stored = (await Array.fromAsync(db.scan())).map(
      ([key, value]) => [new TextDecoder().decode(key), value] as const,
    );
    expect(stored).toEqual(expectedScan(model, {}));
    if (random.below(3) === 0) await db.flush();
    if (random.below(5) === 0) await db.compact();
  }
  expect(db.stats().snapshots).toBe(0);
});
