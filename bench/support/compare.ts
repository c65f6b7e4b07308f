/**
 * Measuring sides against one another: they take turns, A B A B, so that whatever else the machine does
 * falls on all of them alike, and only ratios within one round are trusted.
 */
import { judge, type Limit, type Row } from "./report.ts";

/** What one run of a task came to, by name; `rate` and `p50Ms` for example. */
export type Figures = Readonly<Record<string, number>>;

export interface Side {
  readonly name: string;
  /** Runs `task` once; `round` counts from 0, and the warm-up is `WARM_UP`. */
  run(task: string, round: number): Promise<Figures>;
}

export const WARM_UP = -1;
export const VARVE = "varve";

/** The figures of each side, by its name, one for each round. */
export type Samples = ReadonlyMap<string, readonly Figures[]>;

/** Runs `task` on each side in turn: once to warm up, then `rounds` times. */
export async function interleave(
  sides: readonly Side[],
  task: string,
  rounds: number,
): Promise<Samples> {
  const samples = new Map<string, Figures[]>(sides.map(({ name }) => [name, []]));
  for (let round = WARM_UP; round < rounds; round++) {
    for (const side of sides) {
      const figures = await side.run(task, round);
      if (round !== WARM_UP) samples.get(side.name)?.push(figures);
    }
  }
  return samples;
}

/** Runs `task` on each side in turn, a single time: for what cannot be done twice. */
export async function runOnce(sides: readonly Side[], task: string): Promise<Samples> {
  const samples = new Map<string, Figures[]>();
  for (const side of sides) samples.set(side.name, [await side.run(task, 0)]);
  return samples;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** One figure of one side, of each round. */
export function figuresOf(samples: Samples, side: string, figure: string): number[] {
  return (samples.get(side) ?? []).map((figures) => figures[figure] ?? Number.NaN);
}

export interface RowSpec {
  readonly row: string;
  readonly figure: string;
  readonly unit: string;
  /** For the median ratio. */
  readonly limit?: Limit | undefined;
}

/** Varve against `peer`: each round's ratio by itself, then their median, least and most. */
export function ratioRow(samples: Samples, peer: string, spec: RowSpec): Row {
  const varve = figuresOf(samples, VARVE, spec.figure);
  const theirs = figuresOf(samples, peer, spec.figure);
  const ratios = varve.map((value, round) => value / (theirs[round] ?? Number.NaN));
  const ratio = median(ratios);
  return {
    row: spec.row,
    peer,
    varve: median(varve),
    peerValue: median(theirs),
    unit: spec.unit,
    ratio,
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    ...judge(ratio, spec.limit),
  };
}

/** Of several peers the one that did best by its median of `figure`: the highest or the lowest. */
export function bestPeer(
  samples: Samples,
  figure: string,
  best: "highest" | "lowest",
): string | undefined {
  const sign = best === "highest" ? -1 : 1;
  return [...samples.keys()]
    .filter((name) => name !== VARVE)
    .map((name) => ({ name, value: sign * median(figuresOf(samples, name, figure)) }))
    .toSorted((a, b) => a.value - b.value)[0]?.name;
}
