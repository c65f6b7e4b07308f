/**
 * The documents: OpenAPI at `/kv-store/schema/`, Swagger UI at `/kv-store/docs/`, ReDoc at `/kv-store/redoc/`. All that their
 * pages load is served from here, and their policy lets a browser load nothing else.
 */
import { readFile } from "node:fs/promises";
import { fastifySwagger } from "@fastify/swagger";
import { fastifySwaggerUi } from "@fastify/swagger-ui";
import { Type } from "typebox";
import type { HttpApp } from "./http-app.ts";
import { KV_PATH } from "./kv-routes.ts";

const SCHEMA_PATH = "/kv-store/schema";
const DOCS_PATH = "/kv-store/docs";
const REDOC_PATH = "/kv-store/redoc";

/** ReDoc puts its maker's picture, from its maker's server, under the menu. */
const REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg";
const NO_PICTURE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";

const POLICY =
  "default-src 'self'; base-uri 'none'; connect-src 'self'; font-src 'self' data:; frame-ancestors 'none'; " +
  "img-src 'self' data:; object-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:";

const REDOC_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Varve: the HTTP interface</title>
    <link rel="icon" href="data:,">
    <style>body { margin: 0 }</style>
  </head>
  <body>
    <redoc spec-url="${SCHEMA_PATH}/" suppress-warnings="true"></redoc>
    <script src="${REDOC_PATH}/redoc.js"></script>
  </body>
</html>
`;

/** Before the routes that are to be in the document. */
export async function addSchema(app: HttpApp, version: string, needsToken: boolean): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Varve",
        version,
        description:
          "A crash-safe, ordered key/value store. Keys are bytes, percent-encoded where they stand in an address, and in " +
          "the order of unsigned bytes. Failures are problem documents (RFC 9457) with a stable `code`.",
        license: { name: "MIT", identifier: "MIT" },
      },
      servers: [{ url: "/", description: "This server" }],
      tags: [
        { name: "keys", description: "Entries and their ranges" },
        { name: "changes", description: "What is committed, as it happens" },
        { name: "admin", description: "What an operator asks for" },
        { name: "health", description: "For those who watch over the server" },
      ],
      components: {
        securitySchemes: {
          token: {
            type: "http",
            scheme: "bearer",
            description: "A token of the server's file of tokens, where it has one.",
          },
        },
      },
      // Without a file of tokens none is needed.
      security: needsToken ? [{ token: [] }] : [{}, { token: [] }],
    },
    // A wildcard, which keys with slashes need, is a parameter to those who read the document.
    transform: ({ schema, url }) => {
      const isOfStore = url.startsWith("/kv-store/") && !url.endsWith("/");
      if (url !== `${KV_PATH}/*`) return { schema, url: isOfStore ? `${url}/` : url };
      const params = Type.Object({
        key: Type.String({
          description: "The key, percent-encoded: any bytes. Slashes may be as they are.",
          examples: ["user123"],
        }),
      });
      return { schema: { ...schema, params }, url: `${KV_PATH}/:key/` };
    },
  });
}

export async function addDocs(app: HttpApp): Promise<void> {
  const open = { config: { access: "open" as const }, schema: { hide: true } };
  let document: string | undefined;
  app.get(SCHEMA_PATH, open, (_request, reply) => {
    document ??= JSON.stringify(app.swagger(), null, 2);
    reply.header("content-type", "application/json").send(document);
  });

  await app.register(async (docs) => {
    docs.addHook("onRoute", (route) => {
      route.config = { ...route.config, access: "open" };
    });
    docs.addHook("onSend", (_request, reply, _payload, done) => {
      reply.header("content-security-policy", POLICY);
      reply.header("x-content-type-options", "nosniff");
      done();
    });
    await docs.register(fastifySwaggerUi, {
      routePrefix: DOCS_PATH,
      // No badge from a validator elsewhere.
      uiConfig: { validatorUrl: null, deepLinking: true },
    });
  });

  let script: Promise<Buffer> | undefined;
  app.get(REDOC_PATH, open, (_request, reply) => {
    reply
      .header("content-type", "text/html; charset=utf-8")
      .header("content-security-policy", POLICY)
      .send(REDOC_PAGE);
  });
  app.get(`${REDOC_PATH}/redoc.js`, open, async (_request, reply) => {
    script ??= redocScript();
    return reply
      .header("content-type", "text/javascript; charset=utf-8")
      .header("cache-control", "max-age=3600")
      .send(await script);
  });
}

async function redocScript(): Promise<Buffer> {
  const path = new URL(import.meta.resolve("redoc/bundles/redoc.standalone.js"));
  const script = await readFile(path, "utf8");
  return Buffer.from(script.replaceAll(REDOC_LOGO, NO_PICTURE));
}
