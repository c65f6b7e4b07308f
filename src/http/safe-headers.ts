/** Headers of every answer. */
import type { HttpApp } from "./http-app.ts";

/**
 * What is stored is never taken for a script or a page, whatever it looks like; and no cache on the way, or in the browser,
 * answers with what is not stored any more.
 */
export const SAFE_HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
} as const;

/** For all routes that are added from here on, where they do not say otherwise. Answers past `fastify` have their own. */
export function addSafeHeaders(app: HttpApp): void {
  app.addHook("onSend", (_request, reply, _payload, done) => {
    for (const [name, value] of Object.entries(SAFE_HEADERS)) {
      if (!reply.hasHeader(name)) reply.header(name, value);
    }
    done();
  });
}
