/**
 * Opens a database, in the order of `src/README.md`, "A recovery": lock, manifest, log, a new manifest, a new
 * log segment, removal of what nothing names, background work.
 */
import { join } from "node:path";
import { VarveError } from "../errors.ts";
import { LOCK_NAME, parseFileName } from "../fs/names.ts";
import { findKeptSegments } from "../log/kept-segments.ts";
import { Log } from "../log/log.ts";
import { LEVELS } from "../options.ts";
import { Manifest, type ManifestState } from "../version/manifest.ts";
import { Version } from "../version/version.ts";
import { Admission } from "./admission.ts";
import { CommitQueue } from "./commit-queue.ts";
import { assembleEngine, type Engine } from "./engine.ts";
import { Feed } from "./feed.ts";
import { FileNumbers } from "./file-numbers.ts";
import { IdleTidy } from "./idle-tidy.ts";
import { Ingests } from "./ingests.ts";
import { KeyspaceDirectory } from "./keyspace-directory.ts";
import { LogRetirement } from "./log-retirement.ts";
import { Maintenance } from "./maintenance.ts";
import { makeDirectory } from "./make-directory.ts";
import { planMemory } from "./memory-plan.ts";
import { MemtableSet } from "./memtable-set.ts";
import { assertNoOldZeroKeys } from "./old-keys.ts";
import { type OpenOptions, resolveOptions, type World } from "./open-options.ts";
import { openReadOnly } from "./open-read-only.ts";
import { openTableCache } from "./open-table-cache.ts";
import { pressureOf } from "./pressure.ts";
import { Reads } from "./reads.ts";
import { logNumbers, type Replayed, readDirectory, replayLog } from "./recovery.ts";
import { horizonStepMs, Retention } from "./retention.ts";
import { SnapshotList } from "./snapshot-list.ts";
import { SpaceGuard } from "./space-guard.ts";
import { TableFiles } from "./table-files.ts";
import { Tree } from "./tree.ts";

/** More segments than this, left by as many short runs, are flushed away at open. */
const SEGMENTS_MAX = 8;

export async function openEngine(directory: string, options: OpenOptions): Promise<Engine> {
  if (typeof directory !== "string" || directory === "") {
    throw new VarveError("INVALID_ARGUMENT", "a database is opened by its directory's path");
  }
  const world = resolveOptions(options);
  const { fs, settings } = world;
  if (settings.readOnly) return openReadOnly(directory, world);
  if (!settings.createIfMissing && !(await fs.exists(directory))) {
    const message = `${directory} does not exist, and createIfMissing is false`;
    throw new VarveError("NOT_A_DATABASE", message);
  }
  await makeDirectory(fs, directory);
  const lock = await fs.lock(join(directory, LOCK_NAME));
  try {
    return await openLocked(directory, world, lock);
  } catch (error) {
    await lock.release();
    await world.close();
    throw error;
  }
}

async function openLocked(directory: string, world: World, lock: Engine["lock"]): Promise<Engine> {
  const { fs, clock, settings, logger } = world;
  const startedMs = clock.monotonicMs();
  const { names, manifest: found, missing } = await readDirectory(fs, directory);
  if (missing[0] !== undefined) throw new VarveError("CORRUPTION", missing[0]);
  if (found === undefined && !settings.createIfMissing) {
    const message = `${directory} holds no database, and createIfMissing is false`;
    throw new VarveError("NOT_A_DATABASE", message);
  }
  const before: ManifestState = found ?? { version: Version.EMPTY, logFloor: 0, lastSequence: 0 };
  const plan = planMemory(settings);
  const memtables = new MemtableSet(plan.arenaBytes, settings.immutableMemtablesMax);
  const replayed = await replayLog(
    fs,
    directory,
    { names, firstNeeded: before.logFloor, lastSequence: before.lastSequence },
    memtables,
  );
  if (found !== undefined) await assertNoOldZeroKeys(found.format, found.version, memtables);
  // What an ingest has taken is never given again, whether its tables came to be installed or not.
  const ingestedTo = Math.max(before.ingestedTo ?? 0, replayed.ingestedTo);
  const state = { ...before, ingestedTo };
  const numbers = new FileNumbers(firstFreeNumber(names, found?.nextNumber ?? 1));
  const allocateNumber = () => numbers.allocate();

  const manifest = await Manifest.create(
    { fs, directory, allocateNumber, bytesMax: settings.manifestBytes },
    state,
  );
  const segmentBytes = plan.arenaBytes;
  const present = new Set(logNumbers(names));
  const onDamaged = (path: string) =>
    logger.warn({ path }, "a log segment kept for feeds is damaged; it goes, and those before it");
  const { newest } = replayed;
  const kept = await findKeptSegments(fs, directory, present, newest, clock.now(), onDamaged);
  const log = await Log.create(fs, directory, {
    segmentBytes,
    allocateNumber,
    clock,
    previous: replayed.newest,
    retention: { bytes: settings.feedRetentionBytes, ms: settings.feedRetentionMs },
    kept,
  });
  const logFloor = logFloorOf(state, replayed, log, memtables);
  if (logFloor !== state.logFloor) {
    await manifest.append({ added: [], removed: [], logFloor }, { ...state, logFloor });
  }
  const files = new TableFiles(fs, directory, logger);
  await files.removeLeftOvers(
    names,
    new Set([
      ...tableNumbers(state.version),
      ...replayed.segments,
      ...kept.map(({ number }) => number),
    ]),
  );
  const retirement = new LogRetirement(log, clock, logger);
  await retirement.retire(logFloor);

  const recovery = { ...replayed.stats, ms: Math.round(clock.monotonicMs() - startedMs) };
  if (recovery.tornBytes > 0) logger.warn(recovery, "cut a torn tail off the newest log segment");
  logger.info(recovery, found === undefined ? "made a new database" : "opened the database");

  const tables = openTableCache(directory, world, plan);
  const tree = new Tree({
    memtables,
    tables,
    version: state.version,
    onObsolete: (obsolete) => {
      for (const { number } of obsolete) tables.remove(number);
      files.remove(obsolete);
    },
  });
  const lastSequence = Math.max(replayed.lastSequence, ingestedTo);
  // Before anything is flushed or compacted, as they say how much is to be kept.
  const keyspaces = new KeyspaceDirectory();
  await keyspaces.load(new Reads(tree, () => clock.now()), lastSequence);
  const admission = new Admission({
    clock,
    writeDelayMaxMs: settings.writeDelayMaxMs,
    hasRoom: (entries, bytes) => memtables.mayTake(entries, bytes),
  });
  const onChange = () => {
    tables.resize(Math.min(plan.cacheBytes, settings.memoryBudget - memtables.memoryBytes));
    admission.update(pressureOf(tree, settings));
  };
  const snapshots = new SnapshotList();
  snapshots.forget(replayed.lastSequence);
  const retention = new Retention(settings, clock, state.version, ingestedTo);
  const limits = { ...settings, keyspaces };
  const background = world.startBackground();
  const maintenance = new Maintenance({
    settings,
    directory,
    clock,
    logger,
    tree,
    manifest,
    background,
    numbers,
    snapshots,
    past: {
      horizons: () => retention.horizons(commits.visibleSequence, keyspaces.retaining()),
      stepMs: () => horizonStepMs([settings, ...keyspaces.retaining()]),
      isThere: (keyspace) => keyspaces.isThere(keyspace),
    },
    keyspaceCodecs: () => keyspaces.codecs(),
    logFloor,
    lastSequence: state.lastSequence,
    ingestedTo,
    onLogFloor: (segment) => retirement.retireLater(segment),
    onChange,
  });
  const commits: CommitQueue = new CommitQueue({
    log,
    clock,
    lastSequence,
    syncIntervalMs: settings.syncIntervalMs,
    target: {
      hasRoom: (entries, bytes) => memtables.hasRoom(entries, bytes),
      insert: (sequence, kind, timeMs, key, value) =>
        tree.insert(sequence, kind, timeMs, key, value),
      rotate: (entries, bytes) => {
        const full = tree.rotate(entries, bytes);
        // Later: a write that waits for the room must not get in before the one that rotates.
        queueMicrotask(onChange);
        return (nextLog) => {
          memtables.seal(full, nextLog);
          maintenance.wake();
        };
      },
    },
    onFailure: (error) => {
      logger.error({ err: error }, "the log failed; reads go on, writes do not");
      admission.fail(error);
    },
  });
  const { watchesMax } = settings;
  const feed = new Feed({ fs, clock, directory, limits, commits, log, watchesMax });
  const space = new SpaceGuard({
    fs,
    directory,
    clock,
    logger,
    reserveBytes: settings.freeSpaceReserve,
    spare: (bytes) => feed.spare(bytes),
    onSpace: () => maintenance.resume(),
  });
  await space.check();
  const idleTidy = new IdleTidy({
    settings,
    clock,
    logger,
    tree,
    commits,
    maintenance,
    logReserveBytes: () => log.reserveBytes,
  });
  const ingests = new Ingests({
    settings,
    limits,
    clock,
    tree,
    commits,
    maintenance,
    admission,
    space,
    files,
    retention,
  });
  const reads = new Reads(tree, () => clock.now());
  maintenance.wake();
  if (replayed.stats.segments >= SEGMENTS_MAX) {
    // A failure is the log's, and has been told by `onFailure`.
    commits.rotate().catch(() => {});
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
    manifest,
    tree,
    files,
    commits,
    feed,
    ingests,
    retirement,
    admission,
    maintenance,
    reads,
    snapshots,
    space,
    idleTidy,
    recovery,
    onClosed: world.close,
  });
}

/** Larger than every number in the directory, and than any that the manifest has seen used. */
function firstFreeNumber(names: readonly string[], next: number): number {
  return names.reduce((free, name) => Math.max(free, (parseFileName(name)?.number ?? 0) + 1), next);
}

/** The first segment that is still needed: the new one, where the log behind it held nothing. */
function logFloorOf(
  state: ManifestState,
  replayed: Replayed,
  log: Log,
  memtables: MemtableSet,
): number {
  if (memtables.active.isEmpty && memtables.waiting === 0) return log.segmentNumber;
  return state.logFloor === 0 ? replayed.oldest : state.logFloor;
}

function tableNumbers(version: Version): Set<number> {
  const numbers = new Set<number>();
  for (let level = 0; level < LEVELS; level++) {
    for (const { number } of version.files(level)) numbers.add(number);
  }
  return numbers;
}
