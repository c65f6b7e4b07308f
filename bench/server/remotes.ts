/**
 * The clients that the `server` suite drives, each used as suits it best: Varve's takes bytes; those of Redis
 * take strings, which they send faster than bytes, the keys and values being ASCII.
 */
import { Redis } from "ioredis";
import { createClient } from "redis";
import { connect } from "varve-client";

/** The same ASCII, in the two forms. */
export interface Datum {
  readonly text: string;
  readonly bytes: Buffer;
}

/** One connection. */
export interface Remote {
  /** Resolves with something whose `length` is the value's, or with nothing. */
  get(key: Datum): Promise<{ readonly length: number } | null | undefined>;
  /** Resolves when the server says that it has written. */
  put(key: Datum, value: Datum): Promise<unknown>;
  putMany(entries: readonly (readonly [Datum, Datum])[]): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface RemoteKind {
  readonly name: string;
  readonly server: "varve" | "redis";
  readonly options: Readonly<Record<string, unknown>>;
  connect(port: number): Promise<Remote>;
}

const varve: RemoteKind = {
  name: "varve",
  server: "varve",
  options: { data: "bytes" },
  async connect(port) {
    const client = await connect(`varve://127.0.0.1:${port}`);
    return {
      get: (key) => client.get(key.bytes),
      put: (key, value) => client.put(key.bytes, value.bytes),
      putMany: (entries) =>
        client.batch(
          entries.map(([key, value]) => ({ type: "put", key: key.bytes, value: value.bytes })),
        ),
      close: () => client.close(),
    };
  },
};

function ioredis(enableAutoPipelining: boolean): RemoteKind {
  return {
    name: enableAutoPipelining ? "redis, ioredis autopipelining" : "redis, ioredis",
    server: "redis",
    options: { enableAutoPipelining, data: "strings" },
    async connect(port) {
      const client = new Redis({ host: "127.0.0.1", port, enableAutoPipelining });
      return {
        get: (key) => client.get(key.text),
        put: (key, value) => client.set(key.text, value.text),
        putMany: (entries) =>
          client.mset(entries.flatMap(([key, value]) => [key.text, value.text])),
        close: () => client.quit(),
      };
    },
  };
}

const nodeRedis: RemoteKind = {
  name: "redis, node-redis",
  server: "redis",
  options: { data: "strings", pipelining: "always automatic" },
  async connect(port) {
    const client = createClient({ socket: { host: "127.0.0.1", port } });
    await client.connect();
    return {
      get: (key) => client.get(key.text),
      put: (key, value) => client.set(key.text, value.text),
      putMany: (entries) => client.mSet(entries.flatMap(([key, value]) => [key.text, value.text])),
      close: () => client.close(),
    };
  },
};

export const REMOTES: readonly RemoteKind[] = [varve, ioredis(false), ioredis(true), nodeRedis];
