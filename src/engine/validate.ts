/** The checks of arguments that every write and read passes before anything is changed. */

import { compareBytes } from "../bytes/compare.ts";
import { toBytes } from "../bytes/data.ts";
import { type BoundOptions, type KeyBounds, keyBounds } from "../cursor/bounds.ts";
import { withExpiry } from "../entry-header.ts";
import { VarveError } from "../errors.ts";
import { FLAG, KIND, TIME_MAX_MS } from "../key.ts";
import { encodeOperand } from "../merge-operators.ts";
import type { Settings } from "../options.ts";
import {
  COUNTER_BYTES,
  type Data,
  type KeyRange as DeletedRange,
  DURABILITIES,
  type Durability,
  type Expiry,
  encodeCounter,
  hasBounds,
  keyspaceStart,
  MERGE_OPERATORS,
  type MergeOperator,
  NO_KEYSPACE,
  type Operand,
  type Operation,
  type PageOptions,
  prefixBytesOf,
  type ScanOptions,
} from "../store.ts";
import {
  assertKeyspace,
  assertPrefix,
  type KeyspaceLookup,
  withinKeyspace,
} from "./validate-keyspace.ts";

export interface Limits
  extends Pick<Settings, "keyBytesMax" | "valueBytesMax" | "batchBytesMax" | "batchOperationsMax"> {
  readonly keyspaces: KeyspaceLookup;
}

function describe(value: unknown): string {
  return value === null ? "null" : typeof value;
}

/** A stored key (`protocol/keyspace-keys.ts`), as everything here is about. */
export function checkKey(key: Data, limits: Limits): Uint8Array {
  if (typeof key !== "string" && !(key instanceof Uint8Array)) {
    const message = `a key is a string or a Uint8Array, not ${describe(key)}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  const bytes = toBytes(key);
  if (bytes[0] === 0) return checkPrefixedKey(bytes, limits);
  checkKeyLength(bytes.length, limits);
  return bytes;
}

function checkPrefixedKey(bytes: Uint8Array, limits: Limits): Uint8Array {
  assertKeyspace(bytes, limits.keyspaces);
  checkKeyLength(bytes.length - prefixBytesOf(bytes), limits);
  assertPrefix(bytes);
  return bytes;
}

function checkKeyLength(length: number, { keyBytesMax }: Limits): void {
  if (length === 0) throw new VarveError("KEY_EMPTY", "a key has at least one byte");
  if (length > keyBytesMax) {
    const message = `the key has ${length} bytes; at most ${keyBytesMax} are allowed`;
    throw new VarveError("KEY_TOO_LARGE", message);
  }
}

export function checkValue(value: Data, limits: Limits): Uint8Array {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    const message = `a value is a string or a Uint8Array, not ${describe(value)}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  const bytes = toBytes(value);
  if (bytes.length > limits.valueBytesMax) {
    const message = `the value has ${bytes.length} bytes; at most ${limits.valueBytesMax} are allowed`;
    throw new VarveError("VALUE_TOO_LARGE", message);
  }
  return bytes;
}

export function checkDurability(durability: Durability): Durability {
  if (DURABILITIES.includes(durability)) return durability;
  const message = `durability is ${String(durability)}; it must be one of ${DURABILITIES.join(", ")}`;
  throw new VarveError("INVALID_ARGUMENT", message);
}

/** An operation as it is stored. */
export interface StoredOperation {
  /** One of `KIND`, with flags. */
  readonly kind: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface CheckedBatch {
  readonly operations: readonly StoredOperation[];
  /** Keys and values together. */
  readonly bytes: number;
}

const NO_VALUE = new Uint8Array(0);

/** Checks all of a batch, so that it is refused before any of it is applied. */
export function checkBatch(
  operations: readonly Operation[],
  limits: Limits,
  nowMs: number,
): CheckedBatch {
  if (!Array.isArray(operations)) {
    throw new VarveError("INVALID_ARGUMENT", "a batch is an array of operations");
  }
  if (operations.length > limits.batchOperationsMax) {
    const message = `the batch has ${operations.length} operations; at most ${limits.batchOperationsMax} are allowed`;
    throw new VarveError("BATCH_TOO_LARGE", message);
  }
  let bytes = 0;
  const checked = operations.map((operation: Operation) => {
    const stored = checkOperation(operation, limits, nowMs);
    bytes += stored.key.length + stored.value.length;
    return stored;
  });
  if (bytes > limits.batchBytesMax) {
    const message = `the batch has ${bytes} bytes; at most ${limits.batchBytesMax} are allowed`;
    throw new VarveError("BATCH_TOO_LARGE", message);
  }
  return { operations: checked, bytes };
}

function checkOperation(operation: Operation, limits: Limits, nowMs: number): StoredOperation {
  if (operation?.type === "deleteRange") return storedRange(operation, limits);
  const key = checkKey(operation?.key, limits);
  switch (operation.type) {
    case "put":
      return storedPut(
        key,
        checkValue(operation.value, limits),
        expiryOf(key, operation, limits, nowMs),
      );
    case "delete":
      return { kind: KIND.DELETE, key, value: NO_VALUE };
    case "merge":
      return {
        kind: KIND.MERGE,
        key,
        value: checkOperand(operation.operator, operation.operand, limits),
      };
    default: {
      const type = String((operation as { type: unknown }).type);
      const message = `an operation is a put, a delete, a merge or a deleteRange, not ${type}`;
      throw new VarveError("INVALID_ARGUMENT", message);
    }
  }
}

/** The range from the operation's key up to its value; see `KIND.RANGE_DELETE`. `undefined` where it is empty. */
export function storedRange(range: DeletedRange, limits: Limits): StoredOperation {
  if (!hasBounds(range)) {
    const message = `deleteRange takes bounds (${BOUNDS.join(", ")}); an empty gte stands for all keys`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  const [gte, gt, lt, lte, prefix] = BOUNDS.map((name) => checkBound(name, range[name], limits));
  const { lower, upper } = withinKeyspace(
    keyBounds({ gte, gt, lt, lte, prefix }),
    limits.keyspaces,
  );
  const start = lower ?? keyspaceStart(NO_KEYSPACE);
  // An end at or before the start: the range is empty, and deletes nothing.
  const isEmpty = upper !== undefined && compareBytes(upper, start) <= 0;
  return { kind: KIND.RANGE_DELETE, key: start, value: isEmpty ? start : (upper ?? NO_VALUE) };
}

export function storedPut(
  key: Uint8Array,
  value: Uint8Array,
  expiresAtMs: number | undefined,
): StoredOperation {
  if (expiresAtMs === undefined) return { kind: KIND.PUT, key, value };
  return { kind: KIND.PUT | FLAG.EXPIRES, key, value: withExpiry(value, expiresAtMs) };
}

/** The batch with arrays of its own, for a write that must wait while the caller goes on. */
export function copyBatch(batch: CheckedBatch): CheckedBatch {
  const operations = batch.operations.map(({ kind, key, value }) => ({
    kind,
    key: new Uint8Array(key),
    value: new Uint8Array(value),
  }));
  return { operations, bytes: batch.bytes };
}

/** When an entry expires, by the wall clock; `undefined` where nothing says so. */
export function checkExpiry({ ttlMs, expiresAt }: Expiry, nowMs: number): number | undefined {
  if (ttlMs !== undefined && expiresAt !== undefined) {
    throw new VarveError("INVALID_ARGUMENT", "give ttlMs or expiresAt, not both");
  }
  if (ttlMs !== undefined) {
    if (!Number.isSafeInteger(ttlMs) || ttlMs < 1) {
      const message = `ttlMs is ${String(ttlMs)}; it must be a whole number from 1`;
      throw new VarveError("INVALID_ARGUMENT", message);
    }
    return Math.min(nowMs + ttlMs, TIME_MAX_MS);
  }
  if (expiresAt === undefined) return undefined;
  if (!Number.isSafeInteger(expiresAt) || expiresAt < 0 || expiresAt > TIME_MAX_MS) {
    const message = `expiresAt is ${String(expiresAt)}; it must be a whole number of milliseconds from 0 to ${TIME_MAX_MS}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  return expiresAt;
}

const NO_EXPIRY: Expiry = {};

/** When what is put to a stored key expires: what the caller says, or else its keyspace. */
export function expiryOf(
  key: Uint8Array,
  expiry: Expiry | undefined,
  { keyspaces }: Limits,
  nowMs: number,
): number | undefined {
  const given = checkExpiry(expiry ?? NO_EXPIRY, nowMs);
  if (given !== undefined || key[0] !== 0) return given;
  const ttlMs = keyspaces.ttlMsOf(key);
  return ttlMs === undefined ? undefined : Math.min(nowMs + ttlMs, TIME_MAX_MS);
}

/** The operand as it is stored. */
export function checkOperand(
  operator: MergeOperator,
  operand: Operand,
  limits: Limits,
): Uint8Array {
  if (!MERGE_OPERATORS.includes(operator)) {
    const message = `the merge operator is ${String(operator)}; it must be one of ${MERGE_OPERATORS.join(", ")}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  if (typeof operand === "number" || typeof operand === "bigint") {
    if (operator === "append") {
      throw new VarveError("INVALID_ARGUMENT", "append takes a string or a Uint8Array");
    }
    return encodeOperand(operator, encodeCounter(operand));
  }
  const bytes = checkValue(operand, limits);
  if (operator !== "append" && (typeof operand === "string" || bytes.length !== COUNTER_BYTES)) {
    const message = `${operator} takes a number, a bigint or the ${COUNTER_BYTES} bytes of a counter`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  return encodeOperand(operator, bytes);
}

const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;

/** The bounds as bytes of their own: what comes of them may begin after the caller has used its arrays again. */
export function checkBounds(range: DeletedRange, limits: Limits): KeyBounds {
  const own: { -readonly [name in keyof BoundOptions]: BoundOptions[name] } = {};
  for (const name of BOUNDS) {
    const bound = checkBound(name, range[name], limits);
    if (bound !== undefined) own[name] = new Uint8Array(bound);
  }
  return withinKeyspace(keyBounds(own), limits.keyspaces);
}

/** All but what the bounds are; see `checkBounds`. They may be empty: an empty `gte` is below every key. */
export function checkScan(options: ScanOptions | undefined): ScanOptions {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null) {
    throw new VarveError("INVALID_ARGUMENT", `scan takes an object, not ${describe(options)}`);
  }
  const { limit, limitBytes } = options;
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 0)) {
    throw new VarveError("INVALID_ARGUMENT", `limit is ${limit}; it must be a whole number from 0`);
  }
  if (limitBytes !== undefined && (!Number.isInteger(limitBytes) || limitBytes < 1)) {
    const message = `limitBytes is ${limitBytes}; it must be a whole number from 1`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  for (const name of ["reverse", "keysOnly", "seekable"] as const) {
    const flag: unknown = options[name];
    if (flag === undefined || typeof flag === "boolean") continue;
    throw new VarveError("INVALID_ARGUMENT", `${name} is a boolean, not ${describe(flag)}`);
  }
  return options;
}

/** Whether the cursor is one of such a scan is seen when it is used. */
export function checkPage(options: PageOptions | undefined): PageOptions {
  const checked: PageOptions = checkScan(options);
  const { cursor, limit } = checked;
  if (limit === 0) throw new VarveError("INVALID_ARGUMENT", "a page has room for at least 1 entry");
  if (cursor === undefined || cursor instanceof Uint8Array) return checked;
  const message = `cursor is a Uint8Array, as the page before gave it, not ${describe(cursor)}`;
  throw new VarveError("INVALID_ARGUMENT", message);
}

export interface InclusiveRange {
  readonly gte: Uint8Array | undefined;
  readonly lte: Uint8Array | undefined;
}

export function checkRange(
  range: { readonly gte?: Data; readonly lte?: Data },
  limits: Limits,
): InclusiveRange {
  return { gte: checkBound("gte", range.gte, limits), lte: checkBound("lte", range.lte, limits) };
}

function checkBound(name: string, bound: Data | undefined, limits: Limits): Uint8Array | undefined {
  if (bound === undefined) return undefined;
  if (typeof bound !== "string" && !(bound instanceof Uint8Array)) {
    const message = `${name} is a string or a Uint8Array, not ${describe(bound)}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  const bytes = toBytes(bound);
  const length = bytes.length - Math.min(prefixBytesOf(bytes), bytes.length);
  if (length > limits.keyBytesMax) {
    const message = `${name} has ${length} bytes; keys have at most ${limits.keyBytesMax}`;
    throw new VarveError("KEY_TOO_LARGE", message);
  }
  return bytes;
}
