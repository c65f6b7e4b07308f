/**
 * `scale`: what an operation costs as the database grows, with the same memory for all sizes, beside LevelDB;
 * and what Varve writes to the disk for it, beside what leveled compaction's theory says. LMDB is left out: its
 * cache is the kernel's and has no limit, and what a B+ tree writes no theory of compaction tells.
 */
import { join } from "node:path";
import { planMemory } from "../../src/engine/memory-plan.ts";
import { resolveSettings } from "../../src/options.ts";
import { loadStore, storeNames } from "../stores/open-store.ts";
import {
  type Figures,
  figuresOf,
  interleave,
  ratioRow,
  runOnce,
  type Samples,
  VARVE,
} from "../support/compare.ts";
import { KEY_BYTES } from "../support/keys.ts";
import { machine } from "../support/machine.ts";
import { besideRow, type Row, type SuiteReport, type SuiteRequest } from "../support/report.ts";
import { SideProcess } from "../support/side-process.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { type Amplification, scaleChart } from "./chart.ts";
import type { ScaleSpec } from "./side.ts";
import { TASKS, type TaskName } from "./tasks.ts";
import { fillAmplification, type LevelSizing, overwriteAmplification } from "./theory.ts";

const MIB = 1024 * 1024;
const VALUE_BYTES = 100;
const MEMORY_BYTES = 256 * MIB;
const ENTRIES_MIN = 50;
const SIDE = join(import.meta.dirname, "side.ts");

type Operations = Pick<ScaleSpec, "reads" | "scans" | "writes" | "scanEntries">;

interface Plan {
  readonly stores: readonly string[];
  readonly rounds: number;
  readonly operations: Operations;
}

/** What the sides' rounds of one task came to on one size. */
interface Measurement {
  readonly task: TaskName;
  readonly entries: number;
  readonly samples: Samples;
}

/** Makes a database of `entries` on each side, measures on it, and removes it again. */
async function measureSize(
  { stores, rounds, operations }: Plan,
  entries: number,
  isLargest: boolean,
): Promise<Measurement[]> {
  await using root = await temporaryDirectory("varve-scale-");
  const sizes = { entries, valueBytes: VALUE_BYTES, memoryBytes: MEMORY_BYTES, ...operations };
  const processes = stores.map((store) => {
    const spec: ScaleSpec = { store, directory: join(root.path, store), ...sizes };
    return new SideProcess(store, SIDE, ["--spec", JSON.stringify(spec)]);
  });
  const sides = processes.map((side) => ({
    name: side.name,
    run: (task: string, round: number) => side.ask<Figures>({ task, round }),
  }));
  const measurements: Measurement[] = [];
  try {
    for (const { name: task } of TASKS.filter(({ isForLargest }) => isForLargest || !isLargest)) {
      const samples =
        task === "fill" ? await runOnce(sides, task) : await interleave(sides, task, rounds);
      measurements.push({ task, entries, samples });
      process.stderr.write(`${nameOf({ task, entries })}: measured\n`);
    }
    for (const side of processes) await side.ask({ close: true });
  } finally {
    for (const side of processes) await side.close();
  }
  return measurements;
}

function nameOf({ task, entries }: Pick<Measurement, "task" | "entries">): string {
  return `${task}, ${entries.toLocaleString("en-US")} entries`;
}

/** Of the fill, and of the overwrites of all rounds together. */
function amplificationsOf(
  measurements: readonly Measurement[],
  sizing: LevelSizing,
): Amplification[] {
  return measurements.flatMap(({ task, entries, samples }) => {
    if (task !== "fill" && task !== "overwrites") return [];
    const rounds = figuresOf(samples, VARVE, "amplification");
    const measured = rounds.reduce((sum, round) => sum + round, 0) / rounds.length;
    const inTheory = task === "fill" ? fillAmplification : overwriteAmplification;
    const theory = inTheory(entries * (KEY_BYTES + VALUE_BYTES), sizing);
    return [{ task, entries, measured, theory }];
  });
}

function rowsOf(
  { stores }: Plan,
  measurements: readonly Measurement[],
  amplifications: readonly Amplification[],
): Row[] {
  const peers = stores.filter((store) => store !== VARVE);
  const costs = measurements.flatMap((measurement) =>
    peers.map((peer) => {
      const spec = { row: nameOf(measurement), figure: "micros", unit: "µs/op" };
      return ratioRow(measurement.samples, peer, spec);
    }),
  );
  const written = amplifications.map(({ task, entries, measured, theory }) => {
    const row = `write amplification of ${task}, ${entries.toLocaleString("en-US")} entries`;
    return besideRow(row, measured, "theory", theory, "bytes/byte");
  });
  return [...costs, ...written];
}

export async function runScale(request: SuiteRequest): Promise<SuiteReport> {
  const { present, skipped } = storeNames();
  const { quick } = request;
  const largest = request.entries ?? (quick ? 1_000_000 : 50_000_000);
  if (largest < ENTRIES_MIN) throw new Error(`scale takes --entries from ${ENTRIES_MIN}`);
  const plan: Plan = {
    stores: present.filter((name) => name !== "lmdb"),
    rounds: request.rounds ?? (quick ? 2 : 5),
    operations: {
      reads: quick ? 20_000 : 200_000,
      scans: quick ? 20 : 500,
      writes: quick ? 50_000 : 1_000_000,
      scanEntries: 1000,
    },
  };
  const sizes = [Math.round(largest / 50), Math.round(largest / 5), largest];
  const measurements: Measurement[] = [];
  for (const entries of sizes) {
    measurements.push(...(await measureSize(plan, entries, entries === largest)));
  }

  const settings = resolveSettings({ memoryBudget: MEMORY_BYTES });
  const sizing: LevelSizing = {
    level0Bytes: settings.level0CompactAt * planMemory(settings).arenaBytes,
    levelBytes: settings.levelBytes,
    levelMultiplier: settings.levelMultiplier,
  };
  const amplifications = amplificationsOf(measurements, sizing);
  const costs = measurements.map(({ task, entries, samples }) => ({
    task,
    entries,
    micros: new Map(plan.stores.map((store) => [store, figuresOf(samples, store, "micros")])),
  }));

  const store = { memoryBytes: MEMORY_BYTES, compression: false, synced: false };
  const kinds = await Promise.all(plan.stores.map(loadStore));
  const options = {
    entries: sizes,
    ...plan.operations,
    keyBytes: KEY_BYTES,
    valueBytes: VALUE_BYTES,
    rounds: plan.rounds,
    batch: 1000,
    tasks: Object.fromEntries(TASKS.map(({ name, what }) => [name, what])),
    ...Object.fromEntries(kinds.map((kind) => [kind.name, kind.options(store)])),
    theory: sizing,
    skipped: skipped.filter((name) => name !== "lmdb"),
  };
  return {
    suite: "scale",
    quick,
    machine: machine(),
    options,
    rows: rowsOf(plan, measurements, amplifications),
    chart: scaleChart(costs, amplifications),
  };
}
