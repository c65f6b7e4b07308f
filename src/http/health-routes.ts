/** Whether the process lives, and whether it should be sent work: told early, while it can still do what it has. */
import { VarveError } from "../errors.ts";
import { JSON_TYPE } from "./accept.ts";
import type { HttpApp } from "./http-app.ts";
import type { HttpContext, HttpStore } from "./http-context.ts";
import { sendProblem } from "./problems.ts";
import { answer, HealthAnswer, ProblemAnswer, problems, ReadyAnswer } from "./schemas.ts";

const RETRY_MS = 1000;

export function addHealthRoutes(app: HttpApp, context: HttpContext): void {
  app.get(
    "/healthz",
    {
      config: { access: "open" },
      schema: {
        operationId: "health",
        tags: ["health"],
        summary: "Whether the server lives",
        response: { ...problems(), 200: answer("It does", { [JSON_TYPE]: HealthAnswer }) },
        security: [],
      },
    },
    (_request, reply) => {
      reply
        .header("content-type", JSON_TYPE)
        .send(JSON.stringify({ status: "ok", version: context.version }));
    },
  );

  app.get(
    "/readyz",
    {
      config: { access: "open" },
      schema: {
        operationId: "readiness",
        tags: ["health"],
        summary: "Whether the server should be sent work",
        description:
          "It should not while writes are delayed or refused, space on the disk is low, the log or the background work has failed, " +
          "or it is closing.",
        response: {
          ...problems(),
          200: answer("It should", { [JSON_TYPE]: ReadyAnswer }),
          503: answer("It should not, for the reasons that are told", {
            "application/problem+json": ProblemAnswer,
          }),
        },
        security: [],
      },
    },
    async (_request, reply) => {
      const found = unreadiness(context.store);
      const [first] = found;
      if (first === undefined) {
        return reply.header("content-type", JSON_TYPE).send('{"status":"ready"}');
      }
      const reasons = found.map(({ message }) => message);
      const error = new VarveError(first.code, reasons.join("; "), { retryAfterMs: RETRY_MS });
      return sendProblem(reply, error, { status: 503, reasons });
    },
  );
}

/** All that speaks against sending work here, the worst first. */
function unreadiness(store: HttpStore): VarveError[] {
  const found: VarveError[] = [];
  const { delays, space, background, log } = store.stats();
  if (log.failure !== null) found.push(new VarveError("LOG_FAILED", log.failure));
  if (background.failure !== null) {
    found.push(new VarveError("IO_ERROR", `background work has failed: ${background.failure}`));
  }
  if (space.isLow) found.push(new VarveError("NO_SPACE", "space on the disk is low"));
  const { bytesPerSecond, waiting } = delays;
  if (bytesPerSecond !== null) {
    const rate = `writes are held to ${Math.round(bytesPerSecond)} bytes a second`;
    found.push(new VarveError("OVERLOADED", `${rate}, as flush and compaction fall behind`));
  } else if (waiting > 0) {
    found.push(new VarveError("OVERLOADED", `${waiting} writes wait`));
  }
  return found;
}
