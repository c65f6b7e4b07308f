/** The checks of arguments that every write and read passes before anything is changed. */
import { toBytes } from "../bytes/data.ts";
import { VarveError } from "../errors.ts";
import type { Settings } from "../options.ts";
import {
  type Data,
  DURABILITIES,
  type Durability,
  type Operation,
  type ScanOptions,
} from "../store.ts";

type Limits = Pick<
  Settings,
  "keyBytesMax" | "valueBytesMax" | "batchBytesMax" | "batchOperationsMax"
>;

function describe(value: unknown): string {
  return value === null ? "null" : typeof value;
}

export function checkKey(key: Data, limits: Limits): Uint8Array {
  if (typeof key !== "string" && !(key instanceof Uint8Array)) {
    const message = `a key is a string or a Uint8Array, not ${describe(key)}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  const bytes = toBytes(key);
  if (bytes.length === 0) throw new VarveError("KEY_EMPTY", "a key has at least one byte");
  if (bytes.length > limits.keyBytesMax) {
    const message = `the key has ${bytes.length} bytes; at most ${limits.keyBytesMax} are allowed`;
    throw new VarveError("KEY_TOO_LARGE", message);
  }
  return bytes;
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

interface CheckedOperation {
  readonly key: Uint8Array;
  /** `undefined` for a delete. */
  readonly value: Uint8Array | undefined;
}

export interface CheckedBatch {
  readonly operations: readonly CheckedOperation[];
  /** Keys and values together. */
  readonly bytes: number;
}

/** Checks all of a batch, so that it is refused before any of it is applied. */
export function checkBatch(operations: readonly Operation[], limits: Limits): CheckedBatch {
  if (!Array.isArray(operations)) {
    throw new VarveError("INVALID_ARGUMENT", "a batch is an array of operations");
  }
  if (operations.length > limits.batchOperationsMax) {
    const message = `the batch has ${operations.length} operations; at most ${limits.batchOperationsMax} are allowed`;
    throw new VarveError("BATCH_TOO_LARGE", message);
  }
  let bytes = 0;
  const checked = operations.map((operation: Operation) => {
    const key = checkKey(operation?.key, limits);
    const value = operation.type === "put" ? checkValue(operation.value, limits) : undefined;
    if (value === undefined && operation.type !== "delete") {
      const type = String((operation as { type: unknown }).type);
      throw new VarveError("INVALID_ARGUMENT", `an operation is a put or a delete, not ${type}`);
    }
    bytes += key.length + (value?.length ?? 0);
    return { key, value };
  });
  if (bytes > limits.batchBytesMax) {
    const message = `the batch has ${bytes} bytes; at most ${limits.batchBytesMax} are allowed`;
    throw new VarveError("BATCH_TOO_LARGE", message);
  }
  return { operations: checked, bytes };
}

/** The batch with arrays of its own, for a write that must wait while the caller goes on. */
export function copyBatch(batch: CheckedBatch): CheckedBatch {
  const operations = batch.operations.map(({ key, value }) => ({
    key: new Uint8Array(key),
    value: value === undefined ? undefined : new Uint8Array(value),
  }));
  return { operations, bytes: batch.bytes };
}

const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;

/** Bounds may be empty: an empty `gte` is below every key. */
export function checkScan(options: ScanOptions | undefined, limits: Limits): ScanOptions {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null) {
    throw new VarveError("INVALID_ARGUMENT", `scan takes an object, not ${describe(options)}`);
  }
  for (const name of BOUNDS) checkBound(name, options[name], limits);
  const { limit, reverse } = options;
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 0)) {
    throw new VarveError("INVALID_ARGUMENT", `limit is ${limit}; it must be a whole number from 0`);
  }
  if (reverse !== undefined && typeof reverse !== "boolean") {
    throw new VarveError("INVALID_ARGUMENT", `reverse is a boolean, not ${describe(reverse)}`);
  }
  return options;
}

export interface KeyRange {
  readonly gte: Uint8Array | undefined;
  readonly lte: Uint8Array | undefined;
}

export function checkRange(
  range: { readonly gte?: Data; readonly lte?: Data },
  limits: Limits,
): KeyRange {
  return { gte: checkBound("gte", range.gte, limits), lte: checkBound("lte", range.lte, limits) };
}

function checkBound(name: string, bound: Data | undefined, limits: Limits): Uint8Array | undefined {
  if (bound === undefined) return undefined;
  if (typeof bound !== "string" && !(bound instanceof Uint8Array)) {
    const message = `${name} is a string or a Uint8Array, not ${describe(bound)}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  const bytes = toBytes(bound);
  if (bytes.length > limits.keyBytesMax) {
    const message = `${name} has ${bytes.length} bytes; keys have at most ${limits.keyBytesMax}`;
    throw new VarveError("KEY_TOO_LARGE", message);
  }
  return bytes;
}
