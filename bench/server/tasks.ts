/** What the `server` suite runs: reads and writes with more or fewer calls in flight, and its targets. */
import type { Limit } from "../support/report.ts";

export interface Task {
  readonly name: string;
  readonly kind: "GET" | "PUT";
  readonly connections: number;
  /** Calls in flight on each connection. */
  readonly inFlight: number;
  /** Whether writes are answered once they are on the disk, or are synced at intervals. */
  readonly durability: "always" | "interval";
  readonly rate?: Limit;
  readonly p50?: Limit;
}

const LOADS: readonly Pick<Task, "connections" | "inFlight">[] = [
  { connections: 1, inFlight: 1 },
  { connections: 1, inFlight: 50 },
  { connections: 1, inFlight: 200 },
  { connections: 1, inFlight: 1000 },
  { connections: 50, inFlight: 1 },
];

/** Least throughput over the peer's, by connections and calls in flight. */
const RATE_TARGETS: Readonly<Record<string, Limit>> = {
  "GET 1x50": { atLeast: 1.3 },
  "GET 1x200": { atLeast: 1.6 },
  "PUT 1x50": { atLeast: 1.5 },
  "PUT 1x200": { atLeast: 2 },
  "GET 50x1": { atLeast: 1 },
  "PUT 50x1": { atLeast: 1 },
};

function task(
  kind: Task["kind"],
  durability: Task["durability"],
  { connections, inFlight }: (typeof LOADS)[number],
): Task {
  const on = connections === 1 ? "" : `${connections} connections, `;
  const how = kind === "GET" ? "" : durability === "always" ? "durable " : "interval ";
  const name = `${how}${kind}, ${on}${inFlight} in flight`;
  const isJudged = durability === "always";
  const rate = isJudged ? RATE_TARGETS[`${kind} ${connections}x${inFlight}`] : undefined;
  const p50 = isJudged && connections * inFlight === 1 ? { atMost: 1 } : undefined;
  return {
    name,
    kind,
    connections,
    inFlight,
    durability,
    ...(rate === undefined ? {} : { rate }),
    ...(p50 === undefined ? {} : { p50 }),
  };
}

export const TASKS: readonly Task[] = [
  ...LOADS.map((load) => task("GET", "always", load)),
  ...LOADS.map((load) => task("PUT", "always", load)),
  ...LOADS.map((load) => task("PUT", "interval", load)),
];
