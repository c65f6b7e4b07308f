/** Samples of the last ten minutes, and the columns that charts draw of them. Pure. */
import type { OperationName, Sample } from "./admin-types.ts";

export const SPAN_MS = 600_000;
/** Samples that are further apart have a hole between them, which a chart must show. */
const HOLE_MS = 2500;

/** Those known and those new, without what is older than the span; of a restarted server's only the new. */
export function addSamples(known: readonly Sample[], added: readonly Sample[]): readonly Sample[] {
  const last = known.at(-1)?.time ?? 0;
  const newest = added.at(-1)?.time;
  if (newest === undefined) return known;
  const all = [...known, ...added.filter(({ time }) => time > last)];
  return all.filter(({ time }) => time > newest - SPAN_MS);
}

export interface Columns {
  /** Seconds since 1970, as the charts want them. */
  readonly times: number[];
  readonly values: (number | null)[][];
}

export type Reading = (sample: Sample) => number | null;

/** One column for each reading, with an empty row in each hole. */
export function columnsOf(samples: readonly Sample[], readings: readonly Reading[]): Columns {
  const times: number[] = [];
  const values: (number | null)[][] = readings.map(() => []);
  let before: number | undefined;
  for (const sample of samples) {
    if (before !== undefined && sample.time - before > HOLE_MS) {
      times.push((before + 1000) / 1000);
      for (const column of values) column.push(null);
    }
    times.push(sample.time / 1000);
    for (const [index, reading] of readings.entries()) values[index]?.push(reading(sample));
    before = sample.time;
  }
  return { times, values };
}

/** Each column on top of those before it. */
export function stackColumns({ times, values }: Columns): Columns {
  const sums = new Array<number>(times.length).fill(0);
  const stacked = values.map((column) =>
    column.map((value, row) => {
      if (value === null) return null;
      sums[row] = (sums[row] ?? 0) + value;
      return sums[row] ?? null;
    }),
  );
  return { times, values: stacked };
}

/** The sample at a time in milliseconds, or the nearest one; without a time the newest. */
export function sampleAt(samples: readonly Sample[], time: number | undefined): Sample | undefined {
  if (time === undefined) return samples.at(-1);
  let nearest: Sample | undefined;
  for (const sample of samples) {
    const isNearer =
      nearest === undefined || Math.abs(sample.time - time) < Math.abs(nearest.time - time);
    if (isNearer) nearest = sample;
  }
  return nearest;
}

/** The operations that happened at all, in the order of the server's first mention. */
export function operationsIn(samples: readonly Sample[]): OperationName[] {
  const names = new Set(samples.flatMap(({ operations }) => Object.keys(operations)));
  return [...names].toSorted();
}
