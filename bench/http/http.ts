/**
 * `http`: Varve's HTTP door under autocannon, beside a bare server of `node:http` that answers the same bytes and,
 * where PostgreSQL is installed, beside the same routes on `fastify` over a table of it. Servers and clients are
 * all processes of their own, and share the machine's processors.
 */
import { join } from "node:path";
import {
  figuresOf,
  interleave,
  median,
  ratioRow,
  type Samples,
  VARVE,
} from "../support/compare.ts";
import { machine } from "../support/machine.ts";
import { findPostgres, POSTGRES_SETTINGS } from "../support/postgres-process.ts";
import type { Row, SuiteReport, SuiteRequest } from "../support/report.ts";
import { SideProcess } from "../support/side-process.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import type { ClientFigures, ClientQuestion, ClientSpec } from "./client.ts";
import { POOL_CONNECTIONS } from "./postgres-store.ts";
import type { Data } from "./requests.ts";
import { type HttpServerProcess, startBare, startFastifyPostgres, startVarve } from "./servers.ts";
import { BARE, type Peer, POSTGRES, TASKS, type Task } from "./tasks.ts";

const CLIENT = join(import.meta.dirname, "client.ts");
const VALUE_BYTES = 100;

/** A server and the client that loads it, each in its own process. */
class HttpSide {
  readonly name: string;
  readonly url: string;
  readonly #server: HttpServerProcess;
  readonly #client: SideProcess;

  constructor(server: HttpServerProcess, data: Data) {
    const spec: ClientSpec = { url: server.url, data };
    this.name = server.name;
    this.url = server.url;
    this.#server = server;
    this.#client = new SideProcess(`client of ${server.name}`, CLIENT, [
      "--spec",
      JSON.stringify(spec),
    ]);
  }

  async load(): Promise<void> {
    await this.#ask({ load: true });
    await this.#server.settle();
  }

  async run(task: string, milliseconds: number): Promise<ClientFigures> {
    const beforeMs = this.#server.processorMs();
    const figures = await this.#ask<ClientFigures>({ task, milliseconds });
    const usedMs = this.#server.processorMs() - beforeMs;
    return { ...figures, serverMicros: (usedMs * 1000) / figures.answered };
  }

  async stop(): Promise<void> {
    await this.#client.close();
    await this.#server.stop();
  }

  #ask<Answer>(question: ClientQuestion): Promise<Answer> {
    return this.#client.ask<Answer>(question);
  }
}

const FIGURES: readonly (readonly [figure: string, label: string, unit: string])[] = [
  ["rate", "", "requests/s"],
  ["p50", ", p50", "ms"],
  ["p99", ", p99", "ms"],
  ["p999", ", p99.9", "ms"],
  ["serverMicros", ", server’s processor", "µs/request"],
];

function rowsOf(task: Task, samples: Samples): Row[] {
  const peers = ([BARE, POSTGRES] satisfies Peer[]).filter((peer) => samples.has(peer));
  const rows = FIGURES.flatMap(([figure, label, unit]) =>
    peers.map((peer) => {
      const limit = figure === "rate" ? task.limits[peer] : undefined;
      return ratioRow(samples, peer, { row: task.name + label, figure, unit, limit });
    }),
  );
  // Not every system shows what a server has used of the processor.
  return rows.filter(({ varve }) => !Number.isNaN(varve));
}

export async function runHttp(request: SuiteRequest): Promise<SuiteReport> {
  const rounds = request.rounds ?? (request.quick ? 1 : 5);
  const milliseconds = request.quick ? 200 : 2000;
  const data: Data = {
    entries: request.entries ?? (request.quick ? 20_000 : 100_000),
    valueBytes: VALUE_BYTES,
    different: request.quick ? 2000 : 20_000,
  };
  const program = findPostgres();
  await using directory = await temporaryDirectory("varve-http-");
  const sides: HttpSide[] = [];
  const rows: Row[] = [];
  const clientShares: Record<string, Record<string, string>> = {};
  try {
    const varve = new HttpSide(await startVarve(join(directory.path, "data")), data);
    sides.push(varve);
    await varve.load();
    sides.push(new HttpSide(await startBare(varve.url, data), data));
    if (program !== undefined) {
      const postgres = new HttpSide(await startFastifyPostgres(program), data);
      sides.push(postgres);
      await postgres.load();
    }
    const turns = sides.map((side) => ({
      name: side.name,
      run: (task: string) => side.run(task, milliseconds),
    }));
    for (const task of TASKS.filter(({ name }) => name.includes(request.only ?? ""))) {
      const samples = await interleave(turns, task.name, rounds);
      const done = rowsOf(task, samples);
      rows.push(...done);
      clientShares[task.name] = Object.fromEntries(
        sides.map(({ name }) => [name, median(figuresOf(samples, name, "clientShare")).toFixed(2)]),
      );
      const ratios = done.filter(({ row }) => row === task.name);
      process.stderr.write(
        `${task.name}: ${ratios.map(({ ratio }) => ratio?.toFixed(2)).join(", ")}\n`,
      );
    }
  } finally {
    for (const side of sides.toReversed()) await side.stop();
  }
  const options = {
    ...data,
    rounds,
    millisecondsARun: milliseconds,
    client: "autocannon, a process for each side, keep-alive, pipelining 1, one thread",
    "client's share of a core": clientShares,
    [VARVE]: { durability: "always", others: "defaults" },
    [BARE]: "answers what was recorded of varve; stores nothing",
    [POSTGRES]: program && {
      version: program.version,
      pool: POOL_CONNECTIONS,
      socket: "unix",
      settings: POSTGRES_SETTINGS,
    },
    shared: "server, client and PostgreSQL share the machine's cores",
    skipped: program === undefined ? [POSTGRES] : [],
  };
  return { suite: "http", quick: request.quick, machine: machine(), options, rows };
}
