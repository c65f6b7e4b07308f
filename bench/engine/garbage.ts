/** The part of the `engine` suite that counts bytes allocated instead of time. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Figures, interleave, ratioRow, VARVE } from "../support/compare.ts";
import type { Row } from "../support/report.ts";
import { SideProcess } from "../support/side-process.ts";
import type { SideSpec } from "./side.ts";

const ENTRIES = 20_000;
const VALUE_BYTES = 100;
const ROUNDS = 3;
/** MiB: nothing of what is measured fills it, so nothing is collected. */
const YOUNG_MIB = 512;
const PROGRAM = join(import.meta.dirname, "garbage-side.ts");

export async function measureGarbage(
  stores: readonly string[],
  memoryBytes: number,
): Promise<Row[]> {
  const root = await mkdtemp(join(tmpdir(), "varve-garbage-"));
  const processes = stores.map((store) => {
    const spec: SideSpec = {
      store,
      directory: join(root, store),
      entries: ENTRIES,
      valueBytes: VALUE_BYTES,
      memoryBytes,
      compression: false,
    };
    return new SideProcess(
      store,
      PROGRAM,
      ["--spec", JSON.stringify(spec)],
      ["--expose-gc", `--min-semi-space-size=${YOUNG_MIB}`, `--max-semi-space-size=${YOUNG_MIB}`],
    );
  });
  const sides = processes.map((side) => ({
    name: side.name,
    run: (operation: string) => side.ask<Figures>({ operation }),
  }));
  const rows: Row[] = [];
  try {
    for (const operation of ["getSync", "get", "scan entry", "put"]) {
      const samples = await interleave(sides, operation, ROUNDS);
      for (const peer of stores.filter((store) => store !== VARVE)) {
        const row = `garbage of a ${operation}`;
        rows.push(ratioRow(samples, peer, { row, figure: "heap", unit: "heap bytes" }));
        // A put makes no buffers, on any side.
        if (operation === "put") continue;
        const outside = `${row}, buffers`;
        rows.push(ratioRow(samples, peer, { row: outside, figure: "outside", unit: "bytes" }));
      }
    }
    for (const side of processes) await side.ask({ close: true });
  } finally {
    for (const side of processes) await side.close();
    await rm(root, { recursive: true, force: true });
  }
  return rows;
}
