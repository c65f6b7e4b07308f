/** What the `engine` suite runs: db_bench's names, what each stands for, and its targets. */
import type { Limit } from "../support/report.ts";

export interface Task {
  readonly name: string;
  /** Operations of one round, as a share of the entries of the database. */
  readonly share: number;
  /** `fresh`: an empty database each round. `loaded`: the filled one, which all such tasks share. */
  readonly on: "fresh" | "loaded";
  readonly synced?: boolean;
  readonly what: string;
  /** Least ratios by peer. */
  readonly targets?: Readonly<Record<string, Limit>>;
}

export const BATCH = 1000;
export const IN_FLIGHT = 100;

/** In the order in which they run: those that change the loaded database come last. */
export const TASKS: readonly Task[] = [
  {
    name: "fillseq",
    share: 1,
    on: "fresh",
    what: "batches of 1,000 in key order, not synced",
  },
  {
    name: "fillrandom",
    share: 1,
    on: "fresh",
    what: "batches of 1,000 in random order, not synced",
    targets: { "classic-level": { atLeast: 2 } },
  },
  {
    name: "fillsync",
    share: 1 / 500,
    on: "fresh",
    synced: true,
    what: "one put at a time, each synced",
  },
  {
    name: "put, 100 in flight",
    share: 1 / 5,
    on: "fresh",
    what: "random order, not synced",
    targets: { "classic-level": { atLeast: 4 } },
  },
  {
    name: "put, 100 in flight, synced",
    share: 1 / 50,
    on: "fresh",
    synced: true,
    what: "random order, each answered once on the disk",
    targets: { "classic-level": { atLeast: 10 } },
  },
  {
    name: "fillbatch",
    share: 1 / 5,
    on: "fresh",
    synced: true,
    what: "batches of 1,000 in random order, each synced",
  },
  {
    name: "readrandom",
    share: 1 / 5,
    on: "loaded",
    what: "getSync, keys that are there",
    targets: { "classic-level": { atLeast: 3 }, lmdb: { atLeast: 1.2 } },
  },
  {
    name: "get, 100 in flight",
    share: 1 / 5,
    on: "loaded",
    what: "get (lmdb: getAsync), keys that are there",
    targets: { "classic-level": { atLeast: 3 } },
  },
  {
    name: "readmissing",
    share: 1 / 5,
    on: "loaded",
    what: "getSync, keys that are not there",
    targets: { "classic-level": { atLeast: 4 } },
  },
  { name: "readhot", share: 1 / 5, on: "loaded", what: "getSync, from one key in a hundred" },
  {
    name: "readseq",
    share: 1,
    on: "loaded",
    what: "all entries in order (varve: nextMany; classic-level: nextv; lmdb: getRange)",
    targets: { "classic-level": { atLeast: 4 }, lmdb: { atLeast: 1.5 } },
  },
  { name: "readseq, one by one", share: 1, on: "loaded", what: "for await over all entries" },
  { name: "readreverse", share: 1, on: "loaded", what: "as readseq, from the last to the first" },
  { name: "seekrandom", share: 1 / 50, on: "loaded", what: "a scan from a key, its first entry" },
  {
    name: "readwhilewriting",
    share: 1 / 5,
    on: "loaded",
    what: "get with 100 in flight while 20,000 entries/s are overwritten",
  },
  {
    name: "overwrite",
    share: 1,
    on: "loaded",
    what: "batches of 1,000 in random order, not synced",
  },
  {
    name: "deleterandom",
    share: 1 / 10,
    on: "loaded",
    what: "batches of 1,000 deletes in random order, not synced",
  },
];

export function operationsOf(task: Task, entries: number): number {
  return Math.max(100, Math.round(entries * task.share));
}
