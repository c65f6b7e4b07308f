/** A server over a database in memory, with its log kept, for tests that talk to it over TCP. */
import { onTestFinished } from "vitest";
import { Database } from "../../src/engine/database.ts";
import type { ServedStore } from "../../src/server/served-store.ts";
import { Server, type ServerOptions } from "../../src/server/server.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export interface TestServer {
  readonly server: Server;
  readonly database: Database;
  readonly port: number;
  readonly lines: readonly LogLine[];
  stats(): { connections: number; inFlight: number; scans: number; protocolErrors: number };
}

/** `wrap` may put another store in front of the database. */
export async function startTestServer(
  options: Partial<ServerOptions> = {},
  wrap: (database: Database) => ServedStore = (database) => database.stored,
): Promise<TestServer> {
  const database = await Database.open("/db", { fs: new MemoryFileSystem(), background: "inline" });
  const lines: LogLine[] = [];
  const log = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const storeLimits = database.limits;
  const store = wrap(database);
  const server = new Server({ store, storeLimits, version: "0.0.0", logger, ...options });
  const port = await server.listen(0, "127.0.0.1");
  onTestFinished(async () => {
    await server.close();
    await database.close();
  });
  return {
    server,
    database,
    port,
    lines,
    stats: () => server.stats() as ReturnType<TestServer["stats"]>,
  };
}

/** A store that is `database` but for what `changes` says. */
export function changed(database: Database, changes: Partial<ServedStore>): ServedStore {
  return new Proxy<ServedStore>(database.stored, {
    get(target, name) {
      const own = changes[name as keyof ServedStore];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const EVENTUALLY_MS = 10_000;

/** Resolves when the condition holds, looking again after each turn of the event loop. */
export async function eventually(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + EVENTUALLY_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error("what was waited for did not come");
    await new Promise(setImmediate);
  }
}
