/**
 * The server program: opens the database, opens both doors, and on a signal closes all in order. This is where disk,
 * engine, doors and settings meet.
 */
import { readFile } from "node:fs/promises";
import { pino } from "pino";
import { Database } from "../engine/database.ts";
import { VarveError } from "../errors.ts";
import { type AccessTokens, parseTokens } from "../http/access.ts";
import type { HttpServer, HttpServerOptions } from "../http/http-server.ts";
import type { Settings } from "../options.ts";
import { Server } from "../server/server.ts";
import type { Durability } from "../store.ts";
import { Telemetry } from "../telemetry/telemetry.ts";
import { packageVersion } from "./version.ts";

export interface ServeOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** False for no HTTP. */
  readonly http: boolean;
  readonly httpHost: string;
  /** 0 lets the system choose. */
  readonly httpPort: number;
  /** A file of tokens, without which no token is needed. */
  readonly httpTokens?: string;
  readonly data: string;
  readonly durability: Durability;
  readonly memoryBudget: number;
  readonly retention: number;
  readonly retentionTime: number;
  readonly feedRetention: number;
  readonly feedRetentionTime: number;
  readonly readOnly: boolean;
  readonly logLevel: string;
}

/** Exit codes of a process that a signal ended, as shells have them: 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Runs until SIGINT or SIGTERM; a second signal ends the process at once. */
export async function serve(options: ServeOptions): Promise<void> {
  // From the start, so that a signal during a long recovery is not lost.
  const signalled = firstSignal();
  const logger = pino({ level: options.logLevel });
  const settings: Partial<Settings> = {
    durability: options.durability,
    memoryBudget: options.memoryBudget,
    retentionSequences: options.retention,
    retentionMs: options.retentionTime,
    feedRetentionBytes: options.feedRetention,
    feedRetentionMs: options.feedRetentionTime,
    readOnly: options.readOnly,
  };
  const tokens =
    options.httpTokens === undefined ? undefined : await readTokens(options.httpTokens);
  const database = await Database.open(options.data, { ...settings, logger });
  const version = packageVersion();
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
    // What it tells is asked for over HTTP.
    ...(options.http ? { telemetry } : {}),
  });
  const doors: Door[] = [server];
  let port: number;
  let httpPort: number | undefined;
  try {
    port = await listen(server, options.port, options.host, "");
    if (options.http) {
      http = await httpDoor({
        store: database,
        version,
        logger,
        telemetry,
        isReadOnly: options.readOnly,
        ...(tokens === undefined ? {} : { tokens }),
      });
      doors.push(http);
      httpPort = await listen(http, options.httpPort, options.httpHost, " for HTTP");
      telemetry.start();
    }
  } catch (error) {
    await closeAll(doors);
    await database.close();
    throw error;
  }
  const { host, httpHost, data } = options;
  const address = `varve://${host}:${port}`;
  const httpAddress = httpPort === undefined ? "" : ` and http://${httpHost}:${httpPort}`;
  logger.info(
    {
      host,
      port,
      ...(httpPort === undefined ? {} : { httpHost, httpPort }),
      data,
      pid: process.pid,
    },
    `serving ${address}${httpAddress} from ${data}`,
  );
  logger.info({ signal: await signalled }, "closing: answering what is in flight");
  telemetry.stop();
  await closeAll(doors);
  await database.close();
  logger.info("closed");
  // Nothing is left to wait for; a timer or a thread that is ending must not hold the process.
  process.exit(0);
}

type Door = Pick<Server, "listen" | "close">;

/** What it is made of is loaded for those alone who serve it: other commands start without. */
async function httpDoor(options: HttpServerOptions): Promise<HttpServer> {
  const { HttpServer } = await import("../http/http-server.ts");
  return new HttpServer(options);
}

async function closeAll(doors: readonly Door[]): Promise<void> {
  await Promise.all(doors.map((door) => door.close()));
}

async function listen(door: Door, port: number, host: string, purpose: string): Promise<number> {
  try {
    return await door.listen(port, host);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot listen on ${host}:${port}${purpose}: ${reason}`;
    throw new VarveError("IO_ERROR", message, { cause });
  }
}

async function readTokens(path: string): Promise<AccessTokens> {
  try {
    return parseTokens(await readFile(path, "utf8"));
  } catch (cause) {
    if (cause instanceof VarveError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new VarveError("IO_ERROR", `cannot read the tokens in ${path}: ${reason}`, { cause });
  }
}

function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    let isFirst = true;
    for (const [name, exitCode] of Object.entries(SIGNALS)) {
      process.on(name, () => {
        if (!isFirst) process.exit(exitCode);
        isFirst = false;
        resolve(name);
      });
    }
  });
}
