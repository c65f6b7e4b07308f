/** One embedded store of the `ycsb` suite, in a process of its own. */
import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { loadStore } from "../stores/open-store.ts";
import type { Figures } from "../support/compare.ts";
import { emptyKeys, KEY_BYTES, valuePool, writeRandomKey } from "../support/keys.ts";
import { settle } from "../support/settle.ts";
import { answerQuestions } from "../support/side-process.ts";
import { RECORD_BYTES, type Records, WORKLOADS, WorkloadRunner } from "./workloads.ts";

export interface EmbeddedSpec {
  readonly store: string;
  readonly directory: string;
  readonly records: number;
  readonly operations: number;
  readonly memoryBytes: number;
}

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as EmbeddedSpec;
const LOAD_BATCH = 100;
const values = valuePool(RECORD_BYTES, false);
await mkdir(spec.directory, { recursive: true });
const store = await (await loadStore(spec.store)).open(spec.directory, {
  memoryBytes: spec.memoryBytes,
  compression: false,
  synced: false,
});

function keyOf(record: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  writeRandomKey(key, record);
  return key;
}

let turn = 0;
function nextValue(): Buffer {
  return values[turn++ % values.length] as Buffer;
}

const records: Records = {
  read: (record) => store.getSync(keyOf(record)) !== undefined,
  update: (record) => store.put(keyOf(record), nextValue()),
  insert: (record) => store.put(keyOf(record), nextValue()),
  scan: (record, count) => store.seek(keyOf(record), count),
};

async function load(): Promise<void> {
  const keys = emptyKeys(LOAD_BATCH);
  for (let first = 0; first < spec.records; first += LOAD_BATCH) {
    const count = Math.min(LOAD_BATCH, spec.records - first);
    keys.forEach((key, i) => {
      writeRandomKey(key, first + i);
    });
    await store.putBatch({ keys, values: keys.map(nextValue), count });
  }
}

await load();
const runner = new WorkloadRunner(records, spec.records);

async function measure(name: string): Promise<Figures> {
  const workload = WORKLOADS.find((candidate) => candidate.name === name);
  if (workload === undefined) throw new Error(`${name} is not a workload`);
  await settle();
  const count = workload.scan > 0 ? spec.operations / 10 : spec.operations;
  const startedMs = performance.now();
  await runner.run(workload, count);
  return { rate: (count / (performance.now() - startedMs)) * 1000 };
}

answerQuestions(async (question: { readonly workload: string } | { readonly close: true }) => {
  if ("workload" in question) return measure(question.workload);
  await store.close();
  return {};
});
