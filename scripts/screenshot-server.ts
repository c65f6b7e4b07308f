/**
 * The server of which the screenshot is taken: a database with small tables and levels, so that a minute's load gives a
 * tree with several of them. A process of its own; says on one line where it serves, and ends with SIGTERM.
 */
import { Database } from "../src/engine/database.ts";
import { HttpServer } from "../src/http/http-server.ts";
import { Server } from "../src/server/server.ts";
import { Telemetry } from "../src/telemetry/telemetry.ts";

const MIB = 1024 * 1024;

const [directory = "", version = "0.1.0"] = process.argv.slice(2);
const silent = () => {};
const logger = { debug: silent, info: silent, warn: silent, error: console.error };

const database = await Database.open(directory, {
  memtableBytes: 4 * MIB,
  tableBytes: MIB,
  levelBytes: MIB,
  levelMultiplier: 4,
  memoryBudget: 96 * MIB,
});
let http: HttpServer | undefined;
const telemetry = new Telemetry({
  store: () => database.stats(),
  tcp: () => server.stats(),
  http: () => http?.stats() ?? {},
  connections: (max) => server.connections(max),
});
const server = new Server({
  store: database.stored,
  storeLimits: database.limits,
  version,
  logger,
  telemetry,
});
http = new HttpServer({ store: database, version, logger, telemetry, isReadOnly: false });
const port = await server.listen(0, "127.0.0.1");
const httpPort = await http.listen(0, "127.0.0.1");
telemetry.start();
console.log(JSON.stringify({ port, httpPort }));

process.once("SIGTERM", async () => {
  telemetry.stop();
  await Promise.all([server.close(), http.close()]);
  await database.close();
  process.exit(0);
});
