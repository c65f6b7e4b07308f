/**
 * Many transactions at one time, chosen by a seed, on a few lists and registers; what each of them saw is recorded.
 * The value of a key is its elements, each with a ";" behind it.
 */
import { VarveError } from "../../src/errors.ts";
import type { Reader, Store, Transaction } from "../../src/store.ts";
import type { Random } from "./random.ts";
import type { RanTransaction, Step } from "./transaction-history.ts";

const KEYS = ["k0", "k1", "k2", "k3", "k4", "k5"];
const PREFIX = "k";

export interface RunOptions {
  readonly workers: number;
  readonly transactionsEach: number;
  /** What else goes on, now and then: flushes, compactions. */
  readonly disturb: () => Promise<unknown>;
}

/** Several clients may work on one database. Ends with a transaction that reads everything. */
export async function runTransactions(
  stores: readonly Store[],
  random: Random,
  { workers, transactionsEach, disturb }: RunOptions,
): Promise<RanTransaction[]> {
  const history: RanTransaction[] = [];
  const time = { now: 0 };
  const work = async (worker: number) => {
    const store = stores[worker % stores.length] as Store;
    for (let i = 0; i < transactionsEach; i++) {
      const name = `${worker}.${i}`;
      history.push(await runOne(store, random, name, time, planOf(random, name)));
      if (random.below(20) === 0) await disturb();
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  const [first] = stores;
  history.push(await runOne(first as Store, random, "final", time, [{ type: "scan" }]));
  return history;
}

type PlannedStep =
  | { readonly type: "read" | "readEntry" | "append" | "write"; readonly key: string }
  | { readonly type: "readMany"; readonly keys: readonly string[] }
  | {
      readonly type: "scan";
      readonly from?: string;
      readonly limit?: number;
      readonly reverse?: boolean;
    }
  | { readonly type: "pause" }
  | { readonly type: "abort" };

function planOf(random: Random, name: string): PlannedStep[] {
  const steps = Array.from({ length: 1 + random.below(5) }, (): PlannedStep => {
    const key = random.pick(KEYS);
    const dice = random.below(100);
    if (dice < 20) return { type: "read", key };
    if (dice < 25) return { type: "readEntry", key };
    if (dice < 33)
      return { type: "readMany", keys: [key, ...KEYS.filter(() => random.below(3) === 0)] };
    if (dice < 45) {
      return {
        type: "scan",
        from: random.pick(KEYS),
        limit: 1 + random.below(7),
        reverse: random.below(2) === 0,
      };
    }
    if (dice < 70) return { type: "append", key };
    if (dice < 85) return { type: "write", key };
    return { type: "pause" };
  });
  // One appends to a key once, so that an element's name is its transaction's.
  const written = new Set<string>();
  const once = steps.filter((step) => {
    if (step.type !== "append" && step.type !== "write") return true;
    const isFirst = !written.has(step.key);
    written.add(step.key);
    return isFirst;
  });
  return name.length % 7 === 0 || random.below(12) === 0 ? [...once, { type: "abort" }] : once;
}

async function runOne(
  store: Store,
  random: Random,
  name: string,
  time: { now: number },
  plan: readonly PlannedStep[],
): Promise<RanTransaction> {
  let steps: Step[] = [];
  const began = time.now++;
  const abort = new Error("aborted");
  const body = async (tx: Transaction) => {
    steps = [];
    for (const step of plan) {
      if (step.type === "abort") throw abort;
      steps.push(...(await takeStep(tx, random, name, step)));
    }
  };
  let committed = true;
  try {
    await store.transaction(body, { retries: random.below(4), backoffMs: () => 0 });
  } catch (error) {
    if (error !== abort && !(error instanceof VarveError && error.code === "CONFLICT")) throw error;
    committed = false;
  }
  return { name, steps, committed, began, ended: time.now++ };
}

async function takeStep(
  tx: Transaction,
  random: Random,
  name: string,
  step: Exclude<PlannedStep, { type: "abort" }>,
): Promise<Step[]> {
  switch (step.type) {
    case "pause":
      for (let i = random.below(4); i > 0; i--) await new Promise(setImmediate);
      return [];
    case "read":
      return [readStep(step.key, await tx.get(step.key))];
    case "readEntry":
      return [readStep(step.key, (await tx.getEntry(step.key))?.value)];
    case "readMany": {
      const values = await tx.getMany(step.keys);
      return step.keys.map((key, i) => readStep(key, values[i]));
    }
    case "append":
      tx.merge(step.key, "append", `${name};`);
      return [{ type: "append", key: step.key, element: name }];
    case "write": {
      const value = await tx.get(step.key);
      tx.put(step.key, `${new TextDecoder().decode(value)}${name};`);
      return [readStep(step.key, value), { type: "append", key: step.key, element: name }];
    }
    case "scan":
      return scanSteps(tx, step);
  }
}

/** What a scan told: of each key that it passed, what there is, or that there is nothing. */
async function scanSteps(
  reader: Reader,
  { from, limit, reverse = false }: Extract<PlannedStep, { type: "scan" }>,
): Promise<Step[]> {
  const bound = from === undefined ? {} : reverse ? { lte: from } : { gte: from };
  const scan = reader.scan({ prefix: PREFIX, reverse, ...bound });
  const entries = limit === undefined ? await Array.fromAsync(scan) : await scan.nextMany(limit);
  await scan.return();
  const values = new Map(entries.map(([key, value]) => [new TextDecoder().decode(key), value]));
  const last = [...values.keys()].at(-1);
  const isWhole = limit === undefined || entries.length < limit;
  const wasPassed = (key: string) => {
    if (from !== undefined && (reverse ? key > from : key < from)) return false;
    if (isWhole) return true;
    return last !== undefined && (reverse ? key >= last : key <= last);
  };
  return KEYS.filter(wasPassed).map((key) => readStep(key, values.get(key)));
}

function readStep(key: string, value: Uint8Array | undefined): Step {
  const elements = new TextDecoder().decode(value).split(";").slice(0, -1);
  return { type: "read", key, elements };
}
