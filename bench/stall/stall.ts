/**
 * `stall`: reads at a fixed rate while half of what the database can take is written to it and compactions
 * run, beside the same reads alone. No peer: it shows how even Varve's own answers are.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { machine } from "../support/machine.ts";
import {
  besideRow,
  plainRow,
  type Row,
  type SuiteReport,
  type SuiteRequest,
} from "../support/report.ts";
import { latencyChart } from "./chart.ts";
import type { Latencies, StallReport } from "./side.ts";

const MB = 1e6;
const ENTRY_BYTES = 116;
const GAP_MS_MAX = 100;
/** p99.9 of a read beside compactions, over that of a read alone. */
const RATIO_MAX = 3;

function latencyRows(name: string, latencies: Latencies): Row[] {
  return [
    plainRow(`${name}, p50`, latencies.p50Ms, "ms"),
    plainRow(`${name}, p99`, latencies.p99Ms, "ms"),
    plainRow(`${name}, p99.9`, latencies.p999Ms, "ms"),
  ];
}

async function runSide(args: Readonly<Record<string, number | string>>): Promise<StallReport> {
  const flags = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [join(import.meta.dirname, "side.ts"), ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const [said] = await Promise.all([text(child.stdout), once(child, "exit")]);
  process.off("exit", kill);
  return JSON.parse(said) as StallReport;
}

export async function runStall(request: SuiteRequest): Promise<SuiteReport> {
  const { quick } = request;
  const entries = request.entries ?? (quick ? 200_000 : 2_000_000);
  const totalMs = (request.seconds ?? (quick ? 30 : 300)) * 1000;
  const args = {
    entries,
    "read-rate": 2000,
    "most-ms": totalMs * 0.15,
    "alone-ms": totalMs * 0.15,
    "mixed-ms": totalMs * 0.7,
  };
  const directory = await mkdtemp(join(tmpdir(), "varve-stall-"));
  try {
    const report = await runSide({ directory, ...args });
    const { alone, mixed, mostEntriesPerSecond } = report;
    const unit = "ms";
    const beside = besideRow(
      "GET beside compactions, p99.9",
      mixed.GET.p999Ms,
      "GET alone",
      alone.GET.p999Ms,
      unit,
      { atMost: RATIO_MAX },
    );
    const seconds = args["mixed-ms"] / 1000;
    return {
      suite: "stall",
      quick,
      machine: machine(),
      options: { ...args, keyBytes: 16, valueBytes: 100, durability: "none", others: "defaults" },
      rows: [
        plainRow("most that is taken", mostEntriesPerSecond, "entries/s"),
        plainRow("written beside the reads", mostEntriesPerSecond / 2, "entries/s"),
        plainRow("the same in bytes", (mostEntriesPerSecond / 2) * (ENTRY_BYTES / MB), "MB/s"),
        plainRow("compacted meanwhile", report.compactedBytes / MB / seconds, "MB/s"),
        plainRow("writes delayed", report.delayedWrites, "writes"),
        plainRow("writes refused", report.refusedWrites, "writes"),
        ...latencyRows("GET alone", alone.GET),
        plainRow("GET alone, longest gap", alone.GET.longestGapMs, unit),
        plainRow("event loop delay alone, longest", report.loopDelayMaxMs.alone, unit),
        ...latencyRows("GET", mixed.GET).slice(0, 2),
        beside,
        plainRow("GET, longest gap", mixed.GET.longestGapMs, unit, { atMost: GAP_MS_MAX }),
        plainRow("event loop delay, longest", report.loopDelayMaxMs.mixed, unit),
        ...latencyRows("PUT", mixed.PUT),
        plainRow("PUT, longest gap", mixed.PUT.longestGapMs, unit, { atMost: GAP_MS_MAX }),
      ],
      chart: latencyChart("stall: latency by the second, from when each call was due", [
        { title: "GET alone", seconds: alone.GET.seconds },
        { title: "GET beside writes and compactions", seconds: mixed.GET.seconds },
        { title: "PUT", seconds: mixed.PUT.seconds },
      ]),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
