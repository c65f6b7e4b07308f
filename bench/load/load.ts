/**
 * `load`: five million random entries into a fresh process with a fixed memory budget, then every tenth
 * read back in another one. It has no peer: what it shows is that memory stays bounded, that the loop stays
 * free while flush and compaction run, and what the tree looks like afterwards.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DatabaseStats } from "../../src/engine/stats.ts";
import { machine } from "../support/machine.ts";
import { plainRow, type SuiteReport, type SuiteRequest } from "../support/report.ts";

const MIB = 1024 * 1024;
const MEMORY_BUDGET = 256 * MIB;
const OUTPUT_BYTES_MAX = 16 * MIB;

interface FillReport {
  readonly userBytes: number;
  readonly seconds: number;
  readonly peakResidentBytes: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  readonly stats: DatabaseStats;
}

interface VerifyReport {
  readonly openMs: number;
  readonly checked: number;
  readonly wrong: number;
  readonly seconds: number;
}

async function runChild<Report>(
  program: string,
  directory: string,
  entries: number,
): Promise<Report> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(import.meta.dirname, program),
      ...["--directory", directory],
      ...["--entries", String(entries)],
      ...["--memory-budget", String(MEMORY_BUDGET)],
    ],
    { maxBuffer: OUTPUT_BYTES_MAX },
  );
  return JSON.parse(stdout) as Report;
}

export async function runLoad({ quick, ...request }: SuiteRequest): Promise<SuiteReport> {
  const entries = request.entries ?? (quick ? 500_000 : 5_000_000);
  const directory = await mkdtemp(join(tmpdir(), "varve-load-"));
  try {
    const fill = await runChild<FillReport>("fill.ts", directory, entries);
    const verify = await runChild<VerifyReport>("verify.ts", directory, entries);
    const levels = fill.stats.levels.filter((level) => level.files > 0);
    return {
      suite: "load",
      quick,
      machine: machine(),
      options: {
        entries,
        keyBytes: 16,
        valueBytes: 100,
        batch: 1000,
        durability: "none",
        memoryBudget: MEMORY_BUDGET,
      },
      rows: [
        plainRow("fill", entries / fill.seconds, "entries/s"),
        plainRow("peak resident memory", fill.peakResidentBytes / MIB, "MiB", { below: 450 }),
        plainRow("event loop delay, p99", fill.loopDelayP99Ms, "ms", { below: 20 }),
        plainRow("event loop delay, longest", fill.loopDelayMaxMs, "ms"),
        plainRow("levels with tables", levels.length, "levels", { atLeast: quick ? 1 : 2 }),
        ...levels.map(({ level, files, bytes }) =>
          plainRow(`level ${level}: ${files} tables`, bytes / MIB, "MiB"),
        ),
        plainRow("write amplification", fill.stats.bytesWritten.amplification, "bytes/byte"),
        plainRow("open again", verify.openMs, "ms"),
        plainRow("read back", verify.checked / verify.seconds, "entries/s"),
        plainRow("wrong or missing", verify.wrong, `of ${verify.checked}`, { below: 1 }),
      ],
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
