/** What the conformance tests share: a store for each test, and short forms for what they say often. */
import { onTestFinished } from "vitest";
import type { Keyspace, Operation, ScanOptions, Store } from "../../src/store.ts";

export interface OpenedStore {
  readonly store: Store;
  dispose(): Promise<void>;
}

export type OpenStore = () => Promise<OpenedStore>;

const decoder = new TextDecoder();

/** A keyspace of the store in its place, beside others that have entries, too. */
export function inKeyspace(open: OpenStore): OpenStore {
  return async () => {
    const { store, dispose } = await open();
    const names = ["before", "tested", "behind"];
    const [before, tested, behind] = await Promise.all(names.map((name) => store.keyspace(name)));
    for (const other of [store, before, behind]) {
      for (const key of [Uint8Array.of(0), "k", Uint8Array.of(255)]) await other?.put(key, "other");
    }
    const both = new Proxy(tested as Keyspace & Store, {
      get(target, name) {
        const owner: object = name in target ? target : store;
        const value: unknown = Reflect.get(owner, name, owner);
        return typeof value === "function" ? value.bind(owner) : value;
      },
    });
    return { store: both, dispose };
  };
}

/** A store of its own for each test that calls it. */
export function freshOf(open: OpenStore): () => Promise<Store> {
  return async () => {
    const { store, dispose } = await open();
    onTestFinished(dispose);
    return store;
  };
}

export function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : decoder.decode(bytes);
}

export function put(key: string, value: string): Operation {
  return { type: "put", key, value };
}

export async function keysOf(store: Store, options?: ScanOptions): Promise<string[]> {
  return (await Array.fromAsync(store.scan(options))).map(([key]) => decoder.decode(key));
}

/** Everything in the store as text, in key order. */
export async function entriesOf(store: Store): Promise<Record<string, string>> {
  const entries = await Array.fromAsync(store.scan());
  return Object.fromEntries(
    entries.map(([key, value]) => [decoder.decode(key), decoder.decode(value)]),
  );
}

/** What a program may pass where no type checker looks. */
export function bad<Value>(value: unknown): Value {
  return value as Value;
}
