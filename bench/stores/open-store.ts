/** Opening a store by its name. A peer that is not installed is not loaded, so the others still run. */
import { isInstalled } from "../support/installed.ts";
import type { StoreKind } from "./bench-store.ts";

/** Each with the package that it needs. */
const STORES: Readonly<Record<string, { needs?: string; load: () => Promise<StoreKind> }>> = {
  varve: { load: async () => (await import("./varve-store.ts")).varve },
  "classic-level": {
    needs: "classic-level",
    load: async () => (await import("./classic-level-store.ts")).classicLevel,
  },
  lmdb: { needs: "lmdb", load: async () => (await import("./lmdb-store.ts")).lmdb },
};

/** Varve first, then the peers; what is missing is named, to be reported. */
export function storeNames(): { present: string[]; skipped: string[] } {
  const needed = Object.entries(STORES).map(([name, { needs }]) => ({
    name,
    present: needs === undefined || isInstalled(needs),
  }));
  return {
    present: needed.filter(({ present }) => present).map(({ name }) => name),
    skipped: needed.filter(({ present }) => !present).map(({ name }) => name),
  };
}

export function loadStore(name: string): Promise<StoreKind> {
  const store = STORES[name];
  if (store === undefined) throw new Error(`${name} is not a store`);
  return store.load();
}
