/** The `fastify` application: its settings, what all routes share, and the routes. */
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { fastify } from "fastify";
import { VarveError } from "../errors.ts";
import { addAdminRoutes } from "./admin-routes.ts";
import { AllowedMethods } from "./allowed-methods.ts";
import { addBatchRoute } from "./batch-route.ts";
import { jsonText, parseJson } from "./bodies.ts";
import { addChangesRoute } from "./changes-route.ts";
import { addDashboard } from "./dashboard-routes.ts";
import { addDocs, addSchema } from "./docs-routes.ts";
import { EntryJson } from "./entry-json.ts";
import { addGuards, type RequestCounts } from "./guards.ts";
import { addHealthRoutes } from "./health-routes.ts";
import type { HttpApp, HttpReply, HttpRequest } from "./http-app.ts";
import type { HttpContext } from "./http-context.ts";
import { addKvRoutes, KV_PATH } from "./kv-routes.ts";
import { addMetricsRoute } from "./metrics-route.ts";
import { parseQuery } from "./percent.ts";
import { errorOf, rawProblem, sendProblem } from "./problems.ts";
import { addRangeRoute } from "./range-route.ts";
import { addSafeHeaders } from "./safe-headers.ts";
import { validatorCompiler } from "./validation.ts";

const KEY_PREFIX = `${KV_PATH}/`;
/** Of Node's timers for slow peers; short, so that they are met about when they should be. */
const CHECK_MS = 1000;

export async function createApp(context: HttpContext, counts: RequestCounts): Promise<HttpApp> {
  const { settings, access, version } = context;
  const app: HttpApp = fastify({
    logger: false,
    // Refused in the guards, as all else that is refused.
    return503OnClosing: false,
    bodyLimit: settings.bodyBytesMax,
    requestTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    // Of a socket on which nothing moves, also where a whole answer waits for its reader.
    connectionTimeout: settings.streamIdleTimeoutMs,
    http: {
      maxHeaderSize: settings.headerBytesMax,
      headersTimeout: settings.headersTimeoutMs,
      connectionsCheckingInterval: CHECK_MS,
      noDelay: true,
    },
    routerOptions: {
      ignoreTrailingSlash: true,
      // A key that is too long is for the store to refuse, with its own words.
      maxParamLength: settings.headerBytesMax,
      querystringParser: (text) => parseQuery(text) as Record<string, string>,
    },
    rewriteUrl: ({ url = "/" }) => (url.startsWith(KEY_PREFIX) ? keptRaw(url) : url),
    frameworkErrors: (error, _request, reply) => {
      sendProblem(reply as unknown as HttpReply, errorOf(error));
    },
    clientErrorHandler: (error, socket) => {
      const isLost = !socket.writable || error.code === "ECONNRESET";
      if (isLost || !isAnswerable((socket as Answering)._httpMessage)) {
        socket.destroy();
        return;
      }
      socket.end(rawProblem(clientErrorOf(error.code)), () => socket.destroy());
    },
  });
  app.setValidatorCompiler(validatorCompiler);
  // Answers are text already when they are sent.
  app.setSerializerCompiler(() => JSON.stringify);
  app.setErrorHandler((thrown, _request, reply) => {
    const error = errorOf(thrown);
    if (error.code === "INTERNAL") context.logger.error({ err: thrown }, "a request failed");
    return sendProblem(reply, error);
  });
  const allowed = new AllowedMethods(app);
  app.setNotFoundHandler((request, reply) => {
    const methods = allowed.at(request.raw.url ?? "");
    if (methods.length > 0 && !methods.includes(request.method)) {
      reply.header("allow", methods.join(", "));
      const message = `${request.method} is not for this address, but ${methods.join(", ")}`;
      return sendProblem(reply, new VarveError("METHOD_NOT_ALLOWED", message));
    }
    const message = `there is nothing at ${request.method} ${request.raw.url?.slice(0, 200)}`;
    return sendProblem(reply, new VarveError("NOT_FOUND", message));
  });
  addBodyParsers(app, context);
  addGuards(app, context, counts);
  addSafeHeaders(app);
  await addSchema(app, version, access.needsToken);
  const json = new EntryJson();
  addKvRoutes(app, context, json);
  addRangeRoute(app, context, json);
  addBatchRoute(app, context, json);
  addChangesRoute(app, context, json);
  addHealthRoutes(app, context);
  addAdminRoutes(app, context);
  addMetricsRoute(app, context);
  addDashboard(app);
  await addDocs(app);
  await app.ready();
  return app;
}

function addBodyParsers(app: HttpApp, { bodies, settings, store }: HttpContext): void {
  app.removeAllContentTypeParsers();
  app.decorateRequest("bodyText", "");
  app.decorateRequest("isStream", false);
  // The answer, which a parser is not given, is what a body counts until.
  app.decorateRequest("answer");
  type Done = (error: Error | null, body?: unknown) => void;
  const parser =
    (bytesMax: number, parse: (request: HttpRequest, body: Buffer) => unknown) =>
    (request: HttpRequest, _payload: unknown, done: Done) => {
      // Not for any route: it is not read.
      if (request.answer === undefined) {
        done(null);
        return;
      }
      bodies.read(request.raw, request.answer, bytesMax, (error, body) => {
        if (error !== null || body === undefined) {
          done(error);
          return;
        }
        let parsed: unknown;
        try {
          parsed = parse(request, body);
        } catch (failure) {
          done(failure as Error);
          return;
        }
        done(null, parsed);
      });
    };
  const parseText = (request: HttpRequest, body: Buffer) => {
    if (body.length === 0) return undefined;
    request.bodyText = jsonText(body);
    return parseJson(request.bodyText);
  };
  app.addContentTypeParser("application/json", parser(settings.bodyBytesMax, parseText));
  const { valueBytesMax } = store.limits;
  app.addContentTypeParser(
    "application/octet-stream",
    parser(valueBytesMax, (_, body) => body),
  );
}

/**
 * The router decodes paths as UTF-8 and refuses all else, but keys are any bytes. So it is handed each `%` of a key as
 * `%25`, which it decodes to what was sent; and a `#`, at which it would stop, as `%23`.
 */
function keptRaw(url: string): string {
  const at = url.indexOf("?");
  const path = at === -1 ? url : url.slice(0, at);
  if (!path.includes("%") && !path.includes("#")) return url;
  const kept = path.replaceAll("%", "%25").replaceAll("#", "%23");
  return at === -1 ? kept : kept + url.slice(at);
}

/** Node's own mark of the answer that is the next one on the socket; Node's handler goes by it, too. */
interface Answering extends Duplex {
  readonly _httpMessage?: ServerResponse | null;
}

/**
 * Whether what is written now is taken for the answer to what is wrong. Where a request before it waits for its answer, it
 * would be taken for that one's, and where an answer has begun, for a part of it.
 */
function isAnswerable(next: ServerResponse | null | undefined): boolean {
  return !next || (!next.headersSent && !next.req.complete);
}

function clientErrorOf(code: string | undefined): VarveError {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new VarveError("TIMEOUT", "the request did not come in time");
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return new VarveError("HEADERS_TOO_LARGE", "the request's line and headers are too long");
  }
  return new VarveError("PROTOCOL_ERROR", `the request is not HTTP: ${code ?? "unknown"}`);
}
