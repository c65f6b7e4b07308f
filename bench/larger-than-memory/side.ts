/** One store of the `larger-than-memory` suite, in a process of its own. */
import { execFileSync } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { randomKeys, readInFlight } from "../engine/reads.ts";
import { fillRandom, overwrite } from "../engine/writes.ts";
import { loadStore } from "../stores/open-store.ts";
import type { Figures } from "../support/compare.ts";
import { valuePool } from "../support/keys.ts";
import { settle } from "../support/settle.ts";
import { answerQuestions } from "../support/side-process.ts";

export interface MemorySpec {
  readonly store: string;
  readonly directory: string;
  readonly entries: number;
  readonly valueBytes: number;
  readonly memoryBytes: number;
  readonly reads: number;
  readonly coldReads: number;
  readonly writes: number;
  readonly scans: number;
  readonly scanEntries: number;
}

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as MemorySpec;
const values = valuePool(spec.valueBytes, false);
const { entries } = spec;
await mkdir(spec.directory, { recursive: true });
const kind = await loadStore(spec.store);
const open = () =>
  kind.open(spec.directory, { memoryBytes: spec.memoryBytes, compression: false, synced: false });
let store = await open();
await fillRandom(store, values, entries);

/**
 * Asks the kernel to forget what it has cached of the files. Nobody may have them open meanwhile: what is
 * mapped into memory, as LevelDB's tables are, would stay.
 */
async function forgetFiles(): Promise<void> {
  for (const name of await readdir(spec.directory)) {
    const file = join(spec.directory, name);
    // What is not on the disk yet would stay, too.
    execFileSync("sync", [file]);
    execFileSync("dd", [`if=${file}`, "iflag=nocache", "count=0"], { stdio: "ignore" });
  }
}

/** Makes ready, and returns what is timed with its number of operations. */
async function prepare(
  task: string,
  round: number,
): Promise<{ count: number; run: () => Promise<unknown> }> {
  const seed = round + 211;
  switch (task) {
    case "random reads": {
      const keys = randomKeys(spec.reads, entries, seed);
      return { count: spec.reads, run: () => readInFlight(store, keys) };
    }
    case "random reads, files not cached": {
      const keys = randomKeys(spec.coldReads, entries, seed);
      await store.close();
      await forgetFiles();
      store = await open();
      await settle();
      return { count: spec.coldReads, run: () => readInFlight(store, keys) };
    }
    case "scans": {
      const keys = randomKeys(spec.scans, entries, seed);
      const run = async () => {
        let seen = 0;
        for (const key of keys) seen += await store.seek(key, spec.scanEntries);
        // Only a scan from one of the last keys ends early.
        if (seen < 0.9 * spec.scans * spec.scanEntries)
          throw new Error(`scans saw ${seen} entries`);
      };
      return { count: spec.scans * spec.scanEntries, run };
    }
    case "overwrites":
      return {
        count: spec.writes,
        run: () => overwrite(store, values, spec.writes, entries, seed),
      };
    default:
      throw new Error(`${task} is not a task`);
  }
}

async function measure(task: string, round: number): Promise<Figures> {
  await settle();
  const { count, run } = await prepare(task, round);
  const startedMs = performance.now();
  await run();
  return { rate: (count / (performance.now() - startedMs)) * 1000 };
}

type Question = { readonly task: string; readonly round: number } | { readonly close: true };

answerQuestions(async (question: Question) => {
  if ("task" in question) return measure(question.task, question.round);
  await store.close();
  return {};
});
