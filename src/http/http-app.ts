/** The `fastify` instance to which routes are added, with types and validation from one TypeBox schema. */
import type { ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { OperationName } from "../telemetry/telemetry.ts";

export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export type HttpRequest = FastifyRequest;
export type HttpReply = FastifyReply;

/** Whom a route is for. `open` needs no token. */
export type RouteAccess = "open" | "read" | "write";

declare module "fastify" {
  interface FastifyContextConfig {
    /** `read` unless given. */
    access?: RouteAccess;
    /** As what the route is measured, if it is. */
    operation?: OperationName;
  }
  interface FastifyRequest {
    /** The body as it came, where it is JSON. */
    bodyText: string;
    /** What is answered on; set where the request is for a route. */
    answer: ServerResponse | undefined;
    /** The answer goes on at its reader's pace. */
    isStream: boolean;
  }
}
