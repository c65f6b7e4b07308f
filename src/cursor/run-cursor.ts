/**
 * The tables of one level as one cursor. They do not overlap and no user key's versions are split between
 * two, so they are read one after the other; each is opened when the cursor comes to it.
 *
 * Hot path: a step is the table cursor's own, and a copy of its fields.
 */
import assert from "node:assert";
import { compareBytes } from "../bytes/compare.ts";
import { CURSOR, type CursorState, type EntryCursor } from "../entry-cursor.ts";
import type { KeptShapes } from "../kept-shapes.ts";

/** Tables in key order, as the cursor asks for them. Every table has at least one entry. */
export interface TableRun {
  readonly length: number;
  /** The smallest user key of table `index`. */
  smallest(index: number): Uint8Array;
  /** The index of the first table whose largest user key is at or after `key`, or `length`. */
  find(key: Uint8Array): number;
  /** A new cursor over a table, not positioned; undefined where the table must first be loaded. */
  open(index: number): EntryCursor | undefined;
  load(index: number): Promise<EntryCursor>;
  loadSync(index: number): EntryCursor;
}

/** Moves that begin in a table anew. */
const MOVE = { FIRST: 0, LAST: 1, SEEK: 2, SEEK_BEFORE: 3 } as const;
type Move = (typeof MOVE)[keyof typeof MOVE];

const EMPTY = new Uint8Array();
const NONE = -1;

export class RunCursor implements EntryCursor {
  state: CursorState = CURSOR.END;
  key: Uint8Array = EMPTY;
  keyStart = 0;
  keyEnd = 0;
  trailerLow = 0;
  trailerHigh = 0;
  value: Uint8Array = EMPTY;
  valueStart = 0;
  valueEnd = 0;
  readonly #run: TableRun;
  #index = NONE;
  /** The cursor over table `#index`; undefined while the table is not open. */
  #table: EntryCursor | undefined;
  /** Where to go on when the table's cursor comes to its end. */
  #reverse = false;
  /** The move that waits for the table, and for a seek its target. */
  #move: Move = MOVE.FIRST;
  #targetKey: Uint8Array = EMPTY;
  #targetLow = 0;
  #targetHigh = 0;

  constructor(run: TableRun) {
    this.#run = run;
  }

  first(): void {
    this.#enter(0, MOVE.FIRST);
  }

  last(): void {
    this.#enter(this.#run.length - 1, MOVE.LAST);
  }

  seek(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    this.#setTarget(key, trailerLow, trailerHigh);
    this.#enter(this.#run.find(key), MOVE.SEEK);
  }

  seekBefore(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    const run = this.#run;
    const index = run.find(key);
    if (index === run.length || compareBytes(key, run.smallest(index)) < 0) {
      this.#enter(index - 1, MOVE.LAST);
    } else {
      this.#setTarget(key, trailerLow, trailerHigh);
      this.#enter(index, MOVE.SEEK_BEFORE);
    }
  }

  next(): void {
    assert(this.state === CURSOR.VALID && this.#table !== undefined);
    this.#reverse = false;
    this.#table.next();
    this.#settle(this.#table);
  }

  prev(): void {
    assert(this.state === CURSOR.VALID && this.#table !== undefined);
    this.#reverse = true;
    this.#table.prev();
    this.#settle(this.#table);
  }

  timeMs(): number {
    assert(this.state === CURSOR.VALID && this.#table !== undefined);
    return this.#table.timeMs();
  }

  async load(): Promise<void> {
    assert(this.state === CURSOR.BLOCKED);
    if (this.#table === undefined) this.#begin(await this.#run.load(this.#index));
    else {
      await this.#table.load();
      this.#settle(this.#table);
    }
  }

  loadSync(): void {
    assert(this.state === CURSOR.BLOCKED);
    if (this.#table === undefined) this.#begin(this.#run.loadSync(this.#index));
    else {
      this.#table.loadSync();
      this.#settle(this.#table);
    }
  }

  retire(shapes: KeptShapes): void {
    this.state = CURSOR.END;
    this.key = EMPTY;
    this.value = EMPTY;
    this.#table?.retire(shapes);
    shapes.keep(this);
  }

  #setTarget(key: Uint8Array, trailerLow: number, trailerHigh: number): void {
    this.#targetKey = key;
    this.#targetLow = trailerLow;
    this.#targetHigh = trailerHigh;
  }

  #enter(index: number, move: Move): void {
    this.#reverse = move === MOVE.LAST || move === MOVE.SEEK_BEFORE;
    this.#move = move;
    if (index < 0 || index >= this.#run.length) {
      this.state = CURSOR.END;
      return;
    }
    const isOpen = index === this.#index && this.#table !== undefined;
    const table = isOpen ? this.#table : this.#run.open(index);
    this.#index = index;
    this.#table = table;
    if (table === undefined) this.state = CURSOR.BLOCKED;
    else this.#begin(table);
  }

  #begin(table: EntryCursor): void {
    this.#table = table;
    switch (this.#move) {
      case MOVE.FIRST:
        table.first();
        break;
      case MOVE.LAST:
        table.last();
        break;
      case MOVE.SEEK:
        table.seek(this.#targetKey, this.#targetLow, this.#targetHigh);
        break;
      case MOVE.SEEK_BEFORE:
        table.seekBefore(this.#targetKey, this.#targetLow, this.#targetHigh);
        break;
    }
    this.#settle(table);
  }

  /** After the table's cursor has moved: takes over its entry, or goes on to the next table. */
  #settle(table: EntryCursor): void {
    this.state = table.state;
    if (table.state === CURSOR.VALID) {
      this.key = table.key;
      this.keyStart = table.keyStart;
      this.keyEnd = table.keyEnd;
      this.trailerLow = table.trailerLow;
      this.trailerHigh = table.trailerHigh;
      this.value = table.value;
      this.valueStart = table.valueStart;
      this.valueEnd = table.valueEnd;
    } else if (table.state === CURSOR.END) {
      if (this.#reverse) this.#enter(this.#index - 1, MOVE.LAST);
      else this.#enter(this.#index + 1, MOVE.FIRST);
    }
  }
}
