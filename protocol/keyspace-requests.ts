/** Batches and conditions with the keys that are stored, each in the keyspace that it names, or else in its caller's. */
import { hasBounds, type KeyMapping, mappingOf } from "./keyspace-keys.ts";
import type { Condition, InKeyspace, Operation, WriteCondition } from "./store.ts";

/** `owner` stands for the store; see `registerKeyspace`. The array is the caller's own where nothing is to change. */
export function toStoredOperations(
  operations: readonly Operation[],
  keys: KeyMapping,
  owner: object,
): readonly Operation[] {
  if (!Array.isArray(operations)) return operations;
  let changed: Operation[] | undefined;
  for (let i = 0; i < operations.length; i++) {
    const operation: Operation = operations[i];
    const stored = toStoredOperation(operation, keys, owner);
    if (stored === operation) continue;
    changed ??= [...operations];
    changed[i] = stored;
  }
  return changed ?? operations;
}

function toStoredOperation(operation: Operation, own: KeyMapping, owner: object): Operation {
  const keys = keysOf(operation, own, owner);
  if (operation?.type === "deleteRange") {
    return hasBounds(operation) ? keys.toStoredRange(operation) : operation;
  }
  const key = keys.toStored(operation?.key);
  return key === operation?.key ? operation : { ...operation, key };
}

export function toStoredConditions<Given extends Condition | readonly WriteCondition[] | undefined>(
  given: Given,
  keys: KeyMapping,
  owner: object,
): Given {
  if (!Array.isArray(given)) return given;
  return given.map((one: WriteCondition) =>
    toStoredCondition(one, keys, owner),
  ) as unknown as Given;
}

function toStoredCondition(
  condition: WriteCondition,
  own: KeyMapping,
  owner: object,
): WriteCondition {
  if (typeof condition !== "object" || condition === null) return condition;
  const keys = keysOf(condition, own, owner);
  if ("range" in condition) return { ...condition, range: keys.toStoredRange(condition.range) };
  return { ...condition, key: keys.toStored(condition.key) };
}

function keysOf(given: InKeyspace, own: KeyMapping, owner: object): KeyMapping {
  const keyspace = given?.keyspace;
  return keyspace === undefined ? own : mappingOf(keyspace, owner);
}
