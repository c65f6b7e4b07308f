/**
 * How far back the past is whole: for most keys from `prunedTo` on, and for the keyspaces that are named each from a
 * sequence of its own. Immutable.
 *
 * Invariant: of no key anything was dropped that a read at or above its keyspace's sequence needs. That depends on no
 * setting: whatever drops something says so for the keyspaces whose keys it dropped, by the horizons that it was told when
 * it began. So a keyspace's sequence only goes up, also where its retention is made shorter and longer again, or given
 * up; and a keyspace that is not named shares that of the rest until what is dropped elsewhere is none of its own.
 */
export interface Pruned {
  /** Of all keyspaces that are not named: what was dropped was of use to no read at or above this sequence. */
  readonly to: number;
  /** Of those that were kept by a horizon of their own; 0 where nothing was dropped. */
  readonly keyspaces: KeyspacePastList;
}

/** By keyspace, the sequence from which on its past is whole. */
export type KeyspacePastList = readonly (readonly [id: number, prunedTo: number])[];

export class Past {
  static readonly WHOLE = new Past(0, new Map());

  readonly prunedTo: number;
  /** None has the same sequence as the rest. */
  readonly #keyspaces: ReadonlyMap<number, number>;

  private constructor(prunedTo: number, keyspaces: ReadonlyMap<number, number>) {
    this.prunedTo = prunedTo;
    this.#keyspaces = keyspaces;
  }

  /** From where on the past of a keyspace is whole. */
  prunedOf(keyspace: number): number {
    return this.#keyspaces.get(keyspace) ?? this.prunedTo;
  }

  /** Of keyspaces that are not as the rest is, ascending by id. */
  get keyspaces(): KeyspacePastList {
    return [...this.#keyspaces].sort(([a], [b]) => a - b);
  }

  /** As an edit says: the keyspaces that it names are where it has them, and no other ones move apart from the rest. */
  with(prunedTo: number, keyspaces: KeyspacePastList): Past {
    const next = Math.max(this.prunedTo, prunedTo);
    if (next === this.prunedTo && keyspaces.length === 0) return this;
    const all = new Map([...this.#keyspaces, ...keyspaces]);
    for (const [id, own] of all) if (own === next) all.delete(id);
    return new Past(next, all);
  }

  /** After something was dropped. Of keyspaces that are not there any more nothing is known, as nobody reads them. */
  after(pruned: Pruned, isThere: (keyspace: number) => boolean): Past {
    const prunedTo = Math.max(this.prunedTo, pruned.to);
    const own = new Map(pruned.keyspaces);
    const all = new Map<number, number>();
    for (const id of new Set([...this.#keyspaces.keys(), ...own.keys()])) {
      if (isThere(id)) all.set(id, Math.max(this.prunedOf(id), own.get(id) ?? pruned.to));
    }
    for (const [id, sequence] of all) if (sequence === prunedTo) all.delete(id);
    return new Past(prunedTo, all);
  }

  /** What an edit says to come from `before` to this: see `with`. */
  changesSince(before: Past): { prunedTo: number; prunedKeyspaces: KeyspacePastList } {
    const { prunedTo } = this;
    const ids = new Set([...before.#keyspaces.keys(), ...this.#keyspaces.keys()]);
    const changes: (readonly [number, number])[] = [];
    for (const id of ids) {
      const unsaid = before.#keyspaces.get(id) ?? prunedTo;
      if (this.prunedOf(id) !== unsaid) changes.push([id, this.prunedOf(id)]);
    }
    return { prunedTo, prunedKeyspaces: changes };
  }
}
