/**
 * `revision`: the tasks of the `engine` suite by this checkout and by another one, side by side: what a change costs.
 * The other's directory is given with `--against`; it has its packages installed.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { SideSpec } from "../engine/side.ts";
import { operationsOf, TASKS } from "../engine/tasks.ts";
import { type Figures, interleave, ratioRow, VARVE } from "../support/compare.ts";
import { KEY_BYTES } from "../support/keys.ts";
import { machine } from "../support/machine.ts";
import type { Row, SuiteReport, SuiteRequest } from "../support/report.ts";
import { SideProcess } from "../support/side-process.ts";

const OTHER = "the other revision";
const VALUE_BYTES = 100;
const MEMORY_BYTES = 256 * 1024 * 1024;
const SIDE = "bench/engine/side.ts";
/** No more than this is noise, over enough rounds. */
const LIMIT = { atLeast: 0.95 };

export async function runRevision(request: SuiteRequest): Promise<SuiteReport> {
  const against = resolve(request.against ?? "");
  if (request.against === undefined || !existsSync(join(against, SIDE))) {
    throw new Error(`revision takes --against DIRECTORY, of another checkout; ${against} is none`);
  }
  const entries = request.entries ?? (request.quick ? 20_000 : 1_000_000);
  const rounds = request.rounds ?? (request.quick ? 2 : 5);
  const tasks = TASKS.filter(({ name }) => name.includes(request.only ?? ""));
  const root = await mkdtemp(join(tmpdir(), "varve-revision-"));
  const processes = [
    { name: VARVE, checkout: resolve(import.meta.dirname, "../..") },
    { name: OTHER, checkout: against },
  ].map(({ name, checkout }, i) => {
    const spec: SideSpec = {
      store: VARVE,
      directory: join(root, String(i)),
      entries,
      valueBytes: VALUE_BYTES,
      memoryBytes: MEMORY_BYTES,
      compression: false,
    };
    return new SideProcess(name, join(checkout, SIDE), ["--spec", JSON.stringify(spec)]);
  });
  const sides = processes.map((side) => ({
    name: side.name,
    run: (task: string, round: number) => side.ask<Figures>({ task, round }),
  }));
  const rows: Row[] = [];
  try {
    for (const { name } of tasks) {
      const samples = await interleave(sides, name, rounds);
      const spec = { row: name, figure: "rate", unit: "ops/s", limit: LIMIT };
      rows.push(ratioRow(samples, OTHER, spec));
      process.stderr.write(`${name}: ${rows.at(-1)?.ratio?.toFixed(2)}\n`);
    }
    for (const side of processes) await side.ask({ close: true });
  } finally {
    for (const side of processes) await side.close();
    await rm(root, { recursive: true, force: true });
  }
  const options = {
    against,
    entries,
    rounds,
    keyBytes: KEY_BYTES,
    valueBytes: VALUE_BYTES,
    memoryBytes: MEMORY_BYTES,
    ...Object.fromEntries(
      tasks.map((task) => [task.name, `${operationsOf(task, entries)} operations: ${task.what}`]),
    ),
  };
  return { suite: "revision", quick: request.quick, machine: machine(), options, rows };
}
