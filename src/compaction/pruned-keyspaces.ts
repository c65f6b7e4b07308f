/** Of which keyspaces a merge has dropped some of the past: of those with a retention of their own, and of all others. */
import type { Horizons } from "./horizons.ts";

export class PrunedKeyspaces {
  readonly #horizons: Horizons;
  readonly #ids = new Set<number>();
  #isRestPruned = false;

  constructor(horizons: Horizons) {
    this.#horizons = horizons;
  }

  get isRestPruned(): boolean {
    return this.#isRestPruned;
  }

  /** Ascending. */
  get ids(): readonly number[] {
    return [...this.#ids].sort((a, b) => a - b);
  }

  /** A key of the keyspace has lost a version. */
  add(keyspace: number): void {
    if (this.#horizons.isOwn(keyspace)) this.#ids.add(keyspace);
    else this.#isRestPruned = true;
  }

  /** Something from `smallest` to `largest`, a key or a range's end, is gone. */
  addRange(smallest: Uint8Array, largest: Uint8Array | undefined): void {
    for (const [id] of this.#horizons.ownIn(smallest, largest)) this.#ids.add(id);
    if (!this.#horizons.isWithinOwn(smallest, largest)) this.#isRestPruned = true;
  }
}
