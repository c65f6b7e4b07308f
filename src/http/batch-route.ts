/** Many writes, all or none. */
import { VarveError } from "../errors.ts";
import type { Operation } from "../store.ts";
import { JSON_TYPE } from "./accept.ts";
import { entriesAsOf } from "./entries-as-of.ts";
import { type EntryJson, keyFields } from "./entry-json.ts";
import type { HttpApp } from "./http-app.ts";
import type { HttpContext } from "./http-context.ts";
import { elementTexts, memberText } from "./json-text.ts";
import { keyspaceOf } from "./keyspace-of.ts";
import { KV_PATH } from "./kv-routes.ts";
import {
  answer,
  BatchAnswer,
  BatchBody,
  type BatchItem,
  DeleteQuery,
  problems,
} from "./schemas.ts";
import { keyBytes, ttlMs, valueBytes } from "./values.ts";

/** Answers of no more are not worth the counting. */
const SMALL_BYTES = 64 * 1024;

export function addBatchRoute(app: HttpApp, context: HttpContext, json: EntryJson): void {
  app.post(
    `${KV_PATH}/batch`,
    {
      config: { access: "write", operation: "batch" },
      schema: {
        operationId: "writeBatch",
        tags: ["keys"],
        summary: "Write and delete many entries, all or none",
        querystring: DeleteQuery,
        body: BatchBody,
        response: {
          200: answer("What became of the items, in their order", { [JSON_TYPE]: BatchAnswer }),
          ...problems(404, 413, 415, 507),
        },
      },
    },
    async (request, reply) => {
      const { keyspace, durability } = request.query;
      if (Buffer.isBuffer(request.body)) {
        throw new VarveError("UNSUPPORTED_MEDIA_TYPE", `a batch is ${JSON_TYPE}`);
      }
      const { items } = request.body;
      const written = items.some(({ encoding }) => encoding === "json")
        ? [...elementTexts(memberText(request.bodyText, "items") ?? "[]")]
        : [];
      const operations = items.map((item, i) =>
        operationOf(item, i, () => memberText(written[i] ?? "{}", "value")),
      );
      const { store, unsent } = context;
      if (longestValue(operations) * operations.length > SMALL_BYTES) {
        unsent.hold(reply.raw, valueBytesOf(operations, store.limits.batchBytesMax));
      }
      const keyed = keyspace === undefined ? store : await keyspaceOf(store, keyspace);
      const options = durability === undefined ? {} : { durability };
      const { version } = await keyed.batch(operations, options);
      const keys = operations.map(({ key }) => key);
      const entries = await entriesAsOf(keyed, keys, version);
      const texts = keys.map((key, i) => {
        // Another item of the batch may have put, or deleted, the key after this one.
        const entry = operations[i]?.type === "delete" ? undefined : entries[i];
        return entry === undefined
          ? deletedText(key)
          : json.of(key, entry, items[i]?.encoding ?? "utf8");
      });
      return reply.header("content-type", JSON_TYPE).send(`{"items":[${texts.join(",")}]}`);
    },
  );
}

function longestValue(operations: readonly ItemOperation[]): number {
  let longest = 0;
  for (const operation of operations) {
    if (operation.type === "put") longest = Math.max(longest, operation.value.length);
  }
  return longest;
}

/**
 * Of the values that the answer will have. An item is answered as the batch has left it, so a key that comes a thousand
 * times is answered with its last value a thousand times. Throws `BATCH_TOO_LARGE`; nothing is written yet.
 */
function valueBytesOf(operations: readonly ItemOperation[], bytesMax: number): number {
  const lengths = new Map<string, number>();
  for (const operation of operations) {
    const length = operation.type === "put" ? operation.value.length : 0;
    lengths.set(operation.key.toString("latin1"), length);
  }
  let bytes = 0;
  for (const { key } of operations) bytes += lengths.get(key.toString("latin1")) ?? 0;
  if (bytes <= bytesMax) return bytes;
  const message = `keys come more than once, and the answer would have ${bytes} bytes; at most ${bytesMax} are answered`;
  throw new VarveError("BATCH_TOO_LARGE", message);
}

type ItemOperation = Extract<Operation, { type: "put" | "delete" }> & { readonly key: Buffer };

/** Throws `INVALID_ARGUMENT`, which names the item by its place. */
function operationOf(
  item: BatchItem,
  place: number,
  written: () => string | undefined,
): ItemOperation {
  try {
    const key = keyBytes(item.key, item.key_encoding);
    if (item.delete === true) {
      if (item.value === undefined && item.ttl === undefined) return { type: "delete", key };
      throw new VarveError("INVALID_ARGUMENT", "what is deleted has no value and no ttl");
    }
    const value = valueBytes(item.value, item.encoding, written);
    return {
      type: "put",
      key,
      value,
      ...(item.ttl === undefined ? {} : { ttlMs: ttlMs(item.ttl) }),
    };
  } catch (error) {
    if (!(error instanceof VarveError)) throw error;
    throw new VarveError(error.code, `items/${place}: ${error.message}`, { cause: error });
  }
}

function deletedText(key: Uint8Array): string {
  return `{${keyFields(key)},"deleted":true}`;
}
