/**
 * `ycsb`: the core workloads A to F, embedded against LevelDB and LMDB without syncs, and over TCP against
 * Redis with every write synced. All clients of Redis share its one server; each row counts the best of them.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RemoteKind, remotesPresent } from "../server/remotes.ts";
import { loadStore, storeNames } from "../stores/open-store.ts";
import { bestPeer, type Figures, interleave, ratioRow, VARVE } from "../support/compare.ts";
import { machine } from "../support/machine.ts";
import { redisOptions, redisVersion, startRedis } from "../support/redis-process.ts";
import type { Row, SuiteReport, SuiteRequest } from "../support/report.ts";
import { startServer } from "../support/server-process.ts";
import { SideProcess } from "../support/side-process.ts";
import type { EmbeddedSpec } from "./embedded-side.ts";
import type { RemoteSpec } from "./remote-side.ts";
import { IN_FLIGHT, RECORD_BYTES, WORKLOADS } from "./workloads.ts";

const MEMORY_BYTES = 256 * 1024 * 1024;

interface Plan {
  readonly root: string;
  readonly records: number;
  readonly operations: number;
  readonly rounds: number;
}

function sidesOf(processes: readonly SideProcess[]) {
  return processes.map((side) => ({
    name: side.name,
    run: (workload: string) => side.ask<Figures>({ workload }),
  }));
}

function note(row: Row | undefined): void {
  process.stderr.write(`${row?.row} / ${row?.peer}: ${row?.ratio?.toFixed(2)}\n`);
}

async function runEmbedded(plan: Plan, stores: readonly string[]): Promise<Row[]> {
  const processes = stores.map((store) => {
    const { records, operations } = plan;
    const directory = join(plan.root, store);
    const spec: EmbeddedSpec = { store, directory, records, operations, memoryBytes: MEMORY_BYTES };
    const program = join(import.meta.dirname, "embedded-side.ts");
    return new SideProcess(store, program, ["--spec", JSON.stringify(spec)]);
  });
  const rows: Row[] = [];
  try {
    for (const { name } of WORKLOADS) {
      const samples = await interleave(sidesOf(processes), name, plan.rounds);
      for (const peer of stores.filter((store) => store !== VARVE)) {
        rows.push(
          ratioRow(samples, peer, { row: `engine ${name}`, figure: "rate", unit: "ops/s" }),
        );
        note(rows.at(-1));
      }
    }
    for (const side of processes) await side.ask({ close: true });
  } finally {
    for (const side of processes) await side.close();
  }
  return rows;
}

async function runRemote(plan: Plan, kinds: readonly RemoteKind[]): Promise<Row[]> {
  const varve = await startServer(join(plan.root, "varve-server"));
  const redis = await startRedis(join(plan.root, "redis-server"), "always");
  const ports = { varve: Number(new URL(varve.url).port), redis: redis.port };
  const processes = kinds.map(({ name, server }) => {
    const { records, operations } = plan;
    const spec: RemoteSpec = { remote: name, port: ports[server], records, operations };
    const program = join(import.meta.dirname, "remote-side.ts");
    return new SideProcess(name, program, ["--spec", JSON.stringify(spec)]);
  });
  const rows: Row[] = [];
  try {
    const loaders = kinds.filter(
      ({ server }, i) => kinds.findIndex((other) => other.server === server) === i,
    );
    for (const { name } of loaders) {
      await processes.find((side) => side.name === name)?.ask({ load: true });
    }
    for (const { name } of WORKLOADS) {
      const samples = await interleave(sidesOf(processes), name, plan.rounds);
      const peer = bestPeer(samples, "rate", "highest") ?? "";
      rows.push(ratioRow(samples, peer, { row: `server ${name}`, figure: "rate", unit: "ops/s" }));
      note(rows.at(-1));
    }
    for (const side of processes) await side.ask({ close: true });
  } finally {
    for (const side of processes) await side.close();
    await Promise.all([varve.stop(), redis.stop()]);
  }
  return rows;
}

export async function runYcsb(request: SuiteRequest): Promise<SuiteReport> {
  const { present, skipped } = storeNames();
  const redis = redisVersion();
  const remotes = remotesPresent(redis !== undefined);
  const plan: Plan = {
    root: await mkdtemp(join(tmpdir(), "varve-ycsb-")),
    records: request.entries ?? (request.quick ? 2000 : 200_000),
    operations: request.quick ? 2000 : 50_000,
    rounds: request.rounds ?? (request.quick ? 2 : 5),
  };
  try {
    const rows = await runEmbedded(plan, present);
    if (remotes.present.length > 1) rows.push(...(await runRemote(plan, remotes.present)));
    const store = { memoryBytes: MEMORY_BYTES, compression: false, synced: false };
    const stores = await Promise.all(present.map(loadStore));
    const options = {
      records: plan.records,
      recordBytes: RECORD_BYTES,
      operations: plan.operations,
      scans: plan.operations / 10,
      callsInFlight: IN_FLIGHT,
      rounds: plan.rounds,
      ...Object.fromEntries(stores.map((kind) => [kind.name, kind.options(store)])),
      "varve server": { durability: "always", others: "defaults" },
      "redis server": redis && { version: redis, ...redisOptions("always") },
      ...Object.fromEntries(WORKLOADS.map(({ name, what }) => [name, what])),
      skipped: [...skipped, ...remotes.skipped],
    };
    return { suite: "ycsb", quick: request.quick, machine: machine(), options, rows };
  } finally {
    await rm(plan.root, { recursive: true, force: true });
  }
}
