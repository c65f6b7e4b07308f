/**
 * What was written, in the order of submission, and what of it must be there after a crash: the oracle. The
 * log is one ordered stream, so what is found must be the state after some prefix of the batches submitted,
 * and that prefix must reach at least to the last write that was promised to survive.
 */
import assert from "node:assert";
import type { Database } from "../../src/engine/database.ts";
import type { Durability, Entry } from "../../src/store.ts";

/** Keys and values as latin1 text, which is fast to compare. */
export type State = ReadonlyMap<string, string>;

export type Change =
  /** `expires`: in the far future, or before it is written. */
  | {
      readonly type: "put";
      readonly key: string;
      readonly value: string;
      readonly expires?: "late" | "early";
    }
  | { readonly type: "delete"; readonly key: string }
  | { readonly type: "append"; readonly key: string; readonly value: string }
  /** All keys from `key` up to `end`, which is not deleted. */
  | { readonly type: "deleteRange"; readonly key: string; readonly end: string };

export interface Batch {
  readonly changes: readonly Change[];
  readonly durability: Durability;
  /** Its last sequence, once it is acknowledged. */
  version: number | undefined;
  /** Never applied: it was refused with `OVERLOADED`. */
  refused: boolean;
}

export type Loss = "power" | "process";

export class History {
  /**
   * Whether entries expire, or operands are written: where entries expire, operands are folded at once, and may be
   * overtaken by other writes while they are, which the history does not know of.
   */
  readonly expires: boolean;
  #base: State = new Map();
  #baseSequence = 0;
  #batches: Batch[] = [];
  /** The sequence up to which all must survive each loss. */
  readonly #floors: Record<Loss, number> = { power: 0, process: 0 };

  constructor(expires: boolean) {
    this.expires = expires;
  }

  get batches(): number {
    return this.#batches.length;
  }

  submit(changes: readonly Change[], durability: Durability): Batch {
    const batch = { changes, durability, version: undefined, refused: false };
    this.#batches.push(batch);
    return batch;
  }

  acknowledge(batch: Batch, version: number): void {
    batch.version = version;
    this.#raise("process", version);
    if (batch.durability === "always") this.#raise("power", version);
  }

  /** All up to this sequence is on the disk: a flush or a close says so. */
  settle(sequence: number): void {
    this.#raise("process", sequence);
    this.#raise("power", sequence);
  }

  /** Everything acknowledged is on the disk. */
  settleAll(): void {
    this.settle(this.#floors.process);
  }

  /** What was only with the operating system may be gone. */
  powerLost(): void {
    this.#floors.process = this.#floors.power;
  }

  /** The sequence that must at least be found after this loss. */
  floor(loss: Loss): number {
    return this.#floors[loss];
  }

  /** The database was found with all up to `sequence`, which now is what there is, and safe. */
  continueFrom(sequence: number): void {
    this.#base = this.stateAt(sequence);
    this.#baseSequence = sequence;
    this.#batches = [];
    this.#floors.power = sequence;
    this.#floors.process = sequence;
  }

  /** The state after the batch that ends with `sequence`; fails where none does. */
  stateAt(sequence: number): State {
    const state = new Map(this.#base);
    let end = this.#baseSequence;
    for (const batch of this.#batches) {
      if (end === sequence) break;
      if (batch.refused) continue;
      for (const change of batch.changes) apply(state, change);
      end += batch.changes.length;
      assert(batch.version === undefined || batch.version === end, "a batch has its own sequence");
    }
    assert.equal(sequence, end, `sequence ${sequence} is not the end of a batch`);
    return state;
  }

  #raise(loss: Loss, sequence: number): void {
    this.#floors[loss] = Math.max(this.#floors[loss], sequence);
  }
}

function apply(state: Map<string, string>, change: Change): void {
  const { key } = change;
  switch (change.type) {
    case "put":
      if (change.expires === "early") state.delete(key);
      else state.set(key, change.value);
      break;
    case "append":
      state.set(key, (state.get(key) ?? "") + change.value);
      break;
    case "delete":
      state.delete(key);
      break;
    case "deleteRange":
      for (const other of [...state.keys()]) {
        if (other >= key && other < change.end) state.delete(other);
      }
      break;
  }
}

/** Holds the database, as opened after a loss, against the history; returns its sequence. */
export async function checkRecovered(
  db: Database,
  history: History,
  loss: Loss,
  keys: readonly string[],
): Promise<number> {
  const { sequence } = db.stats();
  const floor = history.floor(loss);
  assert(sequence >= floor, `found up to sequence ${sequence}; ${floor} was promised`);
  await checkState(db, history.stateAt(sequence), keys);
  return sequence;
}

/** Reads everything in each way that there is. */
async function checkState(db: Database, state: State, keys: readonly string[]): Promise<void> {
  const sorted = [...state.keys()].sort();
  const expected = sorted.map((key) => textOf(key, state.get(key)));
  const forward = (await Array.fromAsync(db.scan())).map(textOfEntry);
  assertSame(forward, expected, "a scan");
  const backward = (await Array.fromAsync(db.scan({ reverse: true }))).map(textOfEntry);
  assertSame(backward.reverse(), expected, "a reverse scan");
  const values = await db.getMany(keys.map((key) => Buffer.from(key, "latin1")));
  const got = values.map((value, i) => textOf(keys[i]!, value && latin1(value)));
  const present = keys.map((key) => textOf(key, state.get(key)));
  assertSame(got, present, "getMany");
}

/** Says the first difference alone; the whole would fill pages. */
function assertSame(found: readonly string[], expected: readonly string[], what: string): void {
  const at = found.findIndex((text, i) => text !== expected[i]);
  if (at === -1 && found.length === expected.length) return;
  const i = at === -1 ? found.length : at;
  assert.fail(`${what} finds ${show(found[i])} in place ${i}, not ${show(expected[i])}`);
}

function show(text: string | undefined): string {
  return JSON.stringify(text?.slice(0, 40)) ?? "the end";
}

function textOf(key: string, value: string | undefined): string {
  return value === undefined ? `${key} is absent` : `${key} = ${value}`;
}

function textOfEntry([key, value]: Entry): string {
  return textOf(latin1(key), latin1(value));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
