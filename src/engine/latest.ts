/**
 * The commit point's view of keys: what was submitted last, visible yet or not. A write that depends on it is checked
 * and applied in one synchronous step, so that nothing comes in between.
 *
 * What is not in memory is fetched first, as of the sequence submitted by then; it holds as long as nothing newer was
 * written to the key, which memtables and the tables written since tell without asking the disk.
 */
import { KeyHash } from "../bytes/key-hash.ts";
import { KIND_SEEK, SEQUENCE_MAX, trailerHigh, trailerLow } from "../key.ts";
import type { Reads } from "./reads.ts";
import type { Tree } from "./tree.ts";
import type { ValueFold } from "./value-fold.ts";

/** Keys that are fetched at a time. */
const FETCHES_MAX = 32;

export interface Latest {
  /** Of the key's entry; 0 where it is absent. */
  readonly sequence: number;
  /** Of the newest that was written to the key, a delete, too; 0 where nothing is known of it. */
  readonly changed: number;
  readonly value: Uint8Array | undefined;
  /** From when on the value is absent; `Infinity` where it does not expire. */
  readonly expiresAtMs: number;
}

interface Fetched {
  readonly latest: Latest;
  /** All that was submitted up to this sequence was seen. */
  readonly asOf: number;
}

export class LatestReads {
  readonly #tree: Tree;
  readonly #reads: Reads;
  readonly #submittedSequence: () => number;
  readonly #hash = new KeyHash();

  constructor(tree: Tree, reads: Reads, submittedSequence: () => number) {
    this.#tree = tree;
    this.#reads = reads;
    this.#submittedSequence = submittedSequence;
  }

  /**
   * Calls `act` with what there is of the keys, in their order, in the synchronous step in which it was found to be
   * so. That is this one if all is in memory. The keys' bytes must stay as they are.
   */
  async use<Result>(
    keys: readonly Uint8Array[],
    act: (latest: readonly Latest[]) => Result,
  ): Promise<Awaited<Result>> {
    const fetched = new Map<number, Fetched>();
    for (;;) {
      while (this.#tree.pendingIngest !== undefined) await this.#tree.pendingIngest.settled;
      const states: Latest[] = [];
      const missing: number[] = [];
      for (const [i, key] of keys.entries()) {
        const state = this.#kept(key, fetched.get(i)) ?? this.#cached(key);
        if (state === undefined) missing.push(i);
        else states.push(state);
      }
      if (missing.length === 0) return await act(states);
      for (let first = 0; first < missing.length; first += FETCHES_MAX) {
        const some = missing.slice(first, first + FETCHES_MAX);
        await Promise.all(
          some.map(async (i) => fetched.set(i, await this.#fetch(keys[i] as Uint8Array))),
        );
      }
    }
  }

  #cached(key: Uint8Array): Latest | undefined {
    const fold = this.#reads.foldOf(this.#tree.view, key, SEQUENCE_MAX);
    const isWhole = fold.advance();
    fold.end();
    return isWhole ? latestOf(fold) : undefined;
  }

  async #fetch(key: Uint8Array): Promise<Fetched> {
    const { views } = this.#tree;
    while (this.#tree.pendingIngest !== undefined) await this.#tree.pendingIngest.settled;
    const asOf = this.#submittedSequence();
    const view = views.pin();
    const fold = this.#reads.foldOf(view, key, asOf);
    try {
      while (!fold.advance()) await fold.load();
    } finally {
      fold.end();
      views.unpin(view);
    }
    return { latest: latestOf(fold), asOf };
  }

  /** What was fetched, if nothing newer can have been written to the key since. */
  #kept(key: Uint8Array, fetched: Fetched | undefined): Latest | undefined {
    if (fetched === undefined || this.#hasNewer(key, fetched.asOf)) return undefined;
    return fetched.latest;
  }

  #hasNewer(key: Uint8Array, sequence: number): boolean {
    const { memtables, version } = this.#tree.view;
    this.#hash.update(key);
    const low = trailerLow(SEQUENCE_MAX, KIND_SEEK);
    const high = trailerHigh(SEQUENCE_MAX);
    for (const memtable of memtables) {
      const deleted = memtable.ranges?.covering(key, SEQUENCE_MAX) ?? 0;
      if (deleted > sequence) return true;
      const node = memtable.find(this.#hash, key, low, high);
      if (memtable.sequenceAt(node) > sequence) return true;
    }
    return version.tablesFor(key).some((table) => table.largestSequence > sequence);
  }
}

function latestOf({ sequence, value, expiresAtMs }: ValueFold): Latest {
  return { sequence: value === undefined ? 0 : sequence, changed: sequence, value, expiresAtMs };
}
