/** The keys that a request means. */
import type { HttpKeyedStore, HttpStore } from "./http-context.ts";

/** Rejects with `NO_SUCH_KEYSPACE`: nothing is created by asking for it. */
export function keyspaceOf(store: HttpStore, name: string): Promise<HttpKeyedStore> {
  return store.keyspace(name, { create: false });
}
