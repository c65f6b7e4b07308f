/** The servers of the `http` suite, each in processes of its own. */
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { VARVE } from "../support/compare.ts";
import { type PostgresProgram, startPostgres } from "../support/postgres-process.ts";
import { processorMs } from "../support/processor-time.ts";
import { startServer } from "../support/server-process.ts";
import { SideProcess } from "../support/side-process.ts";
import type { BareSpec } from "./bare-side.ts";
import type { PostgresSpec } from "./postgres-side.ts";
import type { Data } from "./requests.ts";
import { BARE, POSTGRES } from "./tasks.ts";

export interface HttpServerProcess {
  readonly name: string;
  readonly url: string;
  /** What all of its processes have used of the processor so far; NaN where that is not shown. */
  processorMs(): number;
  /** After a load: what one does who knows the server. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

const WINDOW_MS = 100;
/** Of one core. */
const QUIET_SHARE = 0.06;
const WINDOWS_MAX = 300;

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

function startSide(name: string, program: string, spec: object): SideProcess {
  return new SideProcess(name, join(import.meta.dirname, program), [
    "--spec",
    JSON.stringify(spec),
  ]);
}

/** Resolves when the server has hardly used the processor for a moment, or at last after half a minute. */
async function untilQuiet(server: Pick<HttpServerProcess, "processorMs">): Promise<void> {
  for (let windows = 0; windows < WINDOWS_MAX; windows++) {
    const before = server.processorMs();
    await setTimeout(WINDOW_MS);
    const usedMs = server.processorMs() - before;
    if (!(usedMs > QUIET_SHARE * WINDOW_MS)) return;
  }
}

export async function startVarve(directory: string): Promise<HttpServerProcess> {
  const server = await startServer(directory, ["--http-port", "0"]);
  const used = { processorMs: () => processorMs(server.pid) };
  return {
    name: VARVE,
    url: urlOf(server.httpPort ?? 0),
    ...used,
    settle: () => untilQuiet(used),
    stop: async () => {
      await server.stop();
    },
  };
}

/** `url` is that of Varve's server, whose answers are recorded: it has its data already. */
export async function startBare(url: string, data: Data): Promise<HttpServerProcess> {
  const spec: BareSpec = { url, data };
  const side = startSide(BARE, "bare-side.ts", spec);
  return {
    name: BARE,
    url: urlOf(await side.ask<number>({ listen: true })),
    processorMs: () => processorMs(side.pid),
    settle: async () => undefined,
    stop: () => side.close(),
  };
}

export async function startFastifyPostgres(program: PostgresProgram): Promise<HttpServerProcess> {
  const postgres = await startPostgres(program);
  const spec: PostgresSpec = { host: postgres.host, user: postgres.user };
  const side = startSide(POSTGRES, "postgres-side.ts", spec);
  const used = { processorMs: () => processorMs(side.pid) + processorMs(postgres.pid) };
  return {
    name: POSTGRES,
    url: urlOf(await side.ask<number>({ listen: true })),
    ...used,
    settle: async () => {
      await side.ask({ settle: true });
      await untilQuiet(used);
    },
    stop: async () => {
      await side.close();
      await postgres[Symbol.asyncDispose]();
    },
  };
}
