/**
 * Operands that may not be left to reads to fold: where entries expire, as an operand must not outlive the value that
 * it was added to; and where there are so many of them that reads would take long.
 */
import { compareBytes } from "../bytes/compare.ts";
import { KeyHash } from "../bytes/key-hash.ts";
import { expiresAtOf, headerBytes } from "../entry-header.ts";
import { FLAG, KIND, KIND_SEEK, SEQUENCE_MAX, trailerHigh, trailerLow } from "../key.ts";
import { applyOperand, operatorOf } from "../merge-operators.ts";
import type { MergeOperator } from "../store.ts";
import type { Latest } from "./latest.ts";
import type { Tree } from "./tree.ts";
import { type StoredOperation, storedPut } from "./validate.ts";

/** So many operands in a row are left to reads to fold; the next one is folded into a value, which ends the row. */
const OPERANDS_MAX = 32;

export function mustFoldOperands(tree: Tree, operations: readonly StoredOperation[]): boolean {
  if (!operations.some(({ kind }) => kind === KIND.MERGE)) return false;
  if (operations.some(({ kind }) => (kind & FLAG.EXPIRES) !== 0) || tree.mayExpire) return true;
  return operations.some(({ kind, key }) => kind === KIND.MERGE && hasManyOperands(tree, key));
}

/** Whether the newest versions of a key in the memtable are a full row of operands. */
function hasManyOperands(tree: Tree, key: Uint8Array): boolean {
  const { active } = tree.memtables;
  const hash = new KeyHash();
  hash.update(key);
  const low = trailerLow(SEQUENCE_MAX, KIND_SEEK);
  let node = active.find(hash, key, low, trailerHigh(SEQUENCE_MAX));
  for (let operands = 0; node !== 0 && active.kindAt(node) === KIND.MERGE; operands++) {
    if (operands === OPERANDS_MAX) return true;
    node = active.olderAt(node);
  }
  return false;
}

/** The operations with values in the place of operands; `latest` is what there is of the operands' keys, in order. */
export function foldOperands(
  operations: readonly StoredOperation[],
  latest: readonly Latest[],
  nowMs: number,
): StoredOperation[] {
  const present = new Map<string, Pick<Latest, "value" | "expiresAtMs">>();
  const merged = operations.filter(({ kind }) => kind === KIND.MERGE);
  const mergedKeys = new Map(merged.map((operation) => [nameOf(operation.key), operation]));
  for (const [i, { key }] of merged.entries()) present.set(nameOf(key), latest[i] as Latest);
  return operations.map((operation) => {
    const { kind, key, value } = operation;
    if (kind === KIND.RANGE_DELETE) {
      for (const [name, { key: merged }] of mergedKeys) {
        if (isInRange(merged, operation)) present.set(name, ABSENT);
      }
      return operation;
    }
    const before = present.get(nameOf(key));
    if (before === undefined) return operation;
    if (kind !== KIND.MERGE) {
      present.set(nameOf(key), presentAfter(operation, nowMs));
      return operation;
    }
    const operator = operatorOf(value, 0) as MergeOperator;
    const folded = applyOperand(operator, before.value, value.subarray(1));
    const { expiresAtMs } = before;
    present.set(nameOf(key), { value: folded, expiresAtMs });
    return storedPut(
      key,
      folded,
      expiresAtMs === Number.POSITIVE_INFINITY ? undefined : expiresAtMs,
    );
  });
}

const ABSENT = { value: undefined, expiresAtMs: Number.POSITIVE_INFINITY };

function isInRange(key: Uint8Array, { key: start, value: end }: StoredOperation): boolean {
  return compareBytes(start, key) <= 0 && (end.length === 0 || compareBytes(key, end) < 0);
}

/** What a put or delete leaves of its key. */
function presentAfter(
  { kind, value }: StoredOperation,
  nowMs: number,
): Omit<Latest, "sequence" | "changed"> {
  const expiresAtMs = expiresAtOf(kind, value, 0);
  const isGone = kind === KIND.DELETE || expiresAtMs <= nowMs;
  return isGone ? ABSENT : { value: value.subarray(headerBytes(kind)), expiresAtMs };
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString("latin1");
}
