/** Whether stored keys and bounds (`protocol/keyspace-keys.ts`) are of keyspaces that are there. */
import { compareBytes } from "../bytes/compare.ts";
import type { KeyBounds } from "../cursor/bounds.ts";
import { VarveError } from "../errors.ts";
import { keyspaceEnd, keyspaceOf, keyspaceStart, NO_KEYSPACE } from "../store.ts";

/** What is known of keyspaces where keys are checked. */
export interface KeyspaceLookup {
  isLive(id: number): boolean;
  /** Until its drop is in the log, and visible. */
  isThere(id: number): boolean;
  /** Of what is put to the stored key without an expiry. */
  ttlMsOf(stored: Uint8Array): number | undefined;
}

/** Throws `NO_SUCH_KEYSPACE` where the keyspace of a stored key, or of a bound, is not there, or not any more. */
export function assertKeyspace(stored: Uint8Array, keyspaces: KeyspaceLookup): void {
  const id = keyspaceOf(stored);
  if (id === NO_KEYSPACE || (id !== undefined && keyspaces.isLive(id))) return;
  throw id === undefined ? malformedKey() : noSuchKeyspace(id);
}

export function noSuchKeyspace(id: number): VarveError {
  const message = `keyspace ${id} was dropped, or never was; open it anew by its name`;
  return new VarveError("NO_SUCH_KEYSPACE", message);
}

/** Of a key in the default keyspace: that nothing else stands for the same one. */
export function assertPrefix(stored: Uint8Array): void {
  if (keyspaceOf(stored) === NO_KEYSPACE && stored[2] !== 0) throw malformedKey();
}

function malformedKey(): VarveError {
  const message =
    "a stored key that begins with a zero byte goes on with ff 00, or with its keyspace's id";
  return new VarveError("INVALID_ARGUMENT", message);
}

/**
 * The bounds' part of the keyspace in which they begin: the default one unless they say otherwise. Throws as
 * `assertKeyspace` does.
 */
export function withinKeyspace(bounds: KeyBounds, keyspaces: KeyspaceLookup): KeyBounds {
  const { upper } = bounds;
  const hasLower = bounds.lower !== undefined && bounds.lower.length > 0;
  const lower = hasLower ? bounds.lower : keyspaceStart(NO_KEYSPACE);
  if (lower === undefined || lower[0] !== 0) return bounds;
  assertKeyspace(lower, keyspaces);
  const end = keyspaceEnd(keyspaceOf(lower) ?? NO_KEYSPACE);
  const isWithin = upper !== undefined && (end === undefined || compareBytes(upper, end) < 0);
  return { lower, upper: isWithin ? upper : end };
}
