/** The same REST routes on `fastify`, over a table of PostgreSQL: the plain design that Varve's door stands beside. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { type FastifyReply, fastify } from "fastify";
import { Type } from "typebox";
import type { PostgresStore } from "./postgres-store.ts";

const BODY_BYTES_MAX = 32 * 2 ** 20;
const KEY_CHARACTERS_MAX = 4096;
const LIMIT_MAX = 1000;

const Entry = Type.Object({
  key: Type.String(),
  value: Type.String(),
  version: Type.Integer(),
  created_at: Type.String(),
  updated_at: Type.String(),
});
const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
});
const KeyParams = Type.Object({ key: Type.String({ minLength: 1 }) });
const PutBody = Type.Object({ value: Type.String() });
const RangeParams = Type.Object({
  start: Type.Optional(Type.String()),
  end: Type.Optional(Type.String()),
  cursor: Type.Optional(Type.String()),
  reverse: Type.Boolean({ default: false }),
  limit: Type.Integer({ default: 100, minimum: 1, maximum: LIMIT_MAX }),
});
const RangeAnswer = Type.Object({
  items: Type.Array(Entry),
  cursor: Type.Union([Type.String(), Type.Null()]),
});
const BatchBody = Type.Object({
  items: Type.Array(
    Type.Union([
      Type.Object({ key: Type.String({ minLength: 1 }), value: Type.String() }),
      Type.Object({ key: Type.String({ minLength: 1 }), delete: Type.Literal(true) }),
    ]),
  ),
});
/** One form for both kinds of items, which is serialized faster than a choice of two. */
const BatchAnswer = Type.Object({
  items: Type.Array(
    Type.Object({
      key: Type.String(),
      ...Type.Partial(Type.Omit(Entry, ["key"])).properties,
      deleted: Type.Optional(Type.Boolean()),
    }),
  ),
});

function sendProblem(reply: FastifyReply, status: number, code: string, detail: string) {
  reply.code(status).header("content-type", "application/problem+json");
  return reply.send({ type: "about:blank", title: code, status, detail, code });
}

export function postgresApp(store: PostgresStore) {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: KEY_CHARACTERS_MAX },
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    const code = status < 500 ? "INVALID_ARGUMENT" : "INTERNAL";
    return sendProblem(reply, status, code, error.message);
  });

  app.get(
    "/kv-store/v1/kv/:key",
    { schema: { params: KeyParams, response: { 200: Entry, 404: Problem } } },
    async ({ params: { key } }, reply) => {
      const entry = await store.get(key);
      if (entry === undefined) return sendProblem(reply, 404, "NOT_FOUND", `there is no ${key}`);
      reply.header("etag", `"${entry.version}"`);
      return entry;
    },
  );

  app.put(
    "/kv-store/v1/kv/:key",
    { schema: { params: KeyParams, body: PutBody, response: { 200: Entry } } },
    async ({ params: { key }, body: { value } }, reply) => {
      const entry = await store.put(key, value);
      reply.header("etag", `"${entry.version}"`);
      return entry;
    },
  );

  app.delete("/kv-store/v1/kv/:key", { schema: { params: KeyParams } }, async (request, reply) => {
    await store.delete(request.params.key);
    return reply.code(204).send();
  });

  app.get(
    "/kv-store/v1/kv",
    { schema: { querystring: RangeParams, response: { 200: RangeAnswer } } },
    async ({ query: { start, end, cursor, reverse, limit } }) => {
      const after = cursor === undefined ? undefined : Buffer.from(cursor, "base64url").toString();
      const items = await store.range({ start, end, after, reverse, limit });
      // Of a full page it is not known whether anything follows, as in Varve.
      const last = items.length === limit ? items.at(-1) : undefined;
      return { items, cursor: last ? Buffer.from(last.key).toString("base64url") : null };
    },
  );

  app.post(
    "/kv-store/v1/kv/batch",
    { schema: { body: BatchBody, response: { 200: BatchAnswer } } },
    async ({ body }) => ({ items: await store.batch(body.items) }),
  );
  return app;
}
