/**
 * A server that breaks a promise, to see that it is caught: `--broken answers-early` answers writes before
 * they are in the log, `--broken shows-early` lets reads see them before that, and `--broken no` does neither.
 */
import { parseArgs } from "node:util";
import { pino } from "pino";
import { Database } from "../../src/engine/database.ts";
import { Server } from "../../src/server/server.ts";
import { EarlyStore } from "./early-store.ts";
import { LateLogFileSystem } from "./late-log.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    data: { type: "string" },
    "memory-budget": { type: "string" },
    broken: { type: "string" },
  },
});
const fs = new LateLogFileSystem(values.broken === "answers-early" ? "at once" : "when written");
const database = await Database.open(values.data ?? "", { fs });
const server = new Server({
  store: values.broken === "shows-early" ? new EarlyStore(database.stored) : database.stored,
  storeLimits: database.limits,
  version: "0.0.0",
  logger: pino({ level: "silent" }),
});
const port = await server.listen(Number(values.port), "127.0.0.1");
process.stdout.write(`${JSON.stringify({ port })}\n`);
process.once("SIGTERM", async () => {
  await server.close();
  await database.close();
  process.exit(0);
});
