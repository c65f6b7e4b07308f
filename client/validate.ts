/**
 * The checks that every call passes before anything is sent, against the limits that the server announced:
 * the same codes as the embedded database, without the round trip. `validate-writes.ts` has those of writes.
 */
import {
  type Data,
  DURABILITIES,
  type Durability,
  type HistoryOptions,
  type Limits,
  type PageOptions,
  prefixBytesOf,
  type ReadOptions,
  type RequestScope,
  type ScanOptions,
  VarveError,
} from "varve-protocol";

export function invalid(message: string): never {
  throw new VarveError("INVALID_ARGUMENT", message);
}

export function describe(value: unknown): string {
  return value === null ? "null" : typeof value;
}

/** The bytes of a string's UTF-8, counted only where the count can matter: else an upper bound within `limit`. */
function bytesOf(data: Data, limit: number): number {
  if (typeof data !== "string") return data.length;
  return data.length * 3 <= limit ? data.length : Buffer.byteLength(data);
}

/** A stored key; of one that begins with a zero byte its caller's part counts. */
export function checkKey(key: Data, limits: Limits): void {
  if (typeof key !== "string" && !(key instanceof Uint8Array)) {
    invalid(`a key is a string or a Uint8Array, not ${describe(key)}`);
  }
  const hidden = typeof key === "string" ? 0 : prefixBytesOf(key);
  if (key.length <= hidden) throw new VarveError("KEY_EMPTY", "a key has at least one byte");
  const bytes = bytesOf(key, limits.keyBytesMax) - hidden;
  if (bytes > limits.keyBytesMax) {
    const message = `the key has ${bytes} bytes; at most ${limits.keyBytesMax} are allowed`;
    throw new VarveError("KEY_TOO_LARGE", message);
  }
}

export function checkValue(value: Data, limits: Limits): void {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    invalid(`a value is a string or a Uint8Array, not ${describe(value)}`);
  }
  const bytes = bytesOf(value, limits.valueBytesMax);
  if (bytes > limits.valueBytesMax) {
    const message = `the value has ${bytes} bytes; at most ${limits.valueBytesMax} are allowed`;
    throw new VarveError("VALUE_TOO_LARGE", message);
  }
}

export function checkDurability(durability: Durability | undefined): void {
  if (durability === undefined || DURABILITIES.includes(durability)) return;
  invalid(`durability is ${String(durability)}; it must be one of ${DURABILITIES.join(", ")}`);
}

export function checkKeys(keys: readonly Data[], limits: Limits): void {
  if (!Array.isArray(keys)) invalid("getMany takes an array of keys");
  if (keys.length > limits.batchOperationsMax) {
    const message = `${keys.length} keys; at most ${limits.batchOperationsMax} are allowed`;
    throw new VarveError("BATCH_TOO_LARGE", message);
  }
  for (const key of keys) checkKey(key, limits);
}

/** A bound may be empty: an empty `gte` is below every key. */
export function checkBound(name: string, bound: Data | undefined, limits: Limits): void {
  if (bound === undefined) return;
  if (typeof bound !== "string" && !(bound instanceof Uint8Array)) {
    invalid(`${name} is a string or a Uint8Array, not ${describe(bound)}`);
  }
  const bytes = bytesOf(bound, limits.keyBytesMax);
  if (bytes > limits.keyBytesMax) {
    const message = `${name} has ${bytes} bytes; keys have at most ${limits.keyBytesMax}`;
    throw new VarveError("KEY_TOO_LARGE", message);
  }
}

export function checkId(id: number): void {
  if (Number.isSafeInteger(id) && id >= 0) return;
  invalid(`a snapshot's id is a whole number, not ${String(id)}`);
}

export function checkScan(options: ScanOptions, limits: Limits): void {
  if (typeof options !== "object" || options === null) {
    invalid(`scan takes an object, not ${describe(options)}`);
  }
  for (const name of ["gte", "gt", "lt", "lte", "prefix"] as const) {
    checkBound(name, options[name], limits);
  }
  const { limit, limitBytes } = options;
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) {
    invalid(`limit is ${limit}; it must be a whole number from 0`);
  }
  if (limitBytes !== undefined && (!Number.isSafeInteger(limitBytes) || limitBytes < 1)) {
    invalid(`limitBytes is ${limitBytes}; it must be a whole number from 1`);
  }
  for (const name of ["reverse", "keysOnly", "seekable"] as const) {
    const flag: unknown = options[name];
    if (flag === undefined || typeof flag === "boolean") continue;
    invalid(`${name} is a boolean, not ${describe(flag)}`);
  }
}

/** The moment that a read asks for; `undefined` for the present. */
export function scopeOf(options: ReadOptions | undefined): RequestScope | undefined {
  const sequence = options?.at;
  if (sequence === undefined) return undefined;
  if (!Number.isSafeInteger(sequence) || sequence < 0) {
    invalid(`at is ${String(sequence)}; it must be the sequence of a commit`);
  }
  return { at: { sequence } };
}

export function checkHistory(options: HistoryOptions | undefined): void {
  const limit = options?.limit;
  if (limit === undefined || (Number.isInteger(limit) && limit >= 1 && limit < 2 ** 32)) return;
  invalid(`limit is ${String(limit)}; it must be a whole number from 1`);
}

export function checkPage(options: PageOptions, limits: Limits): void {
  checkScan(options, limits);
  const { limit, cursor } = options;
  if (limit === 0) invalid("a page has room for at least 1 entry");
  if (cursor === undefined || cursor instanceof Uint8Array) return;
  invalid(`cursor is a Uint8Array, as the page before gave it, not ${describe(cursor)}`);
}

/** A snapshot has its moment. */
export function assertNoAt(options: ReadOptions): void {
  if (options?.at === undefined) return;
  invalid("a snapshot is read as of its own sequence, not at another");
}
