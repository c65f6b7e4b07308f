/**
 * Where keys of keyspaces stand. A store has one order of keys, in which each keyspace has a stretch of its own. What is
 * stored, and what travels, is the stored key:
 *
 *   00 | id u32, big-endian | key      of the keyspace with this id; 0 is the store's own
 *   00 | ff | key                      of the default keyspace, where the key begins with a zero byte
 *   key                                of the default keyspace, otherwise
 *
 * Ids are below 0xff000000, so that no stretch reaches into another. Within each the order of keys is that of their
 * callers. A `KeyMapping` takes what a caller says to what is stored and back; it checks nothing, as that is for those
 * who know the limits and which keyspaces there are.
 *
 * Source of the idea: FoundationDB's directory and subspace layers.
 */
import { VarveError } from "./errors.ts";
import type { Data, KeyRange, WatchEvent } from "./store.ts";

export const KEYSPACE_ID_MAX = 0xfeffffff;
/** Of the store's own keys. */
export const SYSTEM_KEYSPACE = 0;
/** As an id: of the default keyspace, and of what is stored as it is given. */
export const NO_KEYSPACE = -1;
/** The most by which a stored key is longer than its caller's. */
const KEY_PREFIX_BYTES_MAX = 1 + 4;

const ESCAPE = Uint8Array.of(0, 0xff);
const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;

/** The keyspace's first possible key, which no entry has. */
export function keyspaceStart(id: number): Uint8Array {
  if (id === NO_KEYSPACE) return ESCAPE;
  return Uint8Array.of(0, id >>> 24, id >>> 16, id >>> 8, id);
}

/** The first key behind the keyspace; `undefined` where there is none. */
export function keyspaceEnd(id: number): Uint8Array | undefined {
  if (id === NO_KEYSPACE) return undefined;
  return id === KEYSPACE_ID_MAX ? ESCAPE : keyspaceStart(id + 1);
}

/** The keyspace of the stored key, or bound, that begins at `start`; `undefined` where it is none's. */
export function keyspaceOf(stored: Uint8Array, start = 0): number | undefined {
  if (stored[start] !== 0 || stored[start + 1] === 0xff) return NO_KEYSPACE;
  if (stored.length < start + KEY_PREFIX_BYTES_MAX) return undefined;
  const [high, low] = [stored[start + 1]! << 8, stored[start + 3]! << 8];
  return (((high | stored[start + 2]!) << 16) | low | stored[start + 4]!) >>> 0;
}

/** Bytes of a stored key before its caller's, from `start` on. */
export function prefixBytesOf(stored: Uint8Array, start = 0): number {
  if (stored[start] !== 0) return 0;
  return stored[start + 1] === 0xff ? ESCAPE.length : KEY_PREFIX_BYTES_MAX;
}

export class KeyMapping {
  /** For those who deal in stored keys. */
  static readonly STORED = new KeyMapping(undefined, false);
  static readonly DEFAULT = new KeyMapping(undefined, true);

  /** Callers see less of a key than is stored. */
  readonly hidesPrefix: boolean;
  readonly #prefix: Uint8Array | undefined;
  readonly #end: Uint8Array | undefined;
  readonly #escapes: boolean;

  private constructor(id: number | undefined, escapes: boolean) {
    this.#prefix = id === undefined ? undefined : keyspaceStart(id);
    this.#end = id === undefined ? undefined : keyspaceEnd(id);
    this.#escapes = escapes;
    this.hidesPrefix = id !== undefined || escapes;
  }

  static of(id: number): KeyMapping {
    return new KeyMapping(id, false);
  }

  /** Hot path. What is no key comes out as it is. */
  toStored(key: Data): Data {
    const prefix = this.#prefix;
    if (prefix !== undefined) return joined(prefix, key);
    return this.#escapes && beginsWithZero(key) ? joined(ESCAPE, key) : key;
  }

  /** The caller's key, in the same memory. */
  fromStored(stored: Uint8Array): Uint8Array {
    if (stored[0] !== 0 || !this.hidesPrefix) return stored;
    return stored.subarray(prefixBytesOf(stored));
  }

  /** The range's part of this keyspace, bounded on all sides on which the keyspace is; with all else that stands beside. */
  toStoredRange<Range extends KeyRange>(range: Range): Range {
    if (!this.hidesPrefix) return range;
    if (typeof range !== "object" || range === null) return range;
    const stored: { -readonly [Bound in keyof KeyRange]: Data } = {};
    let isBoundedBelow = false;
    for (const name of BOUNDS) {
      const bound = range[name];
      if (bound === undefined) continue;
      const isLower = name === "gte" || name === "gt" || name === "prefix";
      // Nothing comes before an empty key, and all keys begin with it.
      if (isLower && bound?.length === 0) continue;
      stored[name] = this.toStored(bound);
      isBoundedBelow ||= isLower;
    }
    if (!isBoundedBelow) stored.gte = this.#prefix ?? ESCAPE;
    const uppers = [stored.lt, stored.lte, stored.prefix];
    const isBoundedAbove = uppers.some((bound) => bound !== undefined);
    if (this.#end !== undefined && !isBoundedAbove) stored.lt = this.#end;
    const { gte: _gte, gt: _gt, lt: _lt, lte: _lte, prefix: _prefix, ...rest } = range;
    return { ...rest, ...stored } as unknown as Range;
  }

  /** The event with its caller's keys. Its arrays may be the same. */
  fromStoredEvent(event: WatchEvent): WatchEvent {
    if (!this.hidesPrefix) return event;
    if (event.type === "ingest") return this.#fromStoredStretch(event);
    if (event.type === "progress") return event;
    const operations = event.operations.map((operation) =>
      operation.type === "deleteRange"
        ? this.#fromStoredStretch(operation)
        : { ...operation, key: this.fromStored(operation.key) },
    );
    return { ...event, operations };
  }

  /** What ends with the keyspace has no end for its caller. */
  #fromStoredStretch<Stretch extends { readonly gte: Uint8Array; readonly lt?: Uint8Array }>(
    stretch: Stretch,
  ): Stretch {
    const { gte, lt, ...rest } = stretch;
    const end = this.#end;
    const isOpen = lt === undefined || (end !== undefined && Buffer.compare(lt, end) === 0);
    return {
      ...rest,
      gte: this.fromStored(gte),
      ...(isOpen ? {} : { lt: this.fromStored(lt) }),
    } as unknown as Stretch;
  }
}

/** Whether any bound is given. */
export function hasBounds(range: KeyRange): boolean {
  if (typeof range !== "object" || range === null) return false;
  return BOUNDS.some((name) => range[name] !== undefined);
}

const mappings = new WeakMap<object, { readonly owner: object; readonly keys: KeyMapping }>();

/** Makes a view of one keyspace known as one of the store that `owner` stands for. */
export function registerKeyspace(view: object, owner: object, keys: KeyMapping): void {
  mappings.set(view, { owner, keys });
}

/** The keys of a view; throws `INVALID_ARGUMENT` for what is no keyspace of this very store. */
export function mappingOf(view: unknown, owner: object): KeyMapping {
  const found = typeof view === "object" && view !== null ? mappings.get(view) : undefined;
  if (found?.owner === owner) return found.keys;
  const message = "a keyspace is what the same store's keyspace() has resolved to";
  throw new VarveError("INVALID_ARGUMENT", message);
}

function beginsWithZero(key: Data): boolean {
  return typeof key === "string" ? key.charCodeAt(0) === 0 : key?.[0] === 0;
}

function joined(prefix: Uint8Array, key: Data): Data {
  if (typeof key !== "string" && !(key instanceof Uint8Array)) return key;
  const bytes = typeof key === "string" ? Buffer.from(key) : key;
  const whole = new Uint8Array(prefix.length + bytes.length);
  whole.set(prefix);
  whole.set(bytes, prefix.length);
  return whole;
}
