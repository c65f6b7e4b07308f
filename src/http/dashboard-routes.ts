/**
 * The operator's page at `/`, and its files below `/dashboard/`. The page may load and ask for nothing but what this
 * server has, runs no script that is not a file of it, and cannot be framed; so it works offline, and bytes of a
 * value that end up on it by mistake do nothing.
 */
import { join } from "node:path";
// Says what `hide` is.
import type {} from "@fastify/swagger";
import type { HttpApp, HttpReply, HttpRequest } from "./http-app.ts";
import { PageFiles } from "./page-files.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "dashboard");

const PAGE_HEADERS = {
  "content-security-policy": [
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  // Kept, but asked about each time: a new version of the server shows at once.
  "cache-control": "no-cache",
};

export function addDashboard(app: HttpApp): void {
  const files = new PageFiles(FOLDER);

  async function send(request: HttpRequest, reply: HttpReply, name: string) {
    const file = await files.get(name);
    if (file === undefined) return reply.callNotFound();
    reply.headers(PAGE_HEADERS).header("etag", file.etag);
    if (isKnown(request.headers["if-none-match"], file.etag)) return reply.code(304).send();
    return reply.type(file.type).send(file.body);
  }

  const hidden = { config: { access: "open" as const }, schema: { hide: true } };
  app.get("/", hidden, (request, reply) => send(request, reply, "index.html"));
  app.get<{ Params: { "*": string } }>("/dashboard/*", hidden, (request, reply) =>
    send(request, reply, request.params["*"]),
  );
}

/** Whether the reader has this very file, by the tags that it says it has. */
function isKnown(tags: string | undefined, etag: string): boolean {
  if (tags === undefined) return false;
  return tags.split(",").some((tag) => [etag, `W/${etag}`, "*"].includes(tag.trim()));
}
