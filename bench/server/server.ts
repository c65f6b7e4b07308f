/**
 * `server`: Varve's server and client against Redis over its two clients, GET and PUT of 100-byte values.
 * Servers and clients are all processes of their own. Of the ways to talk to Redis, each row counts the best.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bestPeer, type Figures, interleave, ratioRow } from "../support/compare.ts";
import { machine } from "../support/machine.ts";
import { redisOptions, redisVersion, startRedis } from "../support/redis-process.ts";
import type { Row, SuiteReport, SuiteRequest } from "../support/report.ts";
import { startServer } from "../support/server-process.ts";
import { SideProcess } from "../support/side-process.ts";
import { remotesPresent } from "./remotes.ts";
import type { SideSpec } from "./side.ts";
import { TASKS, type Task } from "./tasks.ts";

const VALUE_BYTES = 100;
const SIDE = join(import.meta.dirname, "side.ts");

interface Servers {
  readonly ports: Readonly<Record<"varve" | "redis", SideSpec["ports"]>>;
  stop(): Promise<void>;
}

async function startServers(root: string, withRedis: boolean): Promise<Servers> {
  const always = await startServer(join(root, "varve-always"));
  const interval = await startServer(join(root, "varve-interval"), ["--durability", "interval"]);
  const redis = withRedis
    ? [
        await startRedis(join(root, "redis-always"), "always"),
        await startRedis(join(root, "redis-everysec"), "everysec"),
      ]
    : [];
  const portOf = ({ url }: { readonly url: string }) => Number(new URL(url).port);
  return {
    ports: {
      varve: { always: portOf(always), interval: portOf(interval) },
      redis: { always: redis[0]?.port ?? 0, interval: redis[1]?.port ?? 0 },
    },
    stop: async () => {
      await Promise.all([always, interval, ...redis].map((server) => server.stop()));
    },
  };
}

type FigureSpec = readonly [figure: string, label: string, unit: string, "highest" | "lowest"];

const FIGURES: readonly FigureSpec[] = [
  ["rate", "", "calls/s", "highest"],
  ["p50", ", p50", "ms", "lowest"],
  ["p99", ", p99", "ms", "lowest"],
  ["p999", ", p99.9", "ms", "lowest"],
];

function rowsOf(task: Task, samples: Awaited<ReturnType<typeof interleave>>): Row[] {
  return FIGURES.flatMap(([figure, label, unit, best]) => {
    const peer = bestPeer(samples, figure, best);
    if (peer === undefined) return [];
    const limit = figure === "rate" ? task.rate : figure === "p50" ? task.p50 : undefined;
    return [ratioRow(samples, peer, { row: task.name + label, figure, unit, limit })];
  });
}

export async function runServer(request: SuiteRequest): Promise<SuiteReport> {
  const entries = request.entries ?? (request.quick ? 20_000 : 1_000_000);
  const rounds = request.rounds ?? (request.quick ? 2 : 5);
  const milliseconds = request.quick ? 100 : 1000;
  const redis = redisVersion();
  const { present: kinds, skipped } = remotesPresent(redis !== undefined);
  const root = await mkdtemp(join(tmpdir(), "varve-server-"));
  const servers = await startServers(root, redis !== undefined);
  const processes = kinds.map(({ name, server }) => {
    const ports = servers.ports[server];
    const spec: SideSpec = { remote: name, entries, valueBytes: VALUE_BYTES, ports };
    return { server, process: new SideProcess(name, SIDE, ["--spec", JSON.stringify(spec)]) };
  });
  const rows: Row[] = [];
  try {
    for (const server of ["varve", "redis"]) {
      const loader = processes.find((side) => side.server === server)?.process;
      for (const load of ["always", "interval"]) await loader?.ask({ load });
    }
    const sides = processes.map(({ process: side }) => ({
      name: side.name,
      run: (task: string, round: number) => side.ask<Figures>({ task, round, milliseconds }),
    }));
    for (const task of TASKS.filter(({ name }) => name.includes(request.only ?? ""))) {
      rows.push(...rowsOf(task, await interleave(sides, task.name, rounds)));
      process.stderr.write(`${task.name}: ${rows.at(-4)?.ratio?.toFixed(2)}\n`);
    }
  } finally {
    for (const { process: side } of processes) await side.close();
    await servers.stop();
    await rm(root, { recursive: true, force: true });
  }
  const options = {
    entries,
    rounds,
    keyBytes: 16,
    valueBytes: VALUE_BYTES,
    millisecondsARun: milliseconds,
    "varve server": { durability: ["always", "interval"], others: "defaults" },
    "redis server": redis && {
      version: redis,
      always: redisOptions("always"),
      interval: redisOptions("everysec"),
    },
    ...Object.fromEntries(kinds.map(({ name, options: used }) => [`client ${name}`, used])),
    skipped,
  };
  return { suite: "server", quick: request.quick, machine: machine(), options, rows };
}
