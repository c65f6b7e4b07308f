/**
 * `engine`: the embedded database against LevelDB (`classic-level`) and LMDB (`lmdb`), with db_bench's names.
 * Two tables: values that do not compress with compression off, and values that compress to about half with
 * compression on.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadStore, storeNames } from "../stores/open-store.ts";
import { type Figures, interleave, ratioRow, VARVE } from "../support/compare.ts";
import { KEY_BYTES } from "../support/keys.ts";
import { machine } from "../support/machine.ts";
import type { Row, SuiteReport, SuiteRequest } from "../support/report.ts";
import { SideProcess } from "../support/side-process.ts";
import { measureGarbage } from "./garbage.ts";
import type { SideSpec } from "./side.ts";
import { operationsOf, TASKS } from "./tasks.ts";

const MIB = 1024 * 1024;
const VALUE_BYTES = 100;
const MEMORY_BYTES = 256 * MIB;
const SIDE = join(import.meta.dirname, "side.ts");

interface Plan {
  readonly entries: number;
  readonly rounds: number;
  readonly stores: readonly string[];
  readonly only: string | undefined;
}

async function runTable(plan: Plan, compression: boolean): Promise<Row[]> {
  const root = await mkdtemp(join(tmpdir(), "varve-engine-"));
  const processes = plan.stores.map((store) => {
    const spec: SideSpec = {
      store,
      directory: join(root, store),
      entries: plan.entries,
      valueBytes: VALUE_BYTES,
      memoryBytes: MEMORY_BYTES,
      compression,
    };
    return new SideProcess(store, SIDE, ["--spec", JSON.stringify(spec)]);
  });
  const sides = processes.map((side) => ({
    name: side.name,
    run: (task: string, round: number) => side.ask<Figures>({ task, round }),
  }));
  const suffix = compression ? ", compressed" : "";
  const rows: Row[] = [];
  try {
    for (const task of TASKS.filter(({ name }) => name.includes(plan.only ?? ""))) {
      const samples = await interleave(sides, task.name, plan.rounds);
      for (const peer of plan.stores.filter((store) => store !== VARVE)) {
        const limit = task.targets?.[peer];
        const row = task.name + suffix;
        rows.push(ratioRow(samples, peer, { row, figure: "rate", unit: "ops/s", limit }));
        const { ratio = 0, ratioMin = 0, ratioMax = 0 } = rows.at(-1) ?? {};
        process.stderr.write(
          `${row} / ${peer}: ${ratio.toFixed(2)} (${ratioMin.toFixed(2)}–${ratioMax.toFixed(2)})\n`,
        );
      }
    }
    for (const side of processes) await side.ask({ close: true });
  } finally {
    for (const side of processes) await side.close();
    await rm(root, { recursive: true, force: true });
  }
  return rows;
}

export async function runEngine(request: SuiteRequest): Promise<SuiteReport> {
  const { present, skipped } = storeNames();
  const plan: Plan = {
    entries: request.entries ?? (request.quick ? 20_000 : 1_000_000),
    rounds: request.rounds ?? (request.quick ? 2 : 5),
    stores: present,
    only: request.only,
  };
  const options: Record<string, unknown> = {
    entries: plan.entries,
    rounds: plan.rounds,
    keyBytes: KEY_BYTES,
    valueBytes: VALUE_BYTES,
    skipped,
  };
  for (const name of present) {
    const kind = await loadStore(name);
    const store = { memoryBytes: MEMORY_BYTES, synced: false };
    options[name] = kind.options({ ...store, compression: false });
    options[`${name}, synced`] = kind.options({ ...store, compression: false, synced: true });
    options[`${name}, compressed`] = kind.options({ ...store, compression: true });
  }
  for (const task of TASKS) {
    options[task.name] = `${operationsOf(task, plan.entries)} operations: ${task.what}`;
  }
  const rows = [...(await runTable(plan, false)), ...(await runTable(plan, true))];
  if (plan.only === undefined) rows.push(...(await measureGarbage(present, MEMORY_BYTES)));
  return { suite: "engine", quick: request.quick, machine: machine(), options, rows };
}
