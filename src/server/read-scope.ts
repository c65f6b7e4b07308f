/** What a read is made on: the store as it is, or as it was at the moment that the request's scope names. */
import type { RequestScope } from "varve-protocol";
import type { Connection } from "./connection.ts";
import type { ServedReader, ServedStore } from "./served-store.ts";
import type { ServerContext } from "./server-context.ts";

/** Throws `SNAPSHOT_EXPIRED` for a snapshot that is not, or no longer, the connection's. */
export function readerOf(
  connection: Connection,
  context: ServerContext,
  scope: RequestScope | undefined,
): ServedReader {
  const at = scope?.at;
  if (at === undefined) return context.store;
  if ("snapshot" in at) return context.snapshots.use(connection, at.snapshot);
  return readerAt(context.store, at.sequence);
}

function readerAt(store: ServedStore, at: number): ServedReader {
  return {
    get: (key) => store.get(key, { at }),
    getEntry: (key) => store.getEntry(key, { at }),
    getMany: (keys) => store.getMany(keys, { at }),
    scan: (options) => store.scan({ ...options, at }),
  };
}
