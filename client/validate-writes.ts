/** The checks of what writes take beside a key and a value: conditions, expiries, operands, batches. */
import {
  COUNTER_BYTES,
  type Condition,
  type Data,
  type Expiry,
  encodeCounter,
  hasBounds,
  type KeyRange,
  type Limits,
  MERGE_OPERATORS,
  type MergeOperator,
  type Operand,
  type Operation,
  VarveError,
  type WriteCondition,
} from "varve-protocol";
import { checkBound, checkKey, checkValue, describe, invalid } from "./validate.ts";

/** The latest time that an entry can expire at. */
const EXPIRES_AT_MAX = 2 ** 43 - 1;

/** A condition as a program may have it, checked by nobody. */
interface UncheckedCondition {
  readonly key?: unknown;
  readonly range?: unknown;
  readonly unchangedSince?: unknown;
  readonly absent?: unknown;
  readonly present?: unknown;
  readonly sequence?: unknown;
}

/** The conditions of a write of `key`, as a list; a single one is on `key` itself. `undefined` for none. */
export function conditionsOf(
  key: Data,
  conditions: Condition | readonly WriteCondition[] | undefined,
  limits: Limits,
): readonly WriteCondition[] | undefined {
  if (conditions === undefined) return undefined;
  if (isList(conditions)) return checkConditions(conditions, limits);
  checkCondition(conditions);
  if ("key" in conditions) invalid("a condition that names its key stands in a list");
  return [{ ...conditions, key }];
}

/** `Array.isArray` alone does not tell lists that are read-only. */
function isList(
  conditions: Condition | readonly WriteCondition[],
): conditions is readonly WriteCondition[] {
  return Array.isArray(conditions);
}

export function checkConditions(
  conditions: readonly WriteCondition[],
  limits: Limits,
): readonly WriteCondition[] {
  if (!Array.isArray(conditions)) invalid("conditions are an array");
  for (const condition of conditions as readonly WriteCondition[]) {
    checkListed(condition, limits);
  }
  return conditions;
}

function checkListed(condition: WriteCondition, limits: Limits): void {
  const { range, key, unchangedSince, absent, sequence, present } = (condition ??
    {}) as UncheckedCondition;
  if (range === undefined && unchangedSince === undefined) {
    checkCondition(condition);
    checkKey(key as Data, limits);
    return;
  }
  if (!isWhole(unchangedSince, 0)) {
    invalid(`unchangedSince is ${String(unchangedSince)}; it must be a whole number from 0`);
  }
  const others = [absent, sequence, range && key, range && present];
  if (others.some((field) => field !== undefined)) {
    invalid("unchangedSince goes with a key, which may be present, or with a range");
  }
  if (range === undefined) {
    if (present !== undefined && present !== true) invalid("present can only be true");
    checkKey(key as Data, limits);
  } else {
    if (typeof range !== "object" || range === null) {
      invalid(`a range is an object, not ${describe(range)}`);
    }
    checkBounds(range, limits);
  }
}

function checkCondition(condition: UncheckedCondition): void {
  if (typeof condition !== "object" || condition === null) {
    invalid(`a condition is an object, not ${describe(condition)}`);
  }
  const { absent, present, sequence } = condition;
  const given = [absent, present, sequence].filter((field) => field !== undefined);
  if (given.length !== 1) invalid("a condition has exactly one of absent, present and sequence");
  if (sequence === undefined) {
    if (given[0] !== true) invalid("absent and present can only be true");
  } else if (!isWhole(sequence, 0)) {
    invalid(`sequence is ${String(sequence)}; it must be a whole number from 0`);
  }
}

/** Of a put: both fields may be missing. */
export function checkExpiry({ ttlMs, expiresAt }: Expiry): void {
  if (ttlMs !== undefined && expiresAt !== undefined) {
    invalid("ttlMs and expiresAt are two ways to say one thing; give one of them");
  }
  if (ttlMs !== undefined && !isWhole(ttlMs, 1)) {
    invalid(`ttlMs is ${String(ttlMs)}; it must be a whole number from 1`);
  }
  if (expiresAt !== undefined && !(isWhole(expiresAt, 0) && expiresAt <= EXPIRES_AT_MAX)) {
    invalid(`expiresAt is ${String(expiresAt)}; it must be a whole number from 0 to 2^43 - 1`);
  }
}

/** Of `expire`: one field must be there. */
export function checkGivenExpiry(expiry: Expiry): void {
  if (typeof expiry !== "object" || expiry === null) {
    invalid(`an expiry is an object, not ${describe(expiry)}`);
  }
  if (expiry.ttlMs === undefined && expiry.expiresAt === undefined) {
    invalid("an expiry has ttlMs or expiresAt; persist takes an expiry away");
  }
  checkExpiry(expiry);
}

export function checkOperand(operator: MergeOperator, operand: Operand, limits: Limits): void {
  if (!MERGE_OPERATORS.includes(operator)) {
    invalid(`operator is ${String(operator)}; it must be one of ${MERGE_OPERATORS.join(", ")}`);
  }
  if (operator === "append") {
    if (typeof operand !== "string" && !(operand instanceof Uint8Array)) {
      invalid(`append takes a string or a Uint8Array, not ${describe(operand)}`);
    }
    checkValue(operand, limits);
  } else if (!(operand instanceof Uint8Array)) {
    checkInteger(operand);
  } else if (operand.length !== COUNTER_BYTES) {
    invalid(`${operator} takes ${COUNTER_BYTES} bytes, not ${operand.length}`);
  }
}

/** What is no integer of 64 bits cannot be encoded as one. */
export function checkInteger(integer: unknown): void {
  encodeCounter(integer as number | bigint);
}

export function checkBatch(operations: readonly Operation[], limits: Limits): void {
  if (!Array.isArray(operations)) invalid("a batch is an array of operations");
  if (operations.length > limits.batchOperationsMax) {
    const message = `the batch has ${operations.length} operations; at most ${limits.batchOperationsMax} are allowed`;
    throw new VarveError("BATCH_TOO_LARGE", message);
  }
  let bytes = 0;
  for (const operation of operations as readonly Operation[]) {
    bytes += checkOperation(operation, limits);
  }
  if (bytes > limits.batchBytesMax) {
    const message = `the batch has ${bytes} bytes; at most ${limits.batchBytesMax} are allowed`;
    throw new VarveError("BATCH_TOO_LARGE", message);
  }
}

/** Returns the bytes of key and value, or operand. */
function checkOperation(operation: Operation, limits: Limits): number {
  if (operation?.type === "deleteRange") return checkRange(operation, limits);
  checkKey(operation?.key, limits);
  const keyBytes = bytesOf(operation.key);
  switch (operation.type) {
    case "put":
      checkValue(operation.value, limits);
      checkExpiry(operation);
      return keyBytes + bytesOf(operation.value);
    case "delete":
      return keyBytes;
    case "merge":
      checkOperand(operation.operator, operation.operand, limits);
      return keyBytes + bytesOf(operation.operand);
    default: {
      const { type } = operation as { type: unknown };
      const message = "an operation is a put, a delete, a merge or a deleteRange";
      return invalid(`${message}, not ${String(type)}`);
    }
  }
}

const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;

/** A range has a bound at least; returns the bytes of all. */
export function checkRange(range: KeyRange, limits: Limits): number {
  if (!hasBounds(range)) {
    invalid(`deleteRange takes bounds (${BOUNDS.join(", ")}); an empty gte stands for all keys`);
  }
  return checkBounds(range, limits);
}

/** Returns the bytes of all. */
function checkBounds(range: KeyRange, limits: Limits): number {
  let bytes = 0;
  for (const name of BOUNDS) {
    const bound = range[name];
    checkBound(name, bound, limits);
    if (bound !== undefined) bytes += bytesOf(bound);
  }
  return bytes;
}

function bytesOf(data: Operand): number {
  if (typeof data === "number" || typeof data === "bigint") return COUNTER_BYTES;
  return typeof data === "string" ? Buffer.byteLength(data) : data.length;
}

function isWhole(value: unknown, least: number): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least;
}
