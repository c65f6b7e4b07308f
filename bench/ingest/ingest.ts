/**
 * `ingest`: sorted entries loaded at once, beside the same entries in batches of 1,000 puts: synced, four in flight, as an
 * ingest is synced, too, when it is answered; and, for who does not need that, not synced.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Figures, interleave, ratioRow, type Side, VARVE } from "../support/compare.ts";
import { KEY_BYTES } from "../support/keys.ts";
import { machine } from "../support/machine.ts";
import type { Row, SuiteReport, SuiteRequest } from "../support/report.ts";
import { SideProcess } from "../support/side-process.ts";
import type { IngestSpec, Way } from "./side.ts";

const MIB = 1024 * 1024;
const VALUE_BYTES = 100;
const SIDE = join(import.meta.dirname, "side.ts");
const SYNCED = "batched puts, synced";
const NOT_SYNCED = "batched puts, not synced";
const AT_LEAST = 3;
/** How the entries come, and whether their values compress. */
const KINDS = [
  ["arrays", false],
  ["pairs", false],
  ["arrays", true],
] as const;

export async function runIngest(request: SuiteRequest): Promise<SuiteReport> {
  const { quick } = request;
  const entries = request.entries ?? (quick ? 200_000 : 1_000_000);
  const rounds = request.rounds ?? (quick ? 1 : 5);
  const sizes = { entries, valueBytes: VALUE_BYTES, memoryBytes: 256 * MIB };
  const root = await mkdtemp(join(tmpdir(), "varve-ingest-"));
  const rows: Row[] = [];
  let sides: SideProcess[] = [];
  const sideOf = (name: string, way: Way, compressible: boolean): Side => {
    const spec: IngestSpec = { directory: join(root, way), way, compressible, ...sizes };
    const side = new SideProcess(way, SIDE, ["--spec", JSON.stringify(spec)]);
    sides.push(side);
    return { name, run: () => side.ask<Figures>({}) };
  };
  try {
    for (const [way, compressible] of KINDS) {
      const all = [
        sideOf(VARVE, way, compressible),
        sideOf(SYNCED, "synced", compressible),
        sideOf(NOT_SYNCED, "batches", compressible),
      ];
      const samples = await interleave(all, way, rounds);
      for (const side of sides) await side.close();
      sides = [];
      const unit = way === "arrays" ? "arrays of 1,000" : "single pairs";
      const of = compressible ? `${unit}, compressible` : unit;
      for (const peer of [SYNCED, NOT_SYNCED]) {
        const isJudged = peer === SYNCED && way === "arrays" && !quick;
        const limit = isJudged ? { atLeast: AT_LEAST } : undefined;
        for (const figure of ["answered", "settled"]) {
          const row = `ingest, ${of}, until ${figure}`;
          rows.push(ratioRow(samples, peer, { row, figure, unit: "entries/s", limit }));
        }
      }
    }
  } finally {
    for (const side of sides) await side.close();
    await rm(root, { recursive: true, force: true });
  }
  const options = { ...sizes, keyBytes: KEY_BYTES, rounds };
  return { suite: "ingest", quick, machine: machine(), options, rows };
}
