/**
 * Which versions of a user key a flush or compaction may drop. Open snapshots cut the sequence numbers into
 * stripes: all versions in one stripe look the same to every reader, but for the newest of them, which hides the
 * others. Above the horizon, from where on the past is retained, each sequence is a stripe. So of each stripe the newest version is kept, and what can still be asked of the others, how many they
 * were and since when, is folded into it (`version-fold.ts`).
 *
 * Keyspaces may have a horizon of their own. Then whoever asks says first which key, or range, it is about.
 */
import { keyspaceOf, NO_KEYSPACE } from "../store.ts";
import { Horizons, type KeyspaceHorizonList } from "./horizons.ts";

/** Of a range, instead of an id. */
const NO_KEY = -2;

export class Stripes {
  /** Keyspaces have horizons of their own: `enterKey` and `enterRange` are to be called. */
  readonly hasKeyspaces: boolean;
  /** Sequences of the open snapshots, ascending. */
  readonly #snapshots: readonly number[];
  readonly #horizons: Horizons;
  /** Of the key that it is about. */
  #keyspace: number = NO_KEYSPACE;
  #horizon: number;

  constructor(
    snapshots: readonly number[],
    horizon = Number.POSITIVE_INFINITY,
    keyspaces: KeyspaceHorizonList = [],
  ) {
    this.#snapshots = snapshots;
    this.#horizons = new Horizons(horizon, keyspaces);
    this.#horizon = horizon;
    this.hasKeyspaces = keyspaces.length > 0;
  }

  get keyspace(): number {
    return this.#keyspace;
  }

  /** From now on it is about this key, which is at the start of the array. Whether it is in another keyspace than before. */
  enterKey(key: Uint8Array): boolean {
    const keyspace = key[0] === 0 ? (keyspaceOf(key) ?? NO_KEYSPACE) : NO_KEYSPACE;
    if (keyspace === this.#keyspace) return false;
    this.#keyspace = keyspace;
    this.#horizon = this.#horizons.of(keyspace);
    return true;
  }

  /** From now on it is about this range. Of one that is in several keyspaces as much is kept as any of them keeps. */
  enterRange(start: Uint8Array, end: Uint8Array | undefined): void {
    if (!this.hasKeyspaces) return;
    this.#keyspace = NO_KEY;
    this.#horizon = this.#horizons.leastIn(start, end);
  }

  /** Up to the horizon the number of snapshots that are too old to see the sequence: 0 is the oldest stripe. */
  of(sequence: number): number {
    const snapshots = this.#snapshots;
    if (sequence > this.#horizon) return snapshots.length + sequence - this.#horizon;
    let stripe = 0;
    while (stripe < snapshots.length && snapshots[stripe]! < sequence) stripe++;
    return stripe;
  }
}
