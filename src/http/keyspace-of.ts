/** The keys that a request means. */
import type { KeyedStore } from "../store.ts";
import type { HttpStore } from "./http-context.ts";

/** Rejects with `NO_SUCH_KEYSPACE`: nothing is created by asking for it. */
export function keyspaceOf(store: HttpStore, name: string): Promise<KeyedStore> {
  return store.keyspace(name, { create: false });
}
