/** Conditions of writes: checked as arguments, and held against what there is at the commit point. */
import type { KeyBounds } from "../cursor/bounds.ts";
import { VarveError } from "../errors.ts";
import {
  type Condition,
  type KeyRange,
  keyspaceOf,
  NO_KEYSPACE,
  prefixBytesOf,
  type WriteCondition,
} from "../store.ts";
import type { Latest } from "./latest.ts";
import { changeIn } from "./range-changes.ts";
import { checkBounds, checkKey, type Limits } from "./validate.ts";
import type { View } from "./view.ts";

/** Bytes of a key that a message shows. */
const SHOWN_BYTES_MAX = 100;
const PRINTABLE = /^[\x20-\x7e]*$/;

/** A condition, checked: what the sequence of the key's entry must be, or whether it may be there at all. */
export interface CheckedCondition {
  readonly key: Uint8Array;
  readonly expects: "absent" | "present" | "anything" | number;
  /** Nothing newer than this was written to the key; `Infinity` where that does not matter. */
  readonly unchangedSince: number;
}

/** Nothing newer than the sequence was written to any key in the range. */
export interface CheckedRange {
  readonly bounds: KeyBounds;
  readonly unchangedSince: number;
}

export interface CheckedConditions {
  readonly keys: readonly CheckedCondition[];
  readonly ranges: readonly CheckedRange[];
}

export const NO_CONDITIONS: CheckedConditions = { keys: [], ranges: [] };

/** `own` is the key that a single condition is about; a batch has none. The keys are copies. */
export function checkConditions(
  given: Condition | readonly WriteCondition[] | undefined,
  own: Uint8Array | undefined,
  limits: Limits,
): CheckedConditions {
  if (given === undefined) return NO_CONDITIONS;
  if (Array.isArray(given)) return checkList(given, limits);
  if (own === undefined) {
    throw new VarveError("INVALID_ARGUMENT", "the conditions of a batch are a list, with keys");
  }
  if (typeof given === "object" && given !== null && "key" in given) {
    throw new VarveError("INVALID_ARGUMENT", "a condition that names its key stands in a list");
  }
  if (typeof given === "object" && given !== null && "unchangedSince" in given) {
    throw new VarveError(
      "INVALID_ARGUMENT",
      "unchangedSince stands in a list, with a key or range",
    );
  }
  const key = new Uint8Array(own);
  const expects = expectationOf(given as Condition);
  return { keys: [{ key, expects, unchangedSince: Number.POSITIVE_INFINITY }], ranges: [] };
}

interface UncheckedCondition {
  readonly key?: Uint8Array;
  readonly range?: KeyRange;
  readonly unchangedSince?: unknown;
  readonly absent?: unknown;
  readonly present?: unknown;
  readonly sequence?: unknown;
}

function checkList(given: readonly UncheckedCondition[], limits: Limits): CheckedConditions {
  const keys: CheckedCondition[] = [];
  const ranges: CheckedRange[] = [];
  for (const one of given) {
    const unchangedSince = sinceOf(one);
    if (one?.range === undefined) {
      const key = new Uint8Array(checkKey(one?.key as Uint8Array, limits));
      keys.push({ key, expects: expectationOf(one as Condition), unchangedSince });
    } else {
      checkRangeCondition(one);
      ranges.push({ bounds: checkBounds(one.range, limits), unchangedSince });
    }
  }
  return { keys, ranges };
}

/** A range goes with `unchangedSince` alone. */
function checkRangeCondition({
  range,
  unchangedSince,
  key,
  absent,
  present,
  sequence,
}: UncheckedCondition): void {
  const isObject = typeof range === "object" && range !== null;
  const others = [key, absent, present, sequence].some((field) => field !== undefined);
  if (isObject && unchangedSince !== undefined && !others) return;
  const message = "a condition on a range is { range: { gte, lt, … }, unchangedSince }";
  throw new VarveError("INVALID_ARGUMENT", message);
}

function sinceOf(condition: UncheckedCondition): number {
  const since = condition?.unchangedSince;
  if (since === undefined) return Number.POSITIVE_INFINITY;
  if (Number.isSafeInteger(since) && (since as number) >= 0) return since as number;
  const message = `unchangedSince is ${String(since)}; it must be a whole number from 0`;
  throw new VarveError("INVALID_ARGUMENT", message);
}

function expectationOf(condition: Condition): CheckedCondition["expects"] {
  const { absent, present, sequence, unchangedSince } = (condition ?? {}) as UncheckedCondition;
  const given = [absent, present, sequence].filter((one) => one !== undefined);
  if (unchangedSince !== undefined) {
    if (given.length === 0) return "anything";
    if (given.length === 1 && present === true) return "present";
  } else if (given.length === 1) {
    if (absent === true) return "absent";
    if (present === true) return "present";
    if (Number.isSafeInteger(sequence) && (sequence as number) >= 0) return sequence as number;
  }
  const message =
    "a condition is { absent: true }, { present: true }, { sequence: a whole number from 0 }, or unchangedSince, with which present may go";
  throw new VarveError("INVALID_ARGUMENT", message);
}

/**
 * Throws `CONDITION_FAILED`, or `CONFLICT` where the key was changed, where the condition does not hold. Of what was
 * changed after a sequence below `forgotten` there may be no trace.
 */
export function assertHolds(condition: CheckedCondition, latest: Latest, forgotten: number): void {
  const { key, expects, unchangedSince } = condition;
  const { sequence } = latest;
  if (unchangedSince !== Number.POSITIVE_INFINITY) {
    // A delete leaves no trace only where nothing older is left either.
    const isKnown = latest.changed !== 0 || unchangedSince >= forgotten;
    const isUnchanged = latest.changed <= unchangedSince && isKnown;
    if (isUnchanged && (expects === "anything" || sequence !== 0)) return;
    throw conflict(shown(key), unchangedSince, isKnown, {
      key: ofCaller(key),
      ...(sequence === 0 ? {} : { sequence }),
    });
  }
  if (expects === "absent" && sequence === 0) return;
  if (expects === "present" && sequence !== 0) return;
  if (sequence !== 0 && expects === sequence) return;
  const wanted = typeof expects === "number" ? `of sequence ${expects}` : expects;
  const found = sequence === 0 ? "absent" : `of sequence ${sequence}`;
  throw new VarveError("CONDITION_FAILED", `${shown(key)} is ${found}, not ${wanted}`, {
    key: ofCaller(key),
    ...(sequence === 0 ? {} : { sequence }),
  });
}

/** Throws `CONFLICT` where something in the range was changed, or may have been. */
export function assertUnchanged(range: CheckedRange, view: View, forgotten: number): void {
  const { bounds, unchangedSince } = range;
  const isKnown = unchangedSince >= forgotten;
  const change = isKnown ? changeIn(view, bounds, unchangedSince) : { key: undefined };
  if (change === undefined) return;
  const { key } = change;
  const what = key === undefined ? "a range" : `a range with ${shown(key)}`;
  const details = key === undefined ? {} : { key: ofCaller(key) };
  throw conflict(what, unchangedSince, isKnown, details);
}

function conflict(
  what: string,
  since: number,
  isKnown: boolean,
  details: { key?: Uint8Array; sequence?: number },
): VarveError {
  const how = isKnown ? "was changed" : "may have been changed, which is not known any more,";
  const message = `${what} ${how} after sequence ${since}; read again, and try anew`;
  return new VarveError("CONFLICT", message, { ...details, retryable: true });
}

/** As its caller knows it: errors leave the store without a way back through a view of a keyspace. */
function ofCaller(stored: Uint8Array): Uint8Array {
  return stored.subarray(prefixBytesOf(stored));
}

function shown(stored: Uint8Array): string {
  const id = keyspaceOf(stored);
  const where = id === undefined || id === NO_KEYSPACE ? "" : ` of keyspace ${id}`;
  const key = Buffer.from(ofCaller(stored).subarray(0, SHOWN_BYTES_MAX));
  const text = key.toString("latin1");
  return `key ${PRINTABLE.test(text) ? JSON.stringify(text) : `${key.toString("hex")} (hex)`}${where}`;
}
