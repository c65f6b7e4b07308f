/**
 * `larger-than-memory`: eight times more data than each store may keep in memory. LMDB takes no such limit and
 * is left out. The kernel's own cache is not part of the limit; where it is to be, run the suite in a memory
 * cgroup. Reads of files that the kernel has been told to forget are measured, too.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadStore, storeNames } from "../stores/open-store.ts";
import { type Figures, interleave, ratioRow, VARVE } from "../support/compare.ts";
import { KEY_BYTES } from "../support/keys.ts";
import { machine } from "../support/machine.ts";
import type { Limit, Row, SuiteReport, SuiteRequest } from "../support/report.ts";
import { SideProcess } from "../support/side-process.ts";
import type { MemorySpec } from "./side.ts";

const MIB = 1024 * 1024;
const TIMES_MEMORY = 8;
const VALUE_BYTES = 100;
const SIDE = join(import.meta.dirname, "side.ts");

const TASKS: readonly { name: string; limit?: Limit }[] = [
  { name: "random reads", limit: { atLeast: 1.5 } },
  { name: "random reads, files not cached", limit: { atLeast: 1.5 } },
  { name: "scans" },
  { name: "overwrites" },
];

export async function runLargerThanMemory(request: SuiteRequest): Promise<SuiteReport> {
  const { present, skipped } = storeNames();
  const stores = present.filter((name) => name !== "lmdb");
  const { quick } = request;
  const memoryBytes = (quick ? 4 : 64) * MIB;
  const entries =
    request.entries ?? Math.round((TIMES_MEMORY * memoryBytes) / (KEY_BYTES + VALUE_BYTES));
  const rounds = request.rounds ?? (quick ? 2 : 5);
  const sizes = {
    entries,
    valueBytes: VALUE_BYTES,
    memoryBytes,
    reads: quick ? 2000 : 50_000,
    coldReads: quick ? 200 : 5000,
    writes: quick ? 10_000 : 500_000,
    scans: quick ? 20 : 500,
    scanEntries: 1000,
  };
  const root = await mkdtemp(join(tmpdir(), "varve-memory-"));
  const processes = stores.map((store) => {
    const spec: MemorySpec = { store, directory: join(root, store), ...sizes };
    return new SideProcess(store, SIDE, ["--spec", JSON.stringify(spec)]);
  });
  const sides = processes.map((side) => ({
    name: side.name,
    run: (task: string, round: number) => side.ask<Figures>({ task, round }),
  }));
  const rows: Row[] = [];
  try {
    for (const { name, limit } of TASKS) {
      const samples = await interleave(sides, name, rounds);
      for (const peer of stores.filter((store) => store !== VARVE)) {
        rows.push(ratioRow(samples, peer, { row: name, figure: "rate", unit: "entries/s", limit }));
      }
      process.stderr.write(`${name}: ${rows.at(-1)?.ratio?.toFixed(2)}\n`);
    }
    for (const side of processes) await side.ask({ close: true });
  } finally {
    for (const side of processes) await side.close();
    await rm(root, { recursive: true, force: true });
  }
  const store = { memoryBytes, compression: false, synced: false };
  const kinds = await Promise.all(stores.map(loadStore));
  const options = {
    ...sizes,
    keyBytes: KEY_BYTES,
    rounds,
    readsInFlight: 100,
    batch: 1000,
    ...Object.fromEntries(kinds.map((kind) => [kind.name, kind.options(store)])),
    skipped: skipped.filter((name) => name !== "lmdb"),
  };
  return { suite: "larger-than-memory", quick, machine: machine(), options, rows };
}
