/** What WATCH and WATCH_CREDIT do. */
import { decodeWatch, decodeWatchCredit, type Frame } from "varve-protocol";
import { VarveError } from "../errors.ts";
import { answerLater } from "./answers.ts";
import type { Connection } from "./connection.ts";
import { StreamedWatch } from "./served-watch.ts";
import type { ServerContext } from "./server-context.ts";

const WATCH_RETRY_MS = 1000;

export function watch(connection: Connection, context: ServerContext, frame: Frame): void {
  const { requestId } = frame;
  const { credit, range, ...options } = decodeWatch(frame);
  answerLater(connection, context, frame, undefined, async () => {
    const { settings, counters, store } = context;
    assertRoom(connection.watches.size, settings.watchesMax, "the connection");
    assertRoom(counters.watches, settings.watchesTotalMax, "the server");
    const source = store.watch({ ...options, ...range });
    const { scanIdleTimeoutMs } = settings;
    const streamed = new StreamedWatch(requestId, source, credit, connection, scanIdleTimeoutMs);
    connection.watches.set(requestId, streamed);
    counters.watches++;
    try {
      await streamed.run();
    } finally {
      counters.watches--;
      connection.watches.delete(requestId);
    }
  });
}

export function grantWatchCredit(connection: Connection, frame: Frame): void {
  const credit = decodeWatchCredit(frame);
  connection.watches.get(frame.requestId)?.grant(credit);
}

function assertRoom(open: number, openMax: number, whose: string): void {
  if (open < openMax) return;
  const message = `${whose} has ${open} watches open, and takes no more`;
  throw new VarveError("OVERLOADED", message, { retryAfterMs: WATCH_RETRY_MS });
}
