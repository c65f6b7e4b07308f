/**
 * Up to which sequence versions may go, by keyspace: those with a retention of their own have a horizon of their own, and
 * all other keys share one. Who is asked of a range of keys in several keyspaces answers for the one that keeps the most,
 * or the least.
 */
import { KEYSPACE_ID_MAX } from "../store.ts";

/** Of keyspaces with a retention of their own, ascending by id. */
export type KeyspaceHorizonList = readonly (readonly [id: number, horizon: number])[];

/** Of a key of a keyspace other than the default one. */
const PREFIX_BYTES = 5;
const NEVER = Number.POSITIVE_INFINITY;

export class Horizons {
  /** Nothing is kept for the past alone. */
  static readonly NONE = new Horizons(NEVER);

  /** Of all keys that are in none of the keyspaces of `own`. */
  readonly rest: number;
  readonly own: KeyspaceHorizonList;
  readonly #byId: ReadonlyMap<number, number>;

  constructor(rest: number, own: KeyspaceHorizonList = []) {
    this.rest = rest;
    this.own = own;
    this.#byId = new Map(own);
  }

  of(keyspace: number): number {
    return this.#byId.get(keyspace) ?? this.rest;
  }

  /** Whether the keyspace has a horizon of its own. */
  isOwn(keyspace: number): boolean {
    return this.#byId.has(keyspace);
  }

  /** Whether all keys from `smallest` to `largest`, a key or a range's end, are in one keyspace with a horizon of its own. */
  isWithinOwn(smallest: Uint8Array, largest: Uint8Array | undefined): boolean {
    const place = placeOf(smallest);
    return this.#byId.has(place) && place === lastPlaceOf(largest);
  }

  /** Of the keyspaces with keys from `smallest` to `largest` the horizon that keeps the most. */
  leastIn(smallest: Uint8Array, largest: Uint8Array | undefined): number {
    return this.#chosen(smallest, largest, Math.min);
  }

  /** And the one that keeps the least. */
  mostIn(smallest: Uint8Array, largest: Uint8Array | undefined): number {
    return this.#chosen(smallest, largest, Math.max);
  }

  /** The one that keeps the least of all. */
  get most(): number {
    return this.own.reduce((most, [, horizon]) => Math.max(most, horizon), this.rest);
  }

  /** Those of the list with keys from `smallest` to `largest`, whether that is a key or a range's end. */
  ownIn(smallest: Uint8Array, largest: Uint8Array | undefined): KeyspaceHorizonList {
    const last = lastPlaceOf(largest);
    const first = this.#indexFrom(placeOf(smallest));
    let end = first;
    while (end < this.own.length && this.own[end]![0] <= last) end++;
    return this.own.slice(first, end);
  }

  #chosen(
    smallest: Uint8Array,
    largest: Uint8Array | undefined,
    choose: (a: number, b: number) => number,
  ): number {
    if (this.own.length === 0) return this.rest;
    const horizons = this.ownIn(smallest, largest).map(([, horizon]) => horizon);
    if (!this.isWithinOwn(smallest, largest)) horizons.push(this.rest);
    return horizons.reduce((chosen, horizon) => choose(chosen, horizon));
  }

  /** Where in the list the first keyspace is that is not before a place. */
  #indexFrom(place: number): number {
    let low = 0;
    let high = this.own.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.own[middle]![0] >= place) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The place of a stored key, or of a range's start, among keyspaces: its id, or behind all, for the default one. */
function placeOf(start: Uint8Array): number {
  if ((start[0] ?? 0) !== 0 || start[1] === 0xff) return NEVER;
  // Of older stores a range may begin before every key.
  const [high, low] = [(start[1] ?? 0) << 8, (start[3] ?? 0) << 8];
  return (((high | (start[2] ?? 0)) << 16) | low | (start[4] ?? 0)) >>> 0;
}

/** The place of what comes last before, or at, a bound: where a keyspace begins there is no key yet. */
function lastPlaceOf(end: Uint8Array | undefined): number {
  if (end === undefined) return NEVER;
  const place = placeOf(end);
  if (place === NEVER) return end.length === 2 && end[0] === 0 ? KEYSPACE_ID_MAX : NEVER;
  return end.length <= PREFIX_BYTES ? place - 1 : place;
}
