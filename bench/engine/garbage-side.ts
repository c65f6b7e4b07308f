/**
 * How many bytes a store allocates for an operation, in a process whose young generation is so large that
 * nothing is collected meanwhile: what the heap has grown by is what was allocated.
 */
import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { loadStore } from "../stores/open-store.ts";
import type { Figures } from "../support/compare.ts";
import { emptyKeys, valuePool, writeRandomKey } from "../support/keys.ts";
import { settle } from "../support/settle.ts";
import { answerQuestions } from "../support/side-process.ts";
import { randomKeys, readAll, readInFlight, readSync } from "./reads.ts";
import type { SideSpec } from "./side.ts";
import { fillRandom, inFlight } from "./writes.ts";

const OPERATIONS = 20_000;

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as SideSpec;
const values = valuePool(spec.valueBytes, false);
await mkdir(spec.directory, { recursive: true });
const store = await (await loadStore(spec.store)).open(spec.directory, {
  memoryBytes: spec.memoryBytes,
  compression: false,
  synced: false,
});

const found = randomKeys(OPERATIONS, spec.entries, 3);
const written = emptyKeys(OPERATIONS);
written.forEach((key, i) => {
  writeRandomKey(key, spec.entries + i);
});

const OPERATIONS_BY_NAME: Readonly<Record<string, () => Promise<void> | void>> = {
  getSync: () => readSync(store, found, OPERATIONS),
  get: () => readInFlight(store, found),
  "scan entry": () => readAll(store, spec.entries, "forward"),
  put: () =>
    inFlight(OPERATIONS, (i) => store.put(written[i] as Buffer, values[i % 100] as Buffer)),
};

async function measure(name: string): Promise<Figures> {
  const run = OPERATIONS_BY_NAME[name];
  if (run === undefined) throw new Error(`${name} is not an operation`);
  const count = name === "scan entry" ? spec.entries : OPERATIONS;
  // Twice, with time between: buffers are freed in the background once their owners are gone.
  globalThis.gc?.();
  await settle();
  globalThis.gc?.();
  const before = process.memoryUsage();
  await run();
  const after = process.memoryUsage();
  return {
    heap: (after.heapUsed - before.heapUsed) / count,
    outside: (after.external - before.external) / count,
  };
}

await fillRandom(store, values, spec.entries);
answerQuestions(async (question: { readonly operation: string } | { readonly close: true }) => {
  if ("operation" in question) return measure(question.operation);
  await store.close();
  return {};
});
