/**
 * The server program: opens the database, opens the TCP door, and on a signal closes both in order. This is
 * where disk, engine, door and settings meet.
 */
import { pino } from "pino";
import { Database } from "../engine/database.ts";
import { VarveError } from "../errors.ts";
import type { Settings } from "../options.ts";
import { Server } from "../server/server.ts";
import type { Durability } from "../store.ts";
import { packageVersion } from "./version.ts";

export interface ServeOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
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
  const database = await Database.open(options.data, { ...settings, logger });
  const server = new Server({
    store: database.stored,
    storeLimits: database.limits,
    version: packageVersion(),
    logger,
  });
  let port: number;
  try {
    port = await server.listen(options.port, options.host);
  } catch (cause) {
    await database.close();
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot listen on ${options.host}:${options.port}: ${reason}`;
    throw new VarveError("IO_ERROR", message, { cause });
  }
  logger.info(
    { host: options.host, port, data: options.data, pid: process.pid },
    `serving varve://${options.host}:${port} from ${options.data}`,
  );
  logger.info({ signal: await signalled }, "closing: answering what is in flight");
  await server.close();
  await database.close();
  logger.info("closed");
  // Nothing is left to wait for; a timer or a thread that is ending must not hold the process.
  process.exit(0);
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
