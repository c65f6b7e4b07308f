/** Writes under `If-Match` and `If-None-Match`: as one condition of the store, which is checked in the commit itself. */
import { VarveError } from "../errors.ts";
import type { Commit, Condition, EntryRecord, KeyedStore } from "../store.ts";
import { isMatched, isNamed, type Preconditions, simpleCondition } from "./etags.ts";

const ATTEMPTS = 16;

/**
 * Lists of tags are compared with the present entry, and the write is made if that is the present one still; where it
 * is not, it is looked at anew. `CONDITION_FAILED` where they do not hold, `CONFLICT` where others were faster each time.
 */
export async function writeUnder(
  store: KeyedStore,
  key: Uint8Array,
  preconditions: Preconditions,
  write: (condition: Condition) => Promise<Commit>,
): Promise<Commit> {
  const simple = simpleCondition(preconditions);
  if (simple !== undefined) return write(simple);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = await store.getEntry(key);
    assertHolds(preconditions, key, entry);
    try {
      return await write(entry === undefined ? { absent: true } : { sequence: entry.sequence });
    } catch (error) {
      if (!(error instanceof VarveError) || error.code !== "CONDITION_FAILED") throw error;
    }
  }
  const message = `the entry was changed ${ATTEMPTS} times while its conditions were looked at`;
  throw new VarveError("CONFLICT", message, { retryable: true, key });
}

/** Throws `CONDITION_FAILED`. */
export function assertHolds(
  { ifMatch, ifNoneMatch }: Preconditions,
  key: Uint8Array,
  entry: EntryRecord | undefined,
): void {
  const fails =
    (ifMatch !== undefined && !isMatched(ifMatch, entry)) ||
    (ifNoneMatch !== undefined && isNamed(ifNoneMatch, entry));
  if (!fails) return;
  const present = entry === undefined ? "there is none" : `its tag is "${entry.sequence}"`;
  const sequence = entry === undefined ? {} : { sequence: entry.sequence };
  const message = `the entry is not as If-Match and If-None-Match have it: ${present}`;
  throw new VarveError("CONDITION_FAILED", message, { key, ...sequence });
}
