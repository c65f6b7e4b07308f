/** Conditions of writes: checked as arguments, and held against what there is at the commit point. */
import { VarveError } from "../errors.ts";
import type { Condition, KeyCondition } from "../store.ts";
import type { Latest } from "./latest.ts";
import { checkKey, type Limits } from "./validate.ts";

/** Bytes of a key that a message shows. */
const SHOWN_BYTES_MAX = 100;

/** A condition, checked: what the sequence of the key's entry must be, or whether it may be there at all. */
export interface CheckedCondition {
  readonly key: Uint8Array;
  readonly expects: "absent" | "present" | number;
}

/** `own` is the key that a single condition is about; a batch has none. The keys are copies. */
export function checkConditions(
  given: Condition | readonly KeyCondition[] | undefined,
  own: Uint8Array | undefined,
  limits: Limits,
): CheckedCondition[] {
  if (given === undefined) return [];
  if (Array.isArray(given)) {
    return given.map((one: KeyCondition) => ({
      key: new Uint8Array(checkKey(one?.key, limits)),
      expects: expectationOf(one),
    }));
  }
  if (own === undefined) {
    throw new VarveError("INVALID_ARGUMENT", "the conditions of a batch are a list, with keys");
  }
  if (typeof given === "object" && given !== null && "key" in given) {
    throw new VarveError("INVALID_ARGUMENT", "a condition that names its key stands in a list");
  }
  return [{ key: new Uint8Array(own), expects: expectationOf(given as Condition) }];
}

function expectationOf(condition: Condition): CheckedCondition["expects"] {
  const { absent, present, sequence } = (condition ?? {}) as Partial<
    Record<"absent" | "present" | "sequence", unknown>
  >;
  const given = [absent, present, sequence].filter((one) => one !== undefined);
  if (given.length === 1) {
    if (absent === true) return "absent";
    if (present === true) return "present";
    if (Number.isSafeInteger(sequence) && (sequence as number) >= 0) return sequence as number;
  }
  const message =
    "a condition is { absent: true }, { present: true } or { sequence: a whole number from 0 }";
  throw new VarveError("INVALID_ARGUMENT", message);
}

/** Throws `CONDITION_FAILED` where the condition does not hold. */
export function assertHolds({ key, expects }: CheckedCondition, { sequence }: Latest): void {
  if (expects === "absent" && sequence === 0) return;
  if (expects === "present" && sequence !== 0) return;
  if (sequence !== 0 && expects === sequence) return;
  const wanted = typeof expects === "number" ? `of sequence ${expects}` : expects;
  const found = sequence === 0 ? "absent" : `of sequence ${sequence}`;
  throw new VarveError(
    "CONDITION_FAILED",
    `key ${Buffer.from(key.subarray(0, SHOWN_BYTES_MAX)).toString("hex")} (hex) is ${found}, not ${wanted}`,
    { key, ...(sequence === 0 ? {} : { sequence }) },
  );
}
