/** What every route has in common: who may ask, the count of requests in flight, and how long they took. */
import { VarveError } from "../errors.ts";
import type { HttpApp, HttpReply, HttpRequest } from "./http-app.ts";
import type { HttpContext } from "./http-context.ts";
import { BadQuery, percentDecode } from "./percent.ts";

/** From here on it is told which key was slow. */
const SLOW_MS = 50;

/** What a caller asks to be told: that there is no such key, and that a condition does not hold. */
const EXPECTED: ReadonlySet<number> = new Set([404, 412]);

/** Requests that were taken, and those that are not answered yet. */
export class RequestCounts {
  taken = 0;
  inFlight = 0;

  begin(response: HttpReply["raw"]): void {
    this.taken++;
    this.inFlight++;
    response.on("close", this.#ended);
  }

  readonly #ended = (): void => {
    this.inFlight--;
  };
}

/** Each route that is added from here on gets checks of its own, so that no request looks up what its route needs. */
export function addGuards(app: HttpApp, context: HttpContext, counts: RequestCounts): void {
  app.addHook("onRoute", (route) => {
    const { access = "read", operation } = route.config ?? {};
    const guard = (request: HttpRequest, reply: HttpReply, done: (error?: Error) => void) => {
      counts.begin(reply.raw);
      request.answer = reply.raw;
      try {
        if (context.isClosing) {
          const message = "the server is shutting down";
          throw new VarveError("SHUTTING_DOWN", message, { retryAfterMs: 1000 });
        }
        const { headers } = request.raw;
        context.access.checkHost(headers.host);
        if (access !== "open") context.access.check(headers.authorization, access);
        if (request.query instanceof BadQuery) throw request.query.error;
      } catch (error) {
        done(error as Error);
        return;
      }
      done();
    };
    route.onRequest = [guard, ...[route.onRequest ?? []].flat()];
    const { telemetry } = context;
    if (operation === undefined) return;
    const measure = (request: HttpRequest, reply: HttpReply, done: () => void) => {
      const { elapsedTime, statusCode } = reply;
      const isError = statusCode >= 400 && !EXPECTED.has(statusCode);
      const key = elapsedTime < SLOW_MS ? undefined : keyOf(request);
      const name = request.isStream ? "scan" : operation;
      telemetry.record("http", name, elapsedTime, isError, key);
      done();
    };
    route.onResponse = [measure, ...[route.onResponse ?? []].flat()];
  });
}

function keyOf(request: HttpRequest): Uint8Array | undefined {
  const key = (request.params as Record<string, string>)["*"];
  try {
    return key === undefined ? undefined : percentDecode(key);
  } catch {
    return undefined;
  }
}
