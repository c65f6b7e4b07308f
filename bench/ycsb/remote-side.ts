/** One client of the `ycsb` suite, in a process of its own, over one connection. */
import { parseArgs } from "node:util";
import { asciiKeyAt, asciiValues, type Datum } from "../server/ascii-data.ts";
import { REMOTES } from "../server/remotes.ts";
import type { Figures } from "../support/compare.ts";
import { answerQuestions } from "../support/side-process.ts";
import { RECORD_BYTES, type Records, WORKLOADS, WorkloadRunner } from "./workloads.ts";

export interface RemoteSpec {
  readonly remote: string;
  readonly port: number;
  readonly records: number;
  readonly operations: number;
}

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as RemoteSpec;
const LOAD_BATCH = 500;
const values = asciiValues(1000, RECORD_BYTES);
const kind = REMOTES.find(({ name }) => name === spec.remote);
if (kind === undefined) throw new Error(`${spec.remote} is not a client`);
const remote = await kind.connect(spec.port);

let turn = 0;
function nextValue(): Datum {
  return values[turn++ % values.length] as Datum;
}

const records: Records = {
  read: async (record) => (await remote.get(asciiKeyAt(record)))?.length === RECORD_BYTES,
  update: (record) => remote.put(asciiKeyAt(record), nextValue()),
  async insert(record, indexed) {
    const key = asciiKeyAt(record);
    const written = remote.put(key, nextValue());
    await (indexed ? Promise.all([written, remote.index([key])]) : written);
  },
  scan: (record, count) => remote.scan(asciiKeyAt(record), count),
};

async function load(): Promise<void> {
  for (let first = 0; first < spec.records; first += LOAD_BATCH) {
    const size = Math.min(LOAD_BATCH, spec.records - first);
    const keys = Array.from({ length: size }, (_, i) => asciiKeyAt(first + i));
    await remote.putMany(keys.map((key) => [key, nextValue()] as const));
    await remote.index(keys);
  }
}

const runner = new WorkloadRunner(records, spec.records);

async function measure(name: string): Promise<Figures> {
  const workload = WORKLOADS.find((candidate) => candidate.name === name);
  if (workload === undefined) throw new Error(`${name} is not a workload`);
  const count = workload.scan > 0 ? spec.operations / 10 : spec.operations;
  const startedMs = performance.now();
  await runner.run(workload, count);
  return { rate: (count / (performance.now() - startedMs)) * 1000 };
}

type Question = { readonly workload: string } | { readonly load: true } | { readonly close: true };

answerQuestions(async (question: Question) => {
  if ("workload" in question) return measure(question.workload);
  if ("load" in question) await load();
  else await remote.close();
  return {};
});
