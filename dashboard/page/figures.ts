/** The few numbers that are looked at first. */

import type { Sample } from "../data/admin-types.ts";
import type { Live } from "../data/live.ts";
import {
  formatBytes,
  formatCount,
  formatMicroseconds,
  formatShare,
  formatShort,
} from "../text/format.ts";
import { panel, setText } from "./dom.ts";

const READS = ["get", "getEntry", "getMany", "scan", "page"];
const WRITES = ["put", "delete", "deleteRange", "batch", "merge", "increment", "expire"];

export function showFigures(
  { stats, samples, connections }: Live,
  sample: Sample | undefined,
): void {
  if (stats === undefined) return;
  const { levels, memory } = stats.store;
  const bytes = sum(levels.map((level) => level.bytes));
  const files = sum(levels.map((level) => level.files));
  const entries = sum(levels.map((level) => level.entries));
  const operations = Object.values(sample?.operations ?? {});
  const rate = sum(operations.map((operation) => operation.rate));
  const peak = Math.max(
    0,
    ...samples.map((s) => sum(Object.values(s.operations).map((o) => o.rate))),
  );
  const used = memory.memtables + memory.tables + memory.blocks;
  const reads = slowest(sample, READS);
  const writes = slowest(sample, WRITES);
  const tcp = connections?.tcp_total ?? sample?.connections.tcp ?? 0;
  const http = connections?.http_total ?? sample?.connections.http ?? 0;
  put("operations", formatShort(rate), `a second; peak ${formatShort(peak)}`);
  put(
    "reads",
    reads === undefined ? "–" : formatMicroseconds(reads.p99),
    reads?.name ?? "none at present",
  );
  put(
    "writes",
    writes === undefined ? "–" : formatMicroseconds(writes.p99),
    writes?.name ?? "none at present",
  );
  put("disk", formatBytes(bytes), `${formatCount(files)} tables, ${formatShort(entries)} entries`);
  put(
    "memory",
    formatBytes(used),
    `${formatShare(memory.budget === 0 ? 0 : used / memory.budget)} of the budget`,
  );
  put("clients", formatCount(tcp + http), `${formatCount(tcp)} TCP, ${formatCount(http)} HTTP`);
}

function put(name: string, value: string, note: string): void {
  setText(panel(`figure-${name}`), value);
  setText(panel(`figure-${name}-note`), note);
}

/** Of these operations the one with the highest p99. */
function slowest(
  sample: Sample | undefined,
  names: readonly string[],
): { name: string; p99: number } | undefined {
  return names
    .flatMap((name) => {
      const operation = sample?.operations[name];
      return operation === undefined ? [] : [{ name, p99: operation.p99 }];
    })
    .toSorted((a, b) => b.p99 - a.p99)[0];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
