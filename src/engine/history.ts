/**
 * The past: which sequences can still be read at, and the versions of one key, newest first.
 *
 * The past is whole from a sequence on that the version knows for each keyspace (`version/past.ts`). Of a key, the newest version at or below that sequence is its
 * state then; what may be left of older ones is not told.
 */
import { VarveError } from "../errors.ts";
import { KIND } from "../key.ts";
import { type KeyVersion, keyspaceOf, NO_KEYSPACE } from "../store.ts";
import type { FilterStats } from "../table/table-lookup.ts";
import { KeyVersions, WALK } from "./key-versions.ts";
import type { TableCache } from "./table-cache.ts";
import { ValueFold } from "./value-fold.ts";
import type { View } from "./view.ts";

/** Versions that `history` tells unless asked for more or fewer, and at most. */
export const HISTORY_LIMIT = 100;
export const HISTORY_LIMIT_MAX = 10_000;

/** The sequence to read at. Throws `INVALID_ARGUMENT` for one that is yet to come, `COMPACTED` for one that is gone. */
export function checkAt(at: number, visible: number, prunedTo: number): number {
  if (!Number.isSafeInteger(at) || at < 0 || at > visible) {
    const message = `at is ${String(at)}; it must be the sequence of a commit, up to the newest, ${visible}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  if (at < prunedTo) {
    const message = `the past at sequence ${at} is gone; the oldest that can be read is ${prunedTo}. Set a longer retention to keep more`;
    throw new VarveError("COMPACTED", message, { sequence: prunedTo });
  }
  return at;
}

export function checkHistoryLimit(limit: number | undefined): number {
  if (limit === undefined) return HISTORY_LIMIT;
  if (Number.isInteger(limit) && limit >= 1 && limit <= HISTORY_LIMIT_MAX) return limit;
  const message = `limit is ${String(limit)}; it must be a whole number from 1 to ${HISTORY_LIMIT_MAX}`;
  throw new VarveError("INVALID_ARGUMENT", message);
}

export interface HistoryRequest {
  readonly tables: TableCache;
  readonly filter: FilterStats;
  /** Pinned by the caller until the history is there. */
  readonly view: View;
  readonly key: Uint8Array;
  /** The newest version that may be told. */
  readonly sequence: number;
  readonly limit: number;
  readonly nowMs: number;
}

/** The versions of a key from the newest to the oldest that is whole. */
export async function readHistory(request: HistoryRequest): Promise<KeyVersion[]> {
  const { tables, filter, view, key, limit } = request;
  const told: KeyVersion[] = [];
  const versions = new KeyVersions(tables, filter);
  try {
    const oldest = view.version.past.prunedOf(keyspaceOf(key) ?? NO_KEYSPACE);
    let from = request.sequence;
    while (told.length < limit) {
      versions.start(view, key, from, false);
      const isRange = await walk(request, versions, oldest, told);
      if (!isRange) break;
      // What a range has deleted is older than that.
      from = versions.sequence - 1;
    }
  } finally {
    versions.end();
  }
  return told;
}

/** Whether the walk has come to a deleted range, beyond which the past goes on. */
async function walk(
  request: HistoryRequest,
  versions: KeyVersions,
  oldest: number,
  told: KeyVersion[],
): Promise<boolean> {
  const { limit } = request;
  while (told.length < limit) {
    let state = versions.next();
    while (state === WALK.BLOCKED) {
      await versions.load();
      state = versions.next();
    }
    if (state === WALK.END) return false;
    told.push(await versionOf(request, versions));
    if (versions.sequence <= oldest) return false;
    if (versions.isRange) return true;
  }
  return false;
}

async function versionOf(
  { tables, filter, view, key, nowMs }: HistoryRequest,
  versions: KeyVersions,
): Promise<KeyVersion> {
  const { sequence, kind, expiresAtMs, value, valueStart, valueEnd } = versions;
  const version = {
    sequence,
    updatedAt: versions.isRange ? undefined : versions.timeMs,
    expiresAt: expiresAtMs === Number.POSITIVE_INFINITY ? undefined : expiresAtMs,
  };
  if (kind === KIND.DELETE || expiresAtMs <= nowMs) return { ...version, value: undefined };
  if (kind === KIND.PUT) return { ...version, value: value.slice(valueStart, valueEnd) };
  const older = new KeyVersions(tables, filter);
  older.start(view, key, sequence, false);
  const fold = new ValueFold(older, nowMs);
  try {
    while (!fold.advance()) await fold.load();
  } finally {
    fold.end();
  }
  return { ...version, value: fold.value };
}
