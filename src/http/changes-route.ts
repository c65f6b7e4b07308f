/**
 * The change feed as Server-Sent Events. An event's id is its sequence, so that a browser's `EventSource`, which sends the
 * last one that it saw when it connects anew, goes on where it was. Each operation has a `data` line of its own: a large
 * batch is written at its reader's pace.
 */
import { type TSchema, Type } from "typebox";
import { VarveError } from "../errors.ts";
import { decodeCounter, type FeedOperation, type WatchEvent } from "../store.ts";
import { chosenType, EVENTS_TYPE } from "./accept.ts";
import {
  bufferOf,
  type EntryJson,
  keyFields,
  type ValueEncoding,
  valueFields,
} from "./entry-json.ts";
import type { HttpApp } from "./http-app.ts";
import type { HttpContext } from "./http-context.ts";
import { keyspaceOf } from "./keyspace-of.ts";
import { errorOf, problemOf } from "./problems.ts";
import { rangeOf } from "./range-route.ts";
import { answer, ChangesQuery, problems } from "./schemas.ts";
import { StreamedAnswer } from "./streamed-answer.ts";

const PART_CHARACTERS = 64 * 1024;

export function addChangesRoute(app: HttpApp, context: HttpContext, json: EntryJson): void {
  app.get(
    "/kv-store/v1/changes",
    {
      // Of a stream there is no head without the rest.
      exposeHeadRoute: false,
      config: { access: "read" },
      schema: {
        operationId: "watchChanges",
        tags: ["changes"],
        summary: "What is committed, as it happens, or from a sequence on",
        description:
          "Server-Sent Events: `commit` with the operations of one batch, `ingest` with the range in which entries were " +
          "loaded, `progress` where there was nothing to tell. All have their sequence as `id` and JSON as data. To go on " +
          "without a gap, send the last id as `Last-Event-ID`, or as `since`. Where that past is not kept any more the answer, " +
          "or an event `problem` at the end of a stream, is COMPACTED with the oldest sequence that can be asked for.",
        querystring: ChangesQuery,
        headers: Type.Object({
          "last-event-id": Type.Optional(
            Type.String({ description: "The id of the last event that was seen." }),
          ),
        }),
        response: {
          200: answer("Events, for as long as they are read", {
            [EVENTS_TYPE]: Type.String({ description: "Server-Sent Events." }) as TSchema,
          }),
          ...problems(404, 406, 410),
        },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const { headers } = request.raw;
      chosenType(headers.accept, [EVENTS_TYPE]);
      const { store, streams, settings, logger, unsent } = context;
      const since = sinceOf(headers["last-event-id"], query.since);
      const keyed = query.keyspace === undefined ? store : await keyspaceOf(store, query.keyspace);
      streams.assertRoom();
      const { heartbeatMs, streamIdleTimeoutMs } = settings;
      const watch = keyed.watch({
        ...rangeOf(query),
        heartbeatMs,
        ...(since === undefined ? {} : { since }),
      });
      let stream: StreamedAnswer | undefined;
      try {
        // What is wrong with `since` is told before the answer begins.
        let { value: event } = await watch.next();
        stream = new StreamedAnswer(reply.raw, streams, unsent, streamIdleTimeoutMs, EVENTS_TYPE);
        request.isStream = true;
        reply.hijack();
        stream.signal.addEventListener("abort", () => void watch.return(), { once: true });
        while (event !== undefined) {
          await writeEvent(stream, event, json, query.encoding ?? "utf8");
          ({ value: event } = await watch.next());
        }
        stream.assertOpen();
        throw new VarveError("CLOSED", "the watch was closed");
      } catch (thrown) {
        if (stream === undefined) throw thrown;
        const error = errorOf(thrown);
        if (error.code === "INTERNAL") logger.error({ err: thrown }, "a watch failed");
        stream.endEarly(`event: problem\ndata: ${JSON.stringify(problemOf(error))}\n\n`);
      } finally {
        await watch.return();
      }
      return reply;
    },
  );
}

/** Throws `INVALID_ARGUMENT`. */
function sinceOf(lastEventId: string | string[] | undefined, since: number | undefined) {
  if (lastEventId === undefined || lastEventId === "") return since;
  const sequence = Number(lastEventId);
  if (/^\d+$/.test(String(lastEventId)) && Number.isSafeInteger(sequence)) return sequence;
  throw new VarveError(
    "INVALID_ARGUMENT",
    `Last-Event-ID is ${lastEventId}; it must be a sequence`,
  );
}

async function writeEvent(
  stream: StreamedAnswer,
  event: WatchEvent,
  json: EntryJson,
  encoding: ValueEncoding,
): Promise<void> {
  const { type, sequence } = event;
  let text = `event: ${type}\nid: ${sequence}\n`;
  if (type === "progress") {
    await stream.write(`${text}data: {"sequence":${sequence}}\n\n`);
    return;
  }
  const head = `"sequence":${sequence},"time":"${json.time(event.time)}"`;
  if (type === "ingest") {
    const end = event.lt === undefined ? "" : `,${keyFields(event.lt, "lt")}`;
    await stream.write(`${text}data: {${head},${keyFields(event.gte, "gte")}${end}}\n\n`);
    return;
  }
  text += `data: {${head},"operations":[\n`;
  const last = event.operations.length - 1;
  for (const [i, operation] of event.operations.entries()) {
    text += `data: ${operationText(operation, json, encoding)}${i === last ? "" : ","}\n`;
    if (text.length < PART_CHARACTERS) continue;
    await stream.write(text);
    text = "";
  }
  await stream.write(`${text}data: ]}\n\n`);
}

function operationText(operation: FeedOperation, json: EntryJson, encoding: ValueEncoding): string {
  const { type } = operation;
  switch (type) {
    case "put":
    case "delete": {
      const { key, expiresAt } = operation;
      const value = type === "put" ? `,${valueFields(operation.value, encoding)}` : "";
      const expires = expiresAt === undefined ? "" : `,"expires_at":"${json.time(expiresAt)}"`;
      return `{"type":"${type}",${keyFields(key)}${value}${expires}}`;
    }
    case "merge": {
      const { key, operator, operand } = operation;
      // A 64-bit integer is more than a number in JSON holds.
      const text =
        operator === "append"
          ? `"operand":"${bufferOf(operand).toString("base64")}"`
          : `"operand":"${decodeCounter(operand)}"`;
      return `{"type":"merge",${keyFields(key)},"operator":"${operator}",${text}}`;
    }
    case "deleteRange": {
      const end = operation.lt === undefined ? "" : `,${keyFields(operation.lt, "lt")}`;
      return `{"type":"deleteRange",${keyFields(operation.gte, "gte")}${end}}`;
    }
  }
}
