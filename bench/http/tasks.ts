/** What the `http` suite runs: each kind of request at three numbers of connections, and its targets. */
import type { Limit } from "../support/report.ts";

/** The sides beside Varve, by the names that rows have them under. */
export const BARE = "bare node:http";
export const POSTGRES = "fastify + pg";
export type Peer = typeof BARE | typeof POSTGRES;

export const KINDS = ["GET", "PUT", "range", "batch"] as const;
export type Kind = (typeof KINDS)[number];

/** Entries of a range, and of a batch. */
export const MANY = 100;

export interface Task {
  readonly name: string;
  readonly kind: Kind;
  /** Each with one request in flight. */
  readonly connections: number;
  /** Least requests a second over those of a peer. */
  readonly limits: Readonly<Partial<Record<Peer, Limit>>>;
}

const CONNECTIONS = [10, 50, 200] as const;

const LABELS: Readonly<Record<Kind, string>> = {
  GET: "GET",
  PUT: "durable PUT",
  range: `range of ${MANY}`,
  batch: `durable batch of ${MANY}`,
};

/** Of writes the bare server stores nothing, so that no target is set against it there. */
const LIMITS: Readonly<Record<string, Task["limits"]>> = {
  "GET 50": { [BARE]: { atLeast: 0.6 }, [POSTGRES]: { atLeast: 2.5 } },
  "PUT 50": { [POSTGRES]: { atLeast: 3 } },
};

export const TASKS: readonly Task[] = KINDS.flatMap((kind) =>
  CONNECTIONS.map((connections) => ({
    name: `${LABELS[kind]}, ${connections} connections`,
    kind,
    connections,
    limits: LIMITS[`${kind} ${connections}`] ?? {},
  })),
);
