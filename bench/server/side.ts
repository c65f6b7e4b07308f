/**
 * One client of the `server` suite, in a process of its own: loads the server, then keeps a number of calls
 * in flight for a while and says how many were answered and how long each took.
 */
import { parseArgs } from "node:util";
import type { Figures } from "../support/compare.ts";
import { randomNumbers } from "../support/keys.ts";
import { percentile } from "../support/percentile.ts";
import { answerQuestions } from "../support/side-process.ts";
import { asciiKeyAt, asciiValues, type Datum } from "./ascii-data.ts";
import { REMOTES, type Remote } from "./remotes.ts";
import { TASKS, type Task } from "./tasks.ts";

export interface SideSpec {
  readonly remote: string;
  readonly entries: number;
  readonly valueBytes: number;
  /** The port of the server for each durability. */
  readonly ports: Readonly<Record<Task["durability"], number>>;
}

export type Question =
  | { readonly load: Task["durability"] }
  | { readonly task: string; readonly round: number; readonly milliseconds: number };

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as SideSpec;
const kind = REMOTES.find(({ name }) => name === spec.remote);
if (kind === undefined) throw new Error(`${spec.remote} is not a client`);
const remoteKind = kind;

const KEYS = 100_000;
const VALUES = 1000;
const LOAD_BATCH = 1000;
const CALLS_MAX = 5_000_000;

const next = randomNumbers(5);
const keys = Array.from({ length: KEYS }, () => asciiKeyAt(next(spec.entries)));
const values = asciiValues(VALUES, spec.valueBytes);
const latenciesMs = new Float64Array(CALLS_MAX);

async function load(durability: Task["durability"]): Promise<void> {
  const remote = await remoteKind.connect(spec.ports[durability]);
  for (let first = 0; first < spec.entries; first += LOAD_BATCH) {
    const size = Math.min(LOAD_BATCH, spec.entries - first);
    const entries = Array.from(
      { length: size },
      (_, i) => [asciiKeyAt(first + i), values[i % VALUES] as Datum] as const,
    );
    await remote.putMany(entries);
  }
  await remote.close();
}

async function call(task: Task, remote: Remote, i: number): Promise<void> {
  const key = keys[i % KEYS] as Datum;
  if (task.kind === "PUT") {
    await remote.put(key, values[i % VALUES] as Datum);
    return;
  }
  const value = await remote.get(key);
  if (value?.length !== spec.valueBytes) throw new Error(`${key.text} has a wrong value`);
}

async function measure(task: Task, round: number, milliseconds: number): Promise<Figures> {
  const port = spec.ports[task.durability];
  const remotes = await Promise.all(
    Array.from({ length: task.connections }, () => remoteKind.connect(port)),
  );
  let calls = 0;
  let started = (round + 1) * 7919;
  globalThis.gc?.();
  const startedMs = performance.now();
  const deadlineMs = startedMs + milliseconds;
  const caller = async (remote: Remote) => {
    for (let now = performance.now(); now < deadlineMs; ) {
      const calledMs = now;
      await call(task, remote, started++);
      now = performance.now();
      if (calls < CALLS_MAX) latenciesMs[calls++] = now - calledMs;
    }
  };
  await Promise.all(
    remotes.flatMap((remote) => Array.from({ length: task.inFlight }, () => caller(remote))),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  await Promise.all(remotes.map((remote) => remote.close()));
  const sorted = latenciesMs.slice(0, calls).sort();
  return {
    rate: calls / seconds,
    p50: percentile(sorted, 50),
    p99: percentile(sorted, 99),
    p999: percentile(sorted, 99.9),
  };
}

answerQuestions(async (question: Question) => {
  if ("load" in question) return load(question.load);
  const task = TASKS.find(({ name }) => name === question.task);
  if (task === undefined) throw new Error(`${question.task} is not a task`);
  return measure(task, question.round, question.milliseconds);
});
