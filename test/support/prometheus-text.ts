/**
 * Reads the text format 0.0.4 of Prometheus, strictly: anything that its specification does not allow is an error, and so
 * is what scrapers take but nobody should write, as families in pieces or without HELP.
 */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly series: {
    readonly name: string;
    readonly labels: Record<string, string>;
    value: number;
  }[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
const SERIES = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`);
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i;
const SUFFIXES = { histogram: ["_bucket", "_sum", "_count"], counter: [""], gauge: [""] } as const;

export function parsePrometheus(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family>();
  let help: [name: string, text: string] | undefined;
  let family: Family | undefined;
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const helps = new RegExp(`^# HELP (${NAME}) (.+)$`).exec(line);
    const types = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line);
    if (helps !== null) help = [helps[1]!, helps[2]!];
    else if (types !== null) {
      const [, name, type] = types as unknown as [string, string, string];
      if (help?.[0] !== name) throw new Error(`${name} has no HELP before its TYPE`);
      if (families.has(name)) throw new Error(`${name} is there twice`);
      family = { name, type, help: help[1], series: [] };
      families.set(name, family);
    } else if (line.startsWith("#")) throw new Error(`no comment is expected: ${line}`);
    else addSeries(line, family, seen);
  }
  for (const one of families.values()) if (one.type === "histogram") checkHistogram(one);
  return families;
}

function addSeries(line: string, family: Family | undefined, seen: Set<string>): void {
  const match = SERIES.exec(line);
  if (match === null) throw new Error(`not a sample: ${line}`);
  const [, name, labelText = "", number] = match as unknown as [string, string, string, string];
  if (family === undefined) throw new Error(`${name} is of no family`);
  const allowed = SUFFIXES[family.type as keyof typeof SUFFIXES];
  if (!allowed.some((suffix) => family.name + suffix === name)) {
    throw new Error(`${name} is not of the family ${family.name} above it`);
  }
  if (!NUMBER.test(number)) throw new Error(`${number} is no number: ${line}`);
  const value = Number(number.replace("Inf", "Infinity"));
  if (family.type !== "gauge" && !(value >= 0)) throw new Error(`${line} must not be below 0`);
  const labels: Record<string, string> = {};
  for (const [, label, text] of labelText.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
    if (label! in labels) throw new Error(`the label ${label} is there twice: ${line}`);
    labels[label!] = text!.replace(/\\(.)/g, (_, next: string) => (next === "n" ? "\n" : next));
  }
  const identity = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
  if (seen.has(identity)) throw new Error(`the same series twice: ${line}`);
  seen.add(identity);
  family.series.push({ name, labels, value });
}

/** Of each series: buckets that only grow, the last of which is +Inf and has them all, and a sum. */
function checkHistogram({ name, series }: Family): void {
  const groups = new Map<string, Family["series"]>();
  for (const one of series) {
    const { le: _le, ...labels } = one.labels;
    const group = JSON.stringify(Object.entries(labels).sort());
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  for (const [group, members] of groups) {
    const buckets = members.filter((one) => one.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels.le?.replace("Inf", "Infinity")));
    const isGrowing = (all: number[], strictly: boolean) =>
      all.every((one, i) => i === 0 || one > all[i - 1]! || (!strictly && one === all[i - 1]));
    const counts = buckets.map(({ value }) => value);
    const count = members.find((one) => one.name === `${name}_count`)?.value;
    const hasSum = members.some((one) => one.name === `${name}_sum`);
    const isSound =
      isGrowing(bounds, true) &&
      bounds.at(-1) === Number.POSITIVE_INFINITY &&
      isGrowing(counts, false);
    if (!isSound || count !== counts.at(-1) || !hasSum) {
      throw new Error(`${name} ${group} is not a histogram`);
    }
  }
}
