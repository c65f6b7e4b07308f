/** What every test of a crash asks of the database that comes after it. */
import assert from "node:assert";
import type { Database } from "../../src/engine/database.ts";
import { CURRENT_NAME, manifestName, parseFileName } from "../../src/fs/names.ts";
import { findKeptSegments } from "../../src/log/kept-segments.ts";
import { readLog } from "../../src/log/log-reader.ts";
import { LEVELS } from "../../src/options.ts";
import { readManifest } from "../../src/version/manifest-reader.ts";
import type { MemoryFileSystem } from "../support/memory-file-system.ts";
import { checkRecovered, type History, type Loss } from "./history.ts";
import { DIRECTORY, type DiskMaker, ENDED, type Life } from "./life.ts";
import { ALL_KEYS } from "./workload.ts";

/** What the next life finds when this one has ended by `loss`. */
export function remains(disk: MemoryFileSystem, loss: Loss, seed: number): DiskMaker {
  return (options) => (loss === "power" ? disk.crashImage(seed, options) : disk.killImage(options));
}

export interface Recovered {
  readonly db: Database;
  /** All up to this sequence was found. */
  readonly sequence: number;
}

/** Opens the database, which must succeed, and reads all of it, which must be what `history` allows. */
export async function recover(
  life: Life,
  history: History,
  loss: Loss,
): Promise<Recovered | typeof ENDED> {
  const db = await life.open();
  if (db === ENDED) return ENDED;
  const sequence = await life.run(checkRecovered(db, history, loss, ALL_KEYS));
  return sequence === ENDED ? ENDED : { db, sequence };
}

/** Opens and closes the database; then every file in its directory is one that something names. */
export async function checkFiles(life: Life): Promise<void> {
  const db = await life.open();
  assert(db !== ENDED);
  const tables = db.stats().levels.reduce((total, { files }) => total + files, 0);
  await life.run(db.close());
  const manifest = await life.run(readManifest(life.disk, DIRECTORY));
  const names = await life.run(life.disk.list(DIRECTORY));
  assert(manifest !== ENDED && manifest !== undefined && names !== ENDED);

  const { version, logFloor, manifestNumber } = manifest;
  const named = Array.from({ length: LEVELS }, (_, level) => version.files(level)).flat();
  assert.equal(named.length, tables);
  const found = { log: [] as number[], table: [] as number[], manifest: [] as number[] };
  for (const name of names) {
    const file = parseFileName(name);
    if (file === undefined) assert.equal(name, CURRENT_NAME);
    else found[file.kind].push(file.number);
  }
  assert.deepEqual(found.manifest, [manifestNumber], `${manifestName(manifestNumber)} alone`);
  assert.deepEqual(
    found.table,
    named.map(({ number }) => number).sort((a, b) => a - b),
    "the tables that the manifest names, and no others",
  );
  const segments = readLog(life.disk, DIRECTORY, { numbers: found.log, firstNeeded: logFloor });
  const needed = await life.run(Array.fromAsync(segments));
  assert(needed !== ENDED);
  const newest = needed.at(-1);
  const link = newest && { number: newest.number, length: newest.end };
  const kept = await life.run(
    findKeptSegments(life.disk, DIRECTORY, new Set(found.log), link, life.clock.now()),
  );
  assert(kept !== ENDED);
  assert.deepEqual(
    found.log,
    kept.map(({ number }) => number),
    "the log segments that are needed or kept for feeds, and no others",
  );
  assert.equal(life.disk.openFiles, 0, "no file stays open");
}
