/** The small charts: what each shows of a sample, in which words and colours. */
import type { Sample } from "../data/admin-types.ts";
import type { Reading } from "../data/sample-series.ts";
import type { Term } from "../page/terms.ts";
import {
  formatBytes,
  formatBytesPerSecond,
  formatRate,
  formatShare,
  formatTimes,
} from "../text/format.ts";
import type { ChartStyle, Line } from "./time-chart.ts";

export interface CardLine extends Line {
  readonly reading: Reading;
  readonly term?: Term;
}

export interface CardDefinition extends ChartStyle {
  readonly id: string;
  readonly title: string;
  readonly term: Term;
  readonly isStacked?: boolean;
  readonly lines: readonly CardLine[];
  /** What is said where a value is missing. */
  readonly missing?: string;
}

const DASHED = [7, 4];
const DOTTED = [2, 3];
const MIB = 1024 * 1024;

/** Also the parts of the bar that shows how memory is used at present. */
export const MEMORY_LINES: readonly CardLine[] = [
  {
    label: "memtables",
    term: "memtables",
    color: "memory-1",
    isFilled: true,
    reading: (s) => s.memory.memtables,
  },
  {
    label: "open tables",
    term: "tables",
    color: "memory-2",
    isFilled: true,
    reading: (s) => s.memory.tables,
  },
  {
    label: "cached blocks",
    term: "blocks",
    color: "memory-3",
    isFilled: true,
    reading: (s) => s.memory.blocks,
  },
  {
    label: "bulk loads",
    term: "ingest",
    color: "memory-4",
    isFilled: true,
    reading: (s) => s.memory.ingest,
  },
];

export const CARDS: readonly CardDefinition[] = [
  {
    id: "memory",
    title: "Memory",
    term: "budget",
    format: formatBytes,
    isBinary: true,
    isStacked: true,
    topMin: 4 * MIB,
    lines: MEMORY_LINES,
  },
  {
    id: "writing",
    title: "Bytes written",
    term: "writing",
    format: formatBytesPerSecond,
    isBinary: true,
    topMin: 64 * 1024,
    lines: [
      { label: "from clients", term: "userBytes", color: "line-1", reading: (s) => s.user_bytes },
      {
        label: "log",
        term: "logBytes",
        color: "line-2",
        dash: DOTTED,
        reading: (s) => s.log_bytes,
      },
      {
        label: "flush",
        term: "flush",
        color: "line-3",
        dash: DASHED,
        reading: (s) => s.flush_bytes,
      },
      {
        label: "compaction",
        term: "compaction",
        color: "line-4",
        reading: (s) => s.compaction_bytes,
      },
    ],
  },
  {
    id: "amplification",
    title: "Amplification",
    term: "writeAmplification",
    format: formatTimes,
    topMin: 2,
    missing: "nothing written",
    lines: [
      {
        label: "write",
        term: "writeAmplification",
        color: "line-4",
        reading: (s) => (s.write_amplification === 0 ? null : s.write_amplification),
      },
      {
        label: "space",
        term: "spaceAmplification",
        color: "line-1",
        dash: DASHED,
        reading: (s) => (s.space_amplification === 0 ? null : s.space_amplification),
      },
    ],
  },
  {
    id: "hit-rates",
    title: "Hit rates",
    term: "cacheHitRate",
    format: formatShare,
    topMax: 1,
    missing: "not asked",
    lines: [
      {
        label: "block cache",
        term: "cacheHitRate",
        color: "line-1",
        reading: (s) => s.cache_hit_rate,
      },
      {
        label: "filters",
        term: "filterHitRate",
        color: "line-3",
        dash: DASHED,
        reading: (s) => s.filter_hit_rate,
      },
    ],
  },
  {
    id: "delays",
    title: "Writes delayed",
    term: "delays",
    format: formatRate,
    topMin: 10,
    lines: [
      {
        label: "full memtables",
        term: "delayMemtables",
        color: "line-1",
        reading: delayed("memtables"),
      },
      {
        label: "level 0",
        term: "delayLevel0",
        color: "line-4",
        dash: DASHED,
        reading: delayed("level0"),
      },
      { label: "debt", term: "delayDebt", color: "line-3", dash: DOTTED, reading: delayed("debt") },
      { label: "refused", term: "refused", color: "line-5", reading: delayed("refused") },
    ],
  },
  {
    id: "loop",
    title: "Main thread",
    term: "loopDelay",
    format: (ms) => `${ms >= 9.95 ? Math.round(ms) : Number(ms.toFixed(1))} ms`,
    topMin: 10,
    lines: [
      {
        label: "late by, p99",
        term: "loopDelay",
        color: "line-2",
        reading: (s) => s.loop_delay_p99_ms,
      },
    ],
  },
];

function delayed(reason: "memtables" | "level0" | "debt" | "refused"): Reading {
  return ({ delays }: Sample) => delays[reason];
}
