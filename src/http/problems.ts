/** Failures as RFC 9457 problem documents, with the codes that errors have everywhere. */
import { isUtf8 } from "node:buffer";
import { STATUS_CODES } from "node:http";
import { VarveError } from "../errors.ts";
import type { HttpReply } from "./http-app.ts";
import { STATUS } from "./status.ts";

export const PROBLEM_TYPE = "application/problem+json";

export interface Problem {
  /** A name for the kind of problem, not an address. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly retry_after_ms?: number;
  /** The write may or may not have been made: read before writing again. */
  readonly maybe_applied?: true;
  readonly key?: string;
  readonly key_encoding?: "base64";
  readonly sequence?: number;
  /** Of `/readyz`: all that keeps it from being ready. */
  readonly reasons?: readonly string[];
}

/** What is told of anything thrown; `undefined` details stay out. A defect's message stays in the log. */
export function errorOf(thrown: unknown): VarveError {
  if (thrown instanceof VarveError) return thrown;
  const { code, statusCode, message } = (thrown ?? {}) as {
    code?: unknown;
    statusCode?: unknown;
    message?: unknown;
  };
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") {
    const text = "send application/json, or a value's bytes as application/octet-stream";
    return new VarveError("UNSUPPORTED_MEDIA_TYPE", text);
  }
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500) {
    return new VarveError("INVALID_ARGUMENT", String(message));
  }
  return new VarveError("INTERNAL", "the server failed; its log says more", { cause: thrown });
}

export function problemOf(error: VarveError): Problem {
  const { code, message, retryAfterMs, maybeApplied, key, sequence } = error;
  const [status, title] = STATUS[code];
  return {
    type: `urn:varve:error:${code.toLowerCase().replaceAll("_", "-")}`,
    title,
    status,
    detail: message,
    code,
    ...(retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs }),
    ...(maybeApplied ? { maybe_applied: true } : {}),
    ...(key === undefined ? {} : keyFields(key)),
    ...(sequence === undefined ? {} : { sequence }),
  };
}

export function sendProblem(
  reply: HttpReply,
  error: VarveError,
  more: Partial<Problem> = {},
): HttpReply {
  const problem = { ...problemOf(error), ...more };
  const { retryAfterMs } = error;
  if (retryAfterMs !== undefined) reply.header("retry-after", retryAfterSeconds(retryAfterMs));
  if (error.code === "UNAUTHENTICATED") reply.header("www-authenticate", 'Bearer realm="varve"');
  return reply
    .code(problem.status)
    .header("content-type", PROBLEM_TYPE)
    .send(JSON.stringify(problem));
}

/** A whole answer, for a socket on which there is no request to answer. */
export function rawProblem(error: VarveError): string {
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  const { retryAfterMs } = error;
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(retryAfterMs === undefined ? [] : [`Retry-After: ${retryAfterSeconds(retryAfterMs)}`]),
    "Connection: close",
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

function retryAfterSeconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1000)));
}

function keyFields(key: Uint8Array): Pick<Problem, "key" | "key_encoding"> {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  if (isUtf8(bytes)) return { key: bytes.toString() };
  return { key: bytes.toString("base64"), key_encoding: "base64" };
}
