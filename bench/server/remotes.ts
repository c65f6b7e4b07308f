/**
 * The clients that the `server` suite drives, each used as suits it best: Varve's takes bytes; those of Redis
 * take strings, which they send faster than bytes, the keys and values being ASCII.
 */
import { connect } from "varve-client";
import { isInstalled } from "../support/installed.ts";
import type { Datum } from "./ascii-data.ts";

/** One connection. */
export interface Remote {
  /** Resolves with something whose `length` is the value's, or with nothing. */
  get(key: Datum): Promise<{ readonly length: number } | null | undefined>;
  /** Resolves when the server says that it has written. */
  put(key: Datum, value: Datum): Promise<unknown>;
  putMany(entries: readonly (readonly [Datum, Datum])[]): Promise<unknown>;
  /** Makes keys findable by `scan`. Varve's always are; Redis needs a sorted set beside the values. */
  index(keys: readonly Datum[]): Promise<unknown>;
  /** Keys and values from `key` on, in order; resolves with how many. */
  scan(key: Datum, count: number): Promise<number>;
  close(): Promise<unknown>;
}

export interface RemoteKind {
  readonly name: string;
  readonly server: "varve" | "redis";
  /** The package, which is loaded only by who connects, so that the others run without it. */
  readonly needs?: string;
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
      index: async () => undefined,
      scan: async (key, count) =>
        (await client.scan({ gte: key.bytes, limit: count }).nextMany(count)).length,
      close: () => client.close(),
    };
  },
};

/** The sorted set, all of one score, which orders its members as bytes. */
const INDEX = "index";

function ioredis(enableAutoPipelining: boolean): RemoteKind {
  return {
    name: enableAutoPipelining ? "redis, ioredis autopipelining" : "redis, ioredis",
    server: "redis",
    needs: "ioredis",
    options: { enableAutoPipelining, data: "strings" },
    async connect(port) {
      const { Redis } = await import("ioredis");
      const client = new Redis({ host: "127.0.0.1", port, enableAutoPipelining });
      return {
        get: (key) => client.get(key.text),
        put: (key, value) => client.set(key.text, value.text),
        putMany: (entries) =>
          client.mset(entries.flatMap(([key, value]) => [key.text, value.text])),
        index: (keys) => client.zadd(INDEX, ...keys.flatMap((key) => [0, key.text])),
        async scan(key, count) {
          const found = await client.zrange(INDEX, `[${key.text}`, "+", "BYLEX", "LIMIT", 0, count);
          return found.length === 0 ? 0 : (await client.mget(found)).length;
        },
        close: () => client.quit(),
      };
    },
  };
}

const nodeRedis: RemoteKind = {
  name: "redis, node-redis",
  server: "redis",
  needs: "redis",
  options: { data: "strings", pipelining: "always automatic" },
  async connect(port) {
    const { createClient } = await import("redis");
    const client = createClient({ socket: { host: "127.0.0.1", port } });
    await client.connect();
    return {
      get: (key) => client.get(key.text),
      put: (key, value) => client.set(key.text, value.text),
      putMany: (entries) => client.mSet(entries.flatMap(([key, value]) => [key.text, value.text])),
      index: (keys) =>
        client.zAdd(
          INDEX,
          keys.map((key) => ({ score: 0, value: key.text })),
        ),
      async scan(key, count) {
        const found = await client.zRange(INDEX, `[${key.text}`, "+", {
          BY: "LEX",
          LIMIT: { offset: 0, count },
        });
        return found.length === 0 ? 0 : (await client.mGet(found)).length;
      },
      close: () => client.close(),
    };
  },
};

/** Varve's, and those of Redis that can run here; what is missing is named, to be reported. */
export function remotesPresent(withRedis: boolean): { present: RemoteKind[]; skipped: string[] } {
  const candidates = REMOTES.filter(({ server }) => server === "varve" || withRedis);
  const present = candidates.filter(({ needs }) => needs === undefined || isInstalled(needs));
  const missing = candidates.filter((kind) => !present.includes(kind)).map(({ name }) => name);
  return { present, skipped: withRedis ? missing : ["redis-server"] };
}

export const REMOTES: readonly RemoteKind[] = [varve, ioredis(false), ioredis(true), nodeRedis];
