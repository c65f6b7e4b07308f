/** Entries over REST. Keys and values are bytes here; a key travels percent-encoded, a value as it is. */
import { type Api, Problem } from "../data/api.ts";
import { decodeBase64, percentEncode } from "../text/bytes.ts";

export interface KeyItem {
  readonly key: Uint8Array;
  readonly version: number | undefined;
  readonly updatedAt: number | undefined;
}

export interface KeyPage {
  readonly items: readonly KeyItem[];
  /** For the page behind this one; `undefined` at the end. */
  readonly cursor: string | undefined;
}

export interface StoredEntry {
  readonly value: Uint8Array;
  readonly etag: string;
  readonly version: number | undefined;
  /** Milliseconds since 1970. */
  readonly createdAt: number | undefined;
  readonly updatedAt: number | undefined;
  readonly expiresAt: number | undefined;
}

export interface Search {
  readonly prefix: Uint8Array;
  /** Empty for the default one. */
  readonly keyspace: string;
  readonly isReverse: boolean;
}

/** What must hold for a write: that the entry is still the one with this tag, or that there is none. */
export type WriteCondition = { readonly etag: string } | "absent";

interface ItemJson {
  readonly key: string;
  readonly key_encoding?: "base64";
  readonly version?: number;
  readonly updated_at?: string;
}

const encoder = new TextEncoder();

export class KvClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(search: Search, cursor: string | undefined, limit: number): Promise<KeyPage> {
    const { prefix, keyspace, isReverse } = search;
    const query = [`limit=${limit}`, "keys_only=true"];
    if (prefix.length > 0) query.push(`prefix=${percentEncode(prefix)}`);
    if (isReverse) query.push("reverse=true");
    if (cursor !== undefined) query.push(`cursor=${encodeURIComponent(cursor)}`);
    if (keyspace !== "") query.push(keyspaceQuery(keyspace));
    interface PageJson {
      readonly items: readonly ItemJson[];
      readonly cursor: string | null;
    }
    const page = await this.#api.json<PageJson>(`/kv/?${query.join("&")}`);
    return { items: page.items.map(itemOf), cursor: page.cursor ?? undefined };
  }

  /** `undefined` where there is no such entry. */
  async read(key: Uint8Array, keyspace: string): Promise<StoredEntry | undefined> {
    try {
      const headers = { accept: "application/octet-stream" };
      const response = await this.#api.send(keyPath(key, keyspace), { headers });
      return entryOf(response, new Uint8Array(await response.arrayBuffer()));
    } catch (error) {
      // A keyspace that is not there is another matter.
      const isAbsent = error instanceof Problem && error.document.code === "NOT_FOUND";
      if (isAbsent) return undefined;
      throw error;
    }
  }

  /** `ttl` as the server takes it, empty for none. Throws a `Problem` of status 412 where the condition does not hold. */
  async write(
    key: Uint8Array,
    keyspace: string,
    value: Uint8Array<ArrayBuffer>,
    condition: WriteCondition,
    ttl: string,
  ): Promise<void> {
    const path = keyPath(key, keyspace, ttl === "" ? [] : [`ttl=${encodeURIComponent(ttl)}`]);
    const headers = { "content-type": "application/octet-stream", ...conditionHeader(condition) };
    await this.#api.send(path, { method: "PUT", headers, body: value });
  }

  async remove(key: Uint8Array, keyspace: string, etag: string): Promise<void> {
    await this.#api.send(keyPath(key, keyspace), {
      method: "DELETE",
      headers: { "if-match": etag },
    });
  }
}

export function isConflict(error: unknown): boolean {
  return error instanceof Problem && error.status === 412;
}

/** Browsers resolve these two in every address, even encoded, so that they never reach the server. */
export function isUnreachableKey(key: Uint8Array): boolean {
  return key.length <= 2 && key.every((byte) => byte === 0x2e);
}

function keyPath(key: Uint8Array, keyspace: string, query: readonly string[] = []): string {
  const all = keyspace === "" ? query : [...query, keyspaceQuery(keyspace)];
  return `/kv/${percentEncode(key)}/${all.length === 0 ? "" : `?${all.join("&")}`}`;
}

function keyspaceQuery(keyspace: string): string {
  return `keyspace=${encodeURIComponent(keyspace)}`;
}

function conditionHeader(condition: WriteCondition): Record<string, string> {
  return condition === "absent" ? { "if-none-match": "*" } : { "if-match": condition.etag };
}

function itemOf({ key, key_encoding, version, updated_at }: ItemJson): KeyItem {
  return {
    key: key_encoding === "base64" ? decodeBase64(key) : encoder.encode(key),
    version,
    updatedAt: updated_at === undefined ? undefined : Date.parse(updated_at),
  };
}

function entryOf({ headers }: Response, value: Uint8Array): StoredEntry {
  const time = (name: string) => {
    const text = headers.get(name);
    return text === null ? undefined : Date.parse(text);
  };
  const version = headers.get("varve-version");
  return {
    value,
    etag: headers.get("etag") ?? "",
    version: version === null ? undefined : Number(version),
    createdAt: time("varve-created-at"),
    updatedAt: time("varve-updated-at") ?? time("last-modified"),
    expiresAt: time("varve-expires-at"),
  };
}
