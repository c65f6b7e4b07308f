/** Ranges of keys: as pages of JSON, or as a stream of lines, each an entry. Both see one moment. */
import { type TSchema, Type } from "typebox";
import { VarveError } from "../errors.ts";
import { type EntryRecord, type KeyRange, NOT_CACHED } from "../store.ts";
import { chosenType, JSON_TYPE, LINES_TYPE } from "./accept.ts";
import type { EntryJson } from "./entry-json.ts";
import type { HttpApp, HttpReply } from "./http-app.ts";
import type { HttpContext, HttpKeyedStore, HttpSnapshot } from "./http-context.ts";
import { keyspaceOf } from "./keyspace-of.ts";
import { KV_PATH } from "./kv-routes.ts";
import { queryBytes } from "./percent.ts";
import { errorOf, problemOf } from "./problems.ts";
import { answer, PAGE_LIMIT, PAGE_LIMIT_MAX, PageAnswer, problems, RangeQuery } from "./schemas.ts";
import { StreamedAnswer } from "./streamed-answer.ts";
import { base64Bytes } from "./values.ts";

/** Keys that are taken together from a scan, and text that is written together. */
const PART_KEYS = 256;
const PART_CHARACTERS = 64 * 1024;
/** Of entries as JSON, at which a page ends. */
const PAGE_CHARACTERS = 4 * 1024 * 1024;

export function addRangeRoute(app: HttpApp, context: HttpContext, json: EntryJson): void {
  app.get(
    KV_PATH,
    {
      // Of a stream there is no head without the rest.
      exposeHeadRoute: false,
      // A page, as it is measured; streams end when their readers like.
      config: { access: "read", operation: "page" },
      schema: {
        operationId: "listEntries",
        tags: ["keys"],
        summary: "Read a range of entries, in the order of their keys",
        description:
          "Bounds are included, and keys are in the order of their bytes. With `Accept: application/x-ndjson` the whole " +
          "range comes as one stream, an entry a line, at the pace of its reader; a line with a `problem` is the last one, " +
          "and says why the range is not whole.",
        querystring: RangeQuery,
        response: {
          200: answer("A page of the range", {
            [JSON_TYPE]: PageAnswer,
            [LINES_TYPE]: Type.String({ description: "Entries, each on a line." }) as TSchema,
          }),
          ...problems(404, 406),
        },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const type = chosenType(request.raw.headers.accept, [JSON_TYPE, LINES_TYPE]);
      const { store } = context;
      const keyed = query.keyspace === undefined ? store : await keyspaceOf(store, query.keyspace);
      if (type === LINES_TYPE) return streamRange(context, keyed, query, json, reply);
      const text = await pageText(keyed, query, json);
      context.unsent.hold(reply.raw, text.length);
      return reply.header("content-type", JSON_TYPE).send(text);
    },
  );
}

/** What a query says of the range. */
export function rangeOf({
  start,
  end,
  prefix,
}: Pick<RangeQuery, "start" | "end" | "prefix">): KeyRange {
  return {
    ...(start === undefined ? {} : { gte: queryBytes(start) }),
    ...(end === undefined ? {} : { lte: queryBytes(end) }),
    ...(prefix === undefined ? {} : { prefix: queryBytes(prefix) }),
  };
}

async function pageText(
  store: HttpKeyedStore,
  query: RangeQuery,
  json: EntryJson,
): Promise<string> {
  const { limit = PAGE_LIMIT, cursor } = query;
  if (limit > PAGE_LIMIT_MAX) {
    const message = `limit is ${limit}; a page has at most ${PAGE_LIMIT_MAX}. Go on with its cursor, or ask for ${LINES_TYPE}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  await using snapshot = await store.snapshot();
  const options = {
    ...rangeOf(query),
    reverse: query.reverse === true,
    // Values are read with what is known of their keys.
    keysOnly: true,
    ...(cursor === undefined ? {} : { cursor: base64Bytes(cursor, "cursor") }),
  };
  let page = await snapshot.page({ ...options, limit });
  const texts: string[] = [];
  let characters = 0;
  let taken = 0;
  for (const [key] of page.entries) {
    if (characters >= PAGE_CHARACTERS) break;
    taken++;
    const record = await recordOf(snapshot, key);
    // What has expired since its key was read is left out.
    if (record === undefined) continue;
    const text = entryText(key, record, query, json);
    texts.push(text);
    characters += text.length;
  }
  if (taken < page.entries.length) page = await snapshot.page({ ...options, limit: taken });
  const next = page.cursor === undefined ? "null" : `"${base64url(page.cursor)}"`;
  return `{"items":[${texts.join(",")}],"cursor":${next}}`;
}

/** The scan that told the key has just read the block that it is in, so there is mostly nothing to wait for. */
function recordOf(
  snapshot: HttpSnapshot,
  key: Uint8Array,
): Promise<EntryRecord | undefined> | EntryRecord | undefined {
  const record = snapshot.getEntryCached(key);
  return record === NOT_CACHED ? snapshot.getEntry(key) : record;
}

function entryText(
  key: Uint8Array,
  record: EntryRecord,
  { keys_only, encoding = "utf8" }: RangeQuery,
  json: EntryJson,
): string {
  return keys_only === true ? json.ofKey(key, record) : json.of(key, record, encoding);
}

/** Values are read one at a time, behind the scan of their keys, so that a stream holds one part and one value. */
async function streamRange(
  context: HttpContext,
  store: HttpKeyedStore,
  query: RangeQuery,
  json: EntryJson,
  reply: HttpReply,
): Promise<HttpReply> {
  if (query.cursor !== undefined) {
    throw new VarveError(
      "INVALID_ARGUMENT",
      "a stream has no cursor: begin it behind the last key",
    );
  }
  const { streams, settings, logger, unsent } = context;
  streams.assertRoom();
  await using snapshot = await store.snapshot();
  await using scan = snapshot.scan({
    ...rangeOf(query),
    reverse: query.reverse === true,
    keysOnly: true,
    ...(query.limit === undefined ? {} : { limit: query.limit }),
  });
  // What is wrong with the range is told before the answer begins.
  let entries = await scan.nextMany(PART_KEYS);
  const { streamIdleTimeoutMs } = settings;
  // Throws where there is no room any more: while this is `fastify`'s to answer.
  const stream = new StreamedAnswer(reply.raw, streams, unsent, streamIdleTimeoutMs, LINES_TYPE);
  reply.request.isStream = true;
  reply.hijack();
  try {
    while (entries.length > 0) {
      let text = "";
      for (const [key] of entries) {
        const record = await recordOf(snapshot, key);
        if (record !== undefined) text += `${entryText(key, record, query, json)}\n`;
        if (text.length < PART_CHARACTERS) continue;
        await stream.write(text);
        text = "";
      }
      if (text !== "") await stream.write(text);
      entries = await scan.nextMany(PART_KEYS);
    }
    stream.end();
  } catch (thrown) {
    const error = errorOf(thrown);
    if (error.code === "INTERNAL") logger.error({ err: thrown }, "a streamed range failed");
    stream.endEarly(`${JSON.stringify({ problem: problemOf(error) })}\n`);
  }
  return reply;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
