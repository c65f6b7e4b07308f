/**
 * Opens a database to read it, and changes nothing on the disk. What cannot be read is passed over, told in
 * the log and in `stats().recovery.damage`: of a damaged log everything before the damage is there; a damaged
 * or missing table is `CORRUPTION` for the reads that need it. A manifest that cannot be read needs `repair`.
 */
import { join } from "node:path";
import { Horizons } from "../compaction/horizons.ts";
import { VarveError } from "../errors.ts";
import type { FileSystem, Lock } from "../fs/file-system.ts";
import { systemCodeOf } from "../fs/io-failure.ts";
import { LOCK_NAME } from "../fs/names.ts";
import { Admission } from "./admission.ts";
import type { Background } from "./background.ts";
import { CommitQueue } from "./commit-queue.ts";
import { assembleEngine, type Engine } from "./engine.ts";
import { Feed } from "./feed.ts";
import { FileNumbers } from "./file-numbers.ts";
import { KeyspaceDirectory } from "./keyspace-directory.ts";
import { Maintenance } from "./maintenance.ts";
import { planMemory } from "./memory-plan.ts";
import { MemtableSet } from "./memtable-set.ts";
import { assertNoOldZeroKeys } from "./old-keys.ts";
import type { World } from "./open-options.ts";
import { openTableCache } from "./open-table-cache.ts";
import { replayReadOnly } from "./read-only-recovery.ts";
import { Reads } from "./reads.ts";
import { readDirectory } from "./recovery.ts";
import { SnapshotList } from "./snapshot-list.ts";
import { SpaceGuard } from "./space-guard.ts";
import { Tree } from "./tree.ts";

/** Who may not write the directory cannot lock it, and needs not. */
const NOT_WRITABLE_CODES = new Set(["EACCES", "EPERM", "EROFS"]);
const NO_LOCK: Lock = { release: () => Promise.resolve() };

export async function openReadOnly(directory: string, world: World): Promise<Engine> {
  const { fs } = world;
  if (!(await fs.exists(directory))) {
    throw new VarveError("NOT_A_DATABASE", `${directory} does not exist, and is opened read-only`);
  }
  const lock = await lockIfWritable(fs, directory);
  try {
    return await openLocked(directory, world, lock);
  } catch (error) {
    await lock.release();
    await world.close();
    throw error;
  }
}

async function lockIfWritable(fs: FileSystem, directory: string): Promise<Lock> {
  try {
    return await fs.lock(join(directory, LOCK_NAME));
  } catch (error) {
    if (NOT_WRITABLE_CODES.has(systemCodeOf(error) ?? "")) return NO_LOCK;
    throw error;
  }
}

async function openLocked(directory: string, world: World, lock: Lock): Promise<Engine> {
  const { fs, clock, settings, logger } = world;
  const startedMs = clock.monotonicMs();
  const { names, manifest, missing } = await readDirectory(fs, directory);
  if (manifest === undefined) {
    throw new VarveError("NOT_A_DATABASE", `${directory} holds no database, and is read-only`);
  }
  const { version, logFloor, lastSequence, ingestedTo } = manifest;
  const plan = planMemory(settings);
  const memtables = new MemtableSet(plan.arenaBytes, Number.POSITIVE_INFINITY);
  const options = { names, firstNeeded: logFloor, lastSequence, ingestedTo };
  const replayed = await replayReadOnly(fs, directory, options, memtables);
  await assertNoOldZeroKeys(manifest.format, version, memtables);
  const recovery = {
    ...replayed.stats,
    damage: [...missing, ...replayed.stats.damage],
    ms: Math.round(clock.monotonicMs() - startedMs),
  };
  for (const message of recovery.damage) logger.error({ damage: message }, "passed over damage");
  logger.info(recovery, "opened the database read-only");

  const tables = openTableCache(directory, world, plan);
  const tree = new Tree({ memtables, tables, version, onObsolete: () => {} });
  tables.resize(Math.max(0, settings.memoryBudget - memtables.memoryBytes));
  const snapshots = new SnapshotList();
  const { log, manifest: noManifest, background, target } = refusing();
  const nothing = () => {};
  const commits = new CommitQueue({
    log,
    target,
    clock,
    lastSequence: replayed.lastSequence,
    syncIntervalMs: settings.syncIntervalMs,
    onFailure: nothing,
    failure: readOnlyError(),
  });
  const keyspaces = new KeyspaceDirectory();
  const limits = { ...settings, keyspaces };
  const reads = new Reads(tree, () => clock.now());
  try {
    await keyspaces.load(new Reads(tree, () => clock.now()), commits.visibleSequence);
  } catch (error) {
    if (!(error instanceof VarveError) || error.code !== "CORRUPTION") throw error;
    const message = `which keyspaces there are cannot be read: ${error.message}`;
    logger.error({ damage: message }, "passed over damage");
    recovery.damage.push(message);
  }
  return assembleEngine({
    settings,
    limits,
    keyspaces,
    fs,
    clock,
    directory,
    lock,
    log,
    manifest: noManifest,
    tree,
    files: {
      settled: () => Promise.resolve(),
      syncNames: () => Promise.resolve(),
      remove: nothing,
    },
    commits,
    feed: new Feed({ fs, clock, directory, limits, commits, log: undefined, watchesMax: 0 }),
    ingests: {
      run: () => Promise.reject(readOnlyError()),
      close: () => Promise.resolve(),
      stats: () => ({ ingests: 0, entries: 0, bytes: 0, isRunning: false }),
      memoryBytes: 0,
      bytesWritten: 0,
    },
    retirement: { close: nothing },
    admission: new Admission({ clock, writeDelayMaxMs: 0, hasRoom: () => true }),
    maintenance: new Maintenance({
      settings,
      directory,
      clock,
      logger,
      tree,
      manifest: noManifest,
      background,
      numbers: new FileNumbers(manifest.nextNumber),
      snapshots,
      past: { horizons: () => Horizons.NONE, stepMs: () => undefined, isThere: () => true },
      keyspaceCodecs: () => [],
      logFloor,
      lastSequence,
      onLogFloor: nothing,
      onChange: nothing,
    }),
    reads,
    snapshots,
    idleTidy: { close: nothing },
    space: new SpaceGuard({
      fs,
      directory,
      clock,
      logger,
      reserveBytes: 0,
      spare: async () => 0,
      onSpace: nothing,
    }),
    recovery,
    onClosed: world.close,
  });
}

function readOnlyError(): VarveError {
  return new VarveError("READ_ONLY", "the database was opened read-only; open it anew to write");
}

/** What writes would go to; none of it is ever reached, as the commit queue takes no write. */
function refusing() {
  const refuse = () => Promise.reject(readOnlyError());
  const close = () => Promise.resolve();
  const fail = () => {
    throw readOnlyError();
  };
  const background: Background = { compactionsMax: 0, run: refuse, close };
  return {
    log: {
      append: refuse,
      sync: refuse,
      rotate: refuse,
      markSynced: refuse,
      trim: refuse,
      close,
      unsyncedBytes: 0,
      bytesWritten: 0,
      syncs: 0,
    },
    manifest: { append: refuse, failed: false, close },
    background,
    target: { hasRoom: () => true, rotate: fail, insert: fail },
  };
}
