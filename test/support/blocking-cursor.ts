/**
 * A cursor over an array that blocks by seed, as a table's does when a block is not in memory: a move may
 * block several times before it is finished, and a load may fail and be tried again. It is as unkind as
 * the contract allows: keys stand in one buffer, which is overwritten by every move.
 */
import assert from "node:assert";
import { CURSOR, type CursorState, type EntryCursor } from "../../src/entry-cursor.ts";
import type { KeptShapes } from "../../src/kept-shapes.ts";
import { kindOf, sequenceOf, trailerHigh, trailerLow } from "../../src/key.ts";
import { ModelCursor, type ModelEntry, type ModelMove } from "./model-entries.ts";
import { Random } from "./random.ts";

export interface Obstacles {
  readonly blockPercent: number;
  readonly failPercent: number;
}

export class BlockingCursor implements EntryCursor {
  state: CursorState = CURSOR.END;
  key = new Uint8Array(64);
  keyStart = 0;
  keyEnd = 0;
  trailerLow = 0;
  trailerHigh = 0;
  value: Uint8Array = new Uint8Array();
  valueStart = 0;
  valueEnd = 0;
  readonly #model: ModelCursor;
  readonly #random: Random;
  readonly #obstacles: Obstacles;
  #pending: ModelMove | undefined;
  #isLoading = false;

  constructor(sorted: readonly ModelEntry[], seed: number, obstacles: Obstacles) {
    this.#model = new ModelCursor(sorted);
    this.#random = new Random(seed);
    this.#obstacles = obstacles;
  }

  first(): void {
    this.#start({ type: "first" });
  }

  last(): void {
    this.#start({ type: "last" });
  }

  seek(key: Uint8Array, low: number, high: number): void {
    const target = { key, sequence: sequenceOf(low, high), kind: kindOf(low) };
    this.#start({ type: "seek", target });
  }

  seekBefore(key: Uint8Array, low: number, high: number): void {
    const target = { key, sequence: sequenceOf(low, high), kind: kindOf(low) };
    this.#start({ type: "seekBefore", target });
  }

  retire(shapes: KeptShapes): void {
    this.state = CURSOR.END;
    shapes.keep(this);
  }

  next(): void {
    assert(this.state === CURSOR.VALID, "next needs an entry");
    this.#start({ type: "next" });
  }

  prev(): void {
    assert(this.state === CURSOR.VALID, "prev needs an entry");
    this.#start({ type: "prev" });
  }

  timeMs(): number {
    const { entry } = this.#model;
    assert(this.state === CURSOR.VALID && entry !== undefined);
    return entry.timeMs;
  }

  async load(): Promise<void> {
    assert(!this.#isLoading, "one load at a time");
    this.#isLoading = true;
    await null;
    this.#isLoading = false;
    this.loadSync();
  }

  loadSync(): void {
    assert(this.state === CURSOR.BLOCKED && this.#pending !== undefined);
    if (this.#random.chance(this.#obstacles.failPercent)) throw new Error("the disk said no");
    this.#continue(this.#pending);
  }

  #start(move: ModelMove): void {
    assert(this.state !== CURSOR.BLOCKED, "a blocked cursor only loads");
    this.key.fill(this.#random.next());
    this.#continue(move);
  }

  #continue(move: ModelMove): void {
    if (this.#random.chance(this.#obstacles.blockPercent)) {
      this.#pending = move;
      this.state = CURSOR.BLOCKED;
      return;
    }
    this.#pending = undefined;
    this.#model.move(move);
    const { entry } = this.#model;
    if (entry === undefined) {
      this.state = CURSOR.END;
      return;
    }
    this.state = CURSOR.VALID;
    this.keyStart = this.#random.below(8);
    this.keyEnd = this.keyStart + entry.key.length;
    this.key.set(entry.key, this.keyStart);
    this.trailerLow = trailerLow(entry.sequence, entry.kind);
    this.trailerHigh = trailerHigh(entry.sequence);
    this.value = entry.value;
    this.valueEnd = entry.value.length;
  }
}

/** Loads, by turns off the loop and at once, until the cursor is not blocked; failed loads are repeated. */
export async function unblock(cursor: {
  readonly state: CursorState;
  load(): Promise<void>;
  loadSync(): void;
}): Promise<void> {
  for (let turn = 0; cursor.state === CURSOR.BLOCKED; turn++) {
    try {
      if (turn % 2 === 0) await cursor.load();
      else cursor.loadSync();
    } catch (error) {
      if (!(error instanceof Error) || error.message !== "the disk said no") throw error;
      assert(cursor.state === CURSOR.BLOCKED, "a failed load leaves the cursor blocked");
    }
  }
}
