/** One store of the `space` suite, in a process of its own: writes everything, then everything over again. */
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fillRandom, overwrite } from "../engine/writes.ts";
import { loadStore } from "../stores/open-store.ts";
import { KEY_BYTES, valuePool } from "../support/keys.ts";
import { IDLE_WORK_MS, settle } from "../support/settle.ts";
import { answerQuestions } from "../support/side-process.ts";

export interface SpaceSpec {
  readonly store: string;
  readonly directory: string;
  readonly entries: number;
  readonly valueBytes: number;
  readonly memoryBytes: number;
  readonly overwrites: number;
}

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as SpaceSpec;
const values = valuePool(spec.valueBytes, false);

/** What the files take on the disk, which for preallocated ones is more than was written to them. */
async function bytesOnDisk(only: (name: string) => boolean): Promise<number> {
  let bytes = 0;
  for (const name of (await readdir(spec.directory)).filter(only)) {
    bytes += (await stat(join(spec.directory, name))).blocks * 512;
  }
  return bytes;
}

async function measure(): Promise<{ all: number; withoutLog: number }> {
  await mkdir(spec.directory, { recursive: true });
  const { entries, memoryBytes } = spec;
  const options = { memoryBytes, compression: false, synced: false };
  const store = await (await loadStore(spec.store)).open(spec.directory, options);
  await fillRandom(store, values, entries);
  for (let turn = 1; turn < spec.overwrites; turn++) {
    await overwrite(store, values, entries, entries, turn);
  }
  // The last time in order, so that not a single entry is left out.
  await fillRandom(store, values, entries);
  await settle(IDLE_WORK_MS);
  const liveBytes = entries * (KEY_BYTES + spec.valueBytes);
  const report = {
    all: (await bytesOnDisk(() => true)) / liveBytes,
    withoutLog: (await bytesOnDisk((name) => !name.endsWith(".log"))) / liveBytes,
  };
  await store.close();
  return report;
}

answerQuestions(measure);
