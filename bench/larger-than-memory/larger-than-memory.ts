/**
 * `larger-than-memory`: eight times more data than each store may keep in memory. LMDB takes no such limit and
 * is left out. Where the machine allows it, each side is in a memory cgroup, so that what the kernel caches of
 * its files is limited, too. Reads of files that the kernel has been told to forget are measured besides.
 */
import { join } from "node:path";
import { loadStore, storeNames } from "../stores/open-store.ts";
import { type Figures, interleave, ratioRow, VARVE } from "../support/compare.ts";
import { KEY_BYTES } from "../support/keys.ts";
import { machine } from "../support/machine.ts";
import { openMemoryCgroups } from "../support/memory-cgroup.ts";
import type { Limit, Row, SuiteReport, SuiteRequest } from "../support/report.ts";
import { SideProcess } from "../support/side-process.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import type { MemorySpec } from "./side.ts";

const MIB = 1024 * 1024;
const TIMES_MEMORY = 8;
const VALUE_BYTES = 100;
/**
 * The limit of a cgroup: the memory of the store twice, once for what it keeps itself and once for what the
 * kernel caches of its files, and what Node takes besides, whatever the store: the heap and its garbage, threads
 * with heaps of their own, freed memory that the C library keeps. That was up to 380 MiB, measured with stores
 * of 16 to 256 MiB; a side that needs more than the limit is killed, so there is some more. What a side does not
 * use of it is more room for its files.
 */
const CGROUP_TIMES_MEMORY = 2;
const PROCESS_BYTES = 512 * MIB;
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
  const memoryBytes = (quick ? 4 : 256) * MIB;
  const entries =
    request.entries ?? Math.round((TIMES_MEMORY * memoryBytes) / (KEY_BYTES + VALUE_BYTES));
  const rounds = request.rounds ?? (quick ? 2 : 5);
  // Few of each: LevelDB maps its files, and in a cgroup the kernel reads 128 KiB for each of its reads.
  const sizes = {
    entries,
    valueBytes: VALUE_BYTES,
    memoryBytes,
    reads: quick ? 2000 : 20_000,
    coldReads: quick ? 200 : 2000,
    writes: quick ? 10_000 : 500_000,
    scans: 20,
    scanEntries: 1000,
  };
  await using root = await temporaryDirectory("varve-memory-");
  const opened = openMemoryCgroups();
  using cgroups = "reason" in opened ? undefined : opened;
  const limitBytes = CGROUP_TIMES_MEMORY * memoryBytes + PROCESS_BYTES;
  const processes = stores.map((store) => {
    const spec: MemorySpec = { store, directory: join(root.path, store), ...sizes };
    const group = cgroups?.create(store, limitBytes);
    const side = new SideProcess(store, SIDE, ["--spec", JSON.stringify(spec)]);
    group?.add(side.pid);
    return side;
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
  }
  const store = { memoryBytes, compression: false, synced: false };
  const kinds = await Promise.all(stores.map(loadStore));
  const options = {
    ...sizes,
    keyBytes: KEY_BYTES,
    rounds,
    readsInFlight: 100,
    batch: 1000,
    cgroup:
      "reason" in opened
        ? `none: ${opened.reason}`
        : `version ${opened.version}, ${limitBytes / MIB} MiB for each side: ${CGROUP_TIMES_MEMORY} × ` +
          `memoryBytes + ${PROCESS_BYTES / MIB} MiB`,
    ...Object.fromEntries(kinds.map((kind) => [kind.name, kind.options(store)])),
    skipped: skipped.filter((name) => name !== "lmdb"),
  };
  return { suite: "larger-than-memory", quick, machine: machine(), options, rows };
}
