/** What a write has made of many keys: what is in memory without a promise each. */
import { type EntryRecord, NOT_CACHED } from "../store.ts";
import type { HttpKeyedStore } from "./http-context.ts";
import { entryAsOf, entryCached } from "./kv-routes.ts";

/** The entries as the commit made them, in the order of `keys`; `undefined` where one is absent. */
export async function entriesAsOf(
  store: HttpKeyedStore,
  keys: readonly Uint8Array[],
  version: number,
): Promise<(EntryRecord | undefined)[]> {
  const waiting: Promise<void>[] = [];
  const entries = keys.map((key, place) => {
    const entry = entryCached(store, key, version);
    if (entry !== NOT_CACHED) return entry;
    waiting.push(
      entryAsOf(store, key, version).then((later) => {
        entries[place] = later;
      }),
    );
    return undefined;
  });
  if (waiting.length > 0) await Promise.all(waiting);
  return entries;
}
