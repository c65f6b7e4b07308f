/** What the operator has to know at once, in words. Pure; the worst comes first. */
import type { Live } from "../data/live.ts";
import { formatBytes, formatBytesPerSecond, formatCount, formatDuration } from "../text/format.ts";

export interface Alarm {
  readonly severity: "bad" | "warning";
  readonly title: string;
  readonly detail: string;
}

/** `now` by the clock of this machine. */
export function alarmsOf(live: Live, now: number): Alarm[] {
  const link = linkAlarm(live, now);
  // What was last heard is said as such, and not as what is.
  if (link !== undefined) return [link];
  const known = [...storeAlarms(live), ...delayAlarms(live)];
  const reasons = live.unreadiness.filter((reason) => !isSaid(reason, known));
  if (reasons.length > 0) {
    const severity = /fail|clos|shut/i.test(reasons.join()) ? "bad" : "warning";
    known.unshift({ severity, title: "Not ready", detail: `${reasons.join("; ")}.` });
  }
  return known.toSorted((a, b) => Number(b.severity === "bad") - Number(a.severity === "bad"));
}

function linkAlarm({ link, answeredAt, failure }: Live, now: number): Alarm | undefined {
  if (link === "unreachable") {
    const since =
      answeredAt === undefined
        ? "It has not answered since this page was opened."
        : `The last answer came ${formatDuration(now - answeredAt)} ago; what is shown is from then.`;
    return {
      severity: "bad",
      title: "Server unreachable",
      detail: `${since} Trying again each second.`,
    };
  }
  if (link === "failing") {
    const detail = `It answered: ${failure ?? "no reason given"}.`;
    return { severity: "bad", title: "The server cannot tell its state", detail };
  }
  return undefined;
}

function storeAlarms({ stats, unreadiness }: Live): Alarm[] {
  const alarms: Alarm[] = [];
  if (stats === undefined) return alarms;
  const { background, space } = stats.store;
  const logFailure = unreadiness.find(isOfLog);
  if (logFailure !== undefined) {
    alarms.push({
      severity: "bad",
      title: "The log failed",
      detail: `${logFailure}. Until the database is opened again, reads go on and writes fail.`,
    });
  }
  if (background.failure !== null) {
    alarms.push({
      severity: "bad",
      title: "Background work has stopped",
      detail: `${background.failure}. Memtables are not flushed and tables are not merged any more.`,
    });
  }
  if (space.isLow) {
    alarms.push({
      severity: "bad",
      title: "The disk is nearly full",
      detail: `Writes are refused, ${formatCount(space.refused)} so far; deletes and compaction go on. Writes resume by themselves when there is space.`,
    });
  }
  return alarms;
}

const REASONS = {
  memtables: "memtables fill up faster than they are flushed",
  level0: "level 0 has many tables",
  debt: "compaction is behind",
} as const;

function delayAlarms({ stats, samples }: Live): Alarm[] {
  const last = samples.at(-1);
  if (stats === undefined || last === undefined) return [];
  const { bytesPerSecond, waiting } = stats.store.delays;
  const counts = last.delays;
  const delayed = counts.memtables + counts.level0 + counts.debt;
  if (counts.refused > 0) {
    const detail = `${formatCount(counts.refused)} writes in the last second were turned away, to be tried again: ${reasonOf(counts)}.`;
    return [{ severity: "bad", title: "Writes are refused", detail }];
  }
  if (bytesPerSecond === null && delayed === 0 && waiting === 0) return [];
  const held =
    bytesPerSecond === null ? "" : ` Writes are held to ${formatBytesPerSecond(bytesPerSecond)}.`;
  const debt = last.debt_bytes === 0 ? "" : ` Compaction debt: ${formatBytes(last.debt_bytes)}.`;
  const now = waiting === 0 ? "" : ` ${formatCount(waiting)} wait now.`;
  return [
    {
      severity: "warning",
      title: "Writes are delayed",
      detail: `${capitalized(reasonOf(counts))}.${held}${debt}${now}`,
    },
  ];
}

function reasonOf(counts: Readonly<Record<keyof typeof REASONS, number>>): string {
  const names = (["memtables", "level0", "debt"] as const).filter((name) => counts[name] > 0);
  if (names.length === 0) return "flush and compaction are behind";
  return names.map((name) => REASONS[name]).join(", and ");
}

/** The server's own words for what is told here already, with more to it. */
function isSaid(reason: string, known: readonly Alarm[]): boolean {
  const titles = known.map(({ title }) => title).join();
  return (
    (/writes are held|writes wait|wait/i.test(reason) && /delayed|refused/.test(titles)) ||
    (/space/i.test(reason) && /disk/.test(titles)) ||
    (/background/i.test(reason) && /Background/.test(titles)) ||
    (isOfLog(reason) && /log failed/.test(titles))
  );
}

function isOfLog(reason: string): boolean {
  return /\blog (failed|has failed|cannot be|could not be)/i.test(reason);
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
