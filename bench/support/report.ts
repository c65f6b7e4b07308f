/** What every suite reports, and how it is printed and written. */
import Table from "cli-table3";
import type { Machine } from "./machine.ts";

export interface Row {
  readonly row: string;
  /** Whom Varve is measured against; `undefined` where a figure stands by itself. */
  readonly peer: string | undefined;
  readonly varve: number;
  readonly peerValue: number | undefined;
  readonly unit: string;
  /** Varve's figure divided by the peer's: the median of the rounds, then the least and the most. */
  readonly ratio: number | undefined;
  readonly ratioMin: number | undefined;
  readonly ratioMax: number | undefined;
  /** As in the text, for example `< 450`; for the ratio where there is a peer. */
  readonly target: string | undefined;
  readonly met: boolean | undefined;
}

export interface SuiteReport {
  readonly suite: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly options: Readonly<Record<string, unknown>>;
  readonly rows: readonly Row[];
  /** An SVG of the suite's own, where ratios are not what it is about. Not part of the JSON. */
  readonly chart?: string;
}

/** What a suite is asked for; each uses what it knows. */
export interface SuiteRequest {
  readonly quick: boolean;
  /** Entries in the database, instead of the suite's own number. */
  readonly entries: number | undefined;
  readonly rounds: number | undefined;
  /** How long a suite that runs by the clock takes. */
  readonly seconds: number | undefined;
  /** Only rows whose name contains this. */
  readonly only: string | undefined;
  /** The directory of another checkout. */
  readonly against: string | undefined;
}

export interface Limit {
  readonly below?: number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** A limit as text, and whether `value` keeps it; both undefined without a limit. */
export function judge(value: number, limit: Limit = {}): Pick<Row, "target" | "met"> {
  const { below, atLeast, atMost } = limit;
  if (below !== undefined) return { target: `< ${below}`, met: value < below };
  if (atLeast !== undefined) return { target: `>= ${atLeast}`, met: value >= atLeast };
  if (atMost !== undefined) return { target: `<= ${atMost}`, met: value <= atMost };
  return { target: undefined, met: undefined };
}

/** A row that has no peer, held against a limit where there is one. */
export function plainRow(row: string, varve: number, unit: string, limit?: Limit): Row {
  return {
    row,
    peer: undefined,
    varve,
    peerValue: undefined,
    unit,
    ratio: undefined,
    ratioMin: undefined,
    ratioMax: undefined,
    ...judge(varve, limit),
  };
}

/** A row that is held beside one other figure, `peerValue`; the limit is for the ratio. */
export function besideRow(
  row: string,
  varve: number,
  peer: string,
  peerValue: number,
  unit: string,
  limit?: Limit,
): Row {
  const ratio = varve / peerValue;
  const ratios = { ratio, ratioMin: ratio, ratioMax: ratio };
  return { row, peer, varve, peerValue, unit, ...ratios, ...judge(ratio, limit) };
}

function number(value: number | undefined): string {
  if (value === undefined) return "";
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 });
}

export function formatReport(report: SuiteReport): string {
  const { cpu, cores, memoryGiB, node, kernel } = report.machine;
  const table = new Table({
    head: ["row", "varve", "unit", "peer", "peer's", "ratio", "target", "met"],
    style: { head: [], border: [], compact: true },
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
  const options = Object.entries(report.options).map(
    ([name, value]) => `  ${name}: ${JSON.stringify(value)}\n`,
  );
  return (
    `${report.suite}${report.quick ? " (quick)" : ""} on ${cpu}, ${cores} cores, ` +
    `${memoryGiB} GiB, Node ${node}, ${kernel}\n${options.join("")}${table.toString()}\n`
  );
}

/** What is not there is written as null, so that every row has every field. */
export function reportAsJson({ chart: _, ...report }: SuiteReport): string {
  return `${JSON.stringify(report, (_name, value) => (value === undefined ? null : value), 2)}\n`;
}
