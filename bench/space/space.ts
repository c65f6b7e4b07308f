/** `space`: what a store takes on the disk, over its live data, after all of it was overwritten three times. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadStore, storeNames } from "../stores/open-store.ts";
import { ratioRow, VARVE } from "../support/compare.ts";
import { KEY_BYTES } from "../support/keys.ts";
import { machine } from "../support/machine.ts";
import { plainRow, type Row, type SuiteReport, type SuiteRequest } from "../support/report.ts";
import { SideProcess } from "../support/side-process.ts";
import type { SpaceSpec } from "./side.ts";

const MIB = 1024 * 1024;
const VALUE_BYTES = 100;
const OVERWRITES = 3;
const SIDE = join(import.meta.dirname, "side.ts");

type Space = Readonly<Record<"all" | "withoutLog", number>>;

export async function runSpace(request: SuiteRequest): Promise<SuiteReport> {
  const { present, skipped } = storeNames();
  const { quick } = request;
  const entries = request.entries ?? (quick ? 200_000 : 2_000_000);
  const memoryBytes = (quick ? 32 : 256) * MIB;
  const root = await mkdtemp(join(tmpdir(), "varve-space-"));
  const samples = new Map<string, readonly Space[]>();
  try {
    for (const store of present) {
      const directory = join(root, store);
      const sizes = { entries, valueBytes: VALUE_BYTES, memoryBytes, overwrites: OVERWRITES };
      const spec: SpaceSpec = { store, directory, ...sizes };
      const side = new SideProcess(store, SIDE, ["--spec", JSON.stringify(spec)]);
      samples.set(store, [await side.ask<Space>({})]);
      await side.close();
      await rm(directory, { recursive: true, force: true });
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  const varve = samples.get(VARVE)?.[0];
  const unit = "of live data";
  const rows: Row[] = [
    plainRow("space", varve?.all ?? Number.NaN, unit, { atMost: 1.25 }),
    plainRow("space without the log", varve?.withoutLog ?? Number.NaN, unit),
    ...present
      .filter((store) => store !== VARVE)
      .map((peer) => ratioRow(samples, peer, { row: "space", figure: "all", unit })),
  ];
  const kinds = await Promise.all(present.map(loadStore));
  const store = { memoryBytes, compression: false, synced: false };
  const options = {
    entries,
    keyBytes: KEY_BYTES,
    valueBytes: VALUE_BYTES,
    overwrites: OVERWRITES,
    ...Object.fromEntries(kinds.map((kind) => [kind.name, kind.options(store)])),
    skipped,
  };
  return { suite: "space", quick, machine: machine(), options, rows };
}
