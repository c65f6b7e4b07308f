/** What every suite reports, and how it is printed. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import Table from "cli-table3";

export interface Row {
  readonly row: string;
  /** Whom Varve is measured against; `undefined` where a target stands by itself. */
  readonly peer: string | undefined;
  readonly varve: number;
  readonly peerValue: number | undefined;
  readonly unit: string;
  readonly ratio: number | undefined;
  readonly ratioMin: number | undefined;
  readonly ratioMax: number | undefined;
  /** As in the text, for example `< 450`. */
  readonly target: string | undefined;
  readonly met: boolean | undefined;
}

export interface SuiteReport {
  readonly suite: string;
  readonly quick: boolean;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly node: string;
  };
  readonly options: Readonly<Record<string, unknown>>;
  readonly rows: readonly Row[];
}

export function machine(): SuiteReport["machine"] {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}

/** A row that has no peer, held against a limit where there is one. */
export function plainRow(
  row: string,
  varve: number,
  unit: string,
  limit?: { below?: number; atLeast?: number },
): Row {
  const { below, atLeast } = limit ?? {};
  const target =
    below !== undefined ? `< ${below}` : atLeast !== undefined ? `>= ${atLeast}` : undefined;
  const met =
    target === undefined
      ? undefined
      : (below === undefined || varve < below) && (atLeast === undefined || varve >= atLeast);
  return {
    row,
    peer: undefined,
    varve,
    peerValue: undefined,
    unit,
    ratio: undefined,
    ratioMin: undefined,
    ratioMax: undefined,
    target,
    met,
  };
}

function number(value: number | undefined): string {
  if (value === undefined) return "";
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 });
}

export function printReport(report: SuiteReport): void {
  const { cpu, cores, memoryGiB, node } = report.machine;
  const table = new Table({
    head: ["row", "varve", "unit", "peer", "peer's", "ratio", "target", "met"],
    style: { head: [], border: [] },
  });
  for (const row of report.rows) {
    const spread =
      row.ratio === undefined
        ? ""
        : `${number(row.ratio)} (${number(row.ratioMin)}–${number(row.ratioMax)})`;
    const met = row.met === undefined ? "" : row.met ? "yes" : "NO";
    table.push([
      row.row,
      number(row.varve),
      row.unit,
      row.peer ?? "",
      number(row.peerValue),
      spread,
      row.target ?? "",
      met,
    ]);
  }
  process.stdout.write(
    `${report.suite}${report.quick ? " (quick)" : ""} on ${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}\n`,
  );
  process.stdout.write(`options: ${JSON.stringify(report.options)}\n${table.toString()}\n`);
}

/** Megabytes that the kernel counts as resident at most, for a process that reads its own status. */
export function peakResidentBytes(): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"));
  return Number(line?.[1] ?? 0) * 1024;
}
