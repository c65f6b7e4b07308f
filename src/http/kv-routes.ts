/**
 * One key: GET, PUT and DELETE. This is the hot path of the HTTP door (`npm run bench -- http`): answers are text that is put
 * together by hand, and nothing is looked at that was not sent.
 */
import { type TSchema, Type } from "typebox";
import { VarveError } from "../errors.ts";
import {
  type Commit,
  type Condition,
  type EntryRecord,
  type KeyedStore,
  NOT_CACHED,
} from "../store.ts";
import { BYTES_TYPE, chosenType, JSON_TYPE } from "./accept.ts";
import { assertHolds, writeUnder } from "./conditional-write.ts";
import type { EntryJson, ValueEncoding } from "./entry-json.ts";
import { etagOf, isNamed, type Preconditions, preconditionsOf } from "./etags.ts";
import type { HttpApp, HttpReply, HttpRequest } from "./http-app.ts";
import type { HttpContext, HttpKeyedStore, HttpStore } from "./http-context.ts";
import { memberText } from "./json-text.ts";
import { keyspaceOf } from "./keyspace-of.ts";
import { percentDecode } from "./percent.ts";
import { SAFE_HEADERS } from "./safe-headers.ts";
import {
  answer,
  DeleteQuery,
  Entry,
  empty,
  PutBody,
  PutQuery,
  problems,
  ReadQuery,
} from "./schemas.ts";
import type { UnsentAnswers } from "./unsent-answers.ts";
import { ttlMs, valueBytes } from "./values.ts";

export const KV_PATH = "/kv-store/v1/kv";

const TYPES = [JSON_TYPE, BYTES_TYPE] as const;
const AnyBytes = Type.Unsafe<Buffer>({
  description: "The value's bytes.",
  contentMediaType: BYTES_TYPE,
});
const entryAnswer: TSchema = answer("The entry; its ETag is in the header of that name", {
  [JSON_TYPE]: Entry,
  [BYTES_TYPE]: AnyBytes,
});

export function addKvRoutes(app: HttpApp, context: HttpContext, json: EntryJson): void {
  const { store } = context;
  const path = `${KV_PATH}/*`;

  app.get(
    path,
    {
      config: { access: "read", operation: "get" },
      schema: {
        operationId: "getEntry",
        tags: ["keys"],
        summary: "Read an entry",
        description:
          "With `If-None-Match` and the entry's ETag the answer is 304 where it is as it was. With `Accept: " +
          "application/octet-stream` the answer is the value's bytes, and what is known of the entry is in headers.",
        querystring: ReadQuery,
        response: {
          200: entryAnswer,
          304: empty("It is as `If-None-Match` has it"),
          ...problems(404, 406, 412),
        },
      },
    },
    (request, reply) => {
      const { keyspace, encoding = "utf8" } = request.query;
      const key = keyOf(request);
      if (keyspace === undefined) {
        const entry = store.getEntryCached(key);
        if (entry !== NOT_CACHED) {
          answerGet(context, request, reply, json, key, entry, encoding);
          return;
        }
      }
      return getLater(store, keyspace, key).then((entry) =>
        answerGet(context, request, reply, json, key, entry, encoding),
      );
    },
  );

  app.put(
    path,
    {
      config: { access: "write", operation: "put" },
      schema: {
        operationId: "putEntry",
        tags: ["keys"],
        summary: "Write an entry",
        description:
          "As JSON, or with `Content-Type: application/octet-stream` as the value's bytes. With `If-Match` and an ETag only " +
          "where the entry is as it was; with `If-None-Match: *` only where there is none.",
        querystring: PutQuery,
        body: {
          content: { [JSON_TYPE]: { schema: PutBody }, [BYTES_TYPE]: { schema: AnyBytes } },
        } as unknown as TSchema,
        response: {
          200: entryAnswer,
          204: empty("Written, and not there any more"),
          ...problems(404, 406, 409, 412, 413, 415, 507),
        },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const body = request.body as PutBody | Buffer | undefined;
      if (body === undefined) throw new VarveError("INVALID_ARGUMENT", "there is no body");
      const { headers } = request.raw;
      const isBytes = Buffer.isBuffer(body);
      const type = chosenType(headers.accept, TYPES);
      const key = keyOf(request);
      const value = isBytes
        ? body
        : valueBytes(body.value, body.encoding, () => memberText(request.bodyText, "value"));
      const encoding = query.encoding ?? (isBytes ? undefined : body.encoding) ?? "utf8";
      const { keyspace } = query;
      const keyed = keyspace === undefined ? store : await keyspaceOf(store, keyspace);
      const { version } = await put(keyed, key, value, request, query);
      const cached = keyspace === undefined ? entryCached(store, key, version) : NOT_CACHED;
      const entry = cached === NOT_CACHED ? await entryAsOf(keyed, key, version) : cached;
      if (entry === undefined) reply.code(204).send();
      else sendEntry(reply, json, key, entry, encoding, type);
      return reply;
    },
  );

  app.delete(
    path,
    {
      config: { access: "write", operation: "delete" },
      schema: {
        operationId: "deleteEntry",
        tags: ["keys"],
        summary: "Delete an entry",
        description:
          "Whether it was there or not, unless `If-Match` or `If-None-Match` say otherwise.",
        querystring: DeleteQuery,
        response: {
          204: empty("It is not there"),
          ...problems(404, 409, 412),
        },
      },
    },
    async (request, reply) => {
      const { keyspace, durability } = request.query;
      const key = keyOf(request);
      const keyed = keyspace === undefined ? store : await keyspaceOf(store, keyspace);
      const options = durability === undefined ? {} : { durability };
      const conditions = writeConditionsOf(request);
      if (conditions === undefined) await keyed.delete(key, options);
      else {
        await writeUnder(keyed, key, conditions, (condition) =>
          keyed.delete(key, { ...options, if: condition }),
        );
      }
      return reply.code(204).send();
    },
  );
}

function put(
  store: KeyedStore,
  key: Uint8Array,
  value: Uint8Array,
  request: HttpRequest,
  { ttl, durability }: PutQuery,
): Promise<Commit> {
  const conditions = writeConditionsOf(request);
  if (ttl === undefined && durability === undefined && conditions === undefined) {
    return store.put(key, value);
  }
  const options = {
    ...(ttl === undefined ? {} : { ttlMs: ttlMs(ttl) }),
    ...(durability === undefined ? {} : { durability }),
  };
  if (conditions === undefined) return store.put(key, value, options);
  return writeUnder(store, key, conditions, (condition: Condition) =>
    store.put(key, value, { ...options, if: condition }),
  );
}

/** Throws `INVALID_ARGUMENT` for a condition by time, which would be dropped silently. */
function writeConditionsOf(request: HttpRequest): Preconditions | undefined {
  const { headers } = request.raw;
  if (headers["if-unmodified-since"] !== undefined) {
    const message =
      "If-Unmodified-Since is not looked at here: send If-Match, with the entry's ETag";
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  return preconditionsOf(headers["if-match"], headers["if-none-match"]);
}

/** The entry as the commit made it; where that past is gone already, as it is now. */
export async function entryAsOf(
  store: KeyedStore,
  key: Uint8Array,
  version: number,
): Promise<EntryRecord | undefined> {
  try {
    return await store.getEntry(key, { at: version });
  } catch (error) {
    if (error instanceof VarveError && error.code === "COMPACTED") return store.getEntry(key);
    throw error;
  }
}

/** As `entryAsOf`, if it can be had without waiting. */
export function entryCached(
  store: HttpKeyedStore,
  key: Uint8Array,
  version: number,
): EntryRecord | undefined | typeof NOT_CACHED {
  try {
    return store.getEntryCached(key, { at: version });
  } catch {
    return NOT_CACHED;
  }
}

async function getLater(
  store: HttpStore,
  keyspace: string | undefined,
  key: Uint8Array,
): Promise<EntryRecord | undefined> {
  const keyed = keyspace === undefined ? store : await keyspaceOf(store, keyspace);
  return keyed.getEntry(key);
}

function keyOf(request: HttpRequest): Buffer {
  return percentDecode((request.params as Record<"*", string>)["*"]);
}

function answerGet(
  { unsent }: HttpContext,
  request: HttpRequest,
  reply: HttpReply,
  json: EntryJson,
  key: Uint8Array,
  entry: EntryRecord | undefined,
  encoding: ValueEncoding,
): HttpReply {
  const { headers } = request.raw;
  const type = chosenType(headers.accept, TYPES);
  const conditions = preconditionsOf(headers["if-match"], headers["if-none-match"]);
  if (conditions !== undefined && isUnchanged(conditions, key, entry)) {
    return reply.code(304).header("etag", etagOf(entry)).send();
  }
  if (entry === undefined) throw new VarveError("NOT_FOUND", "there is no such entry", { key });
  sendEntry(reply, json, key, entry, encoding, type, unsent);
  return reply;
}

/** True for a 304. Throws `CONDITION_FAILED`. */
function isUnchanged(
  { ifMatch, ifNoneMatch }: Preconditions,
  key: Uint8Array,
  entry: EntryRecord | undefined,
): entry is EntryRecord {
  assertHolds({ ifMatch, ifNoneMatch: undefined }, key, entry);
  return ifNoneMatch !== undefined && isNamed(ifNoneMatch, entry);
}

/**
 * Straight to Node's response, past `fastify`'s own way, which has nothing to add here. Throws `OVERLOADED` where `unsent` is
 * given and has no room; the answer to a PUT, which is made already, is bounded by its body.
 */
function sendEntry(
  reply: HttpReply,
  json: EntryJson,
  key: Uint8Array,
  entry: EntryRecord,
  encoding: ValueEncoding,
  type: (typeof TYPES)[number],
  unsent?: UnsentAnswers,
): void {
  const response = reply.raw;
  if (type === JSON_TYPE) {
    const text = json.of(key, entry, encoding);
    unsent?.hold(response, text.length);
    reply.hijack();
    const length = String(Buffer.byteLength(text));
    response.writeHead(200, [
      "etag",
      etagOf(entry),
      "cache-control",
      "no-store",
      "x-content-type-options",
      "nosniff",
      "content-type",
      JSON_TYPE,
      "content-length",
      length,
    ]);
    response.end(text);
    return;
  }
  const { value, revision, createdAt, updatedAt, expiresAt } = entry;
  unsent?.hold(response, value.length);
  reply.hijack();
  response.writeHead(200, {
    ...SAFE_HEADERS,
    etag: etagOf(entry),
    "last-modified": new Date(updatedAt).toUTCString(),
    "varve-version": String(revision),
    "varve-created-at": json.time(createdAt),
    "varve-updated-at": json.time(updatedAt),
    ...(expiresAt === undefined ? {} : { "varve-expires-at": json.time(expiresAt) }),
    "content-type": BYTES_TYPE,
    "content-length": String(value.length),
  });
  response.end(value);
}
