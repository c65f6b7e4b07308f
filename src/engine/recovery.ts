/**
 * Reads back what a database's directory holds: the manifest's tables, and the log behind them, replayed
 * into memtables. Changes nothing but the torn tail of the newest log segment, which is cut; so a crash in
 * the middle of it is harmless.
 */
import { join } from "node:path";
import { VarveError } from "../errors.ts";
import type { FileSystem } from "../fs/file-system.ts";
import { LOCK_NAME, parseFileName, tableName } from "../fs/names.ts";
import { CommitGroupReader } from "../log/commit-group.ts";
import { isIngest } from "../log/ingest-operation.ts";
import { type LogSegment, readLog } from "../log/log-reader.ts";
import { RECORD_KIND, type SegmentLink } from "../log/segment.ts";
import { LEVELS } from "../options.ts";
import { CURRENT_TEMPORARY_NAME } from "../version/manifest.ts";
import { type ManifestContent, readManifest } from "../version/manifest-reader.ts";
import { loadGroup } from "./load-group.ts";
import type { MemtableSet } from "./memtable-set.ts";

export interface RecoveryStats {
  readonly ms: number;
  readonly segments: number;
  readonly logBytes: number;
  readonly operations: number;
  /** Bytes of a write that was never acknowledged, cut off the newest log segment. */
  readonly tornBytes: number;
  /** What a read-only open could not read and passed over; any other open fails on it. */
  readonly damage: readonly string[];
}

export interface Replayed {
  readonly lastSequence: number;
  /** The newest sequence that an ingest has taken, installed or not; 0 where the log has none. */
  readonly ingestedTo: number;
  /** Number of the oldest segment that was read; 0 where there was none. */
  readonly oldest: number;
  /** Numbers of all that were read. */
  readonly segments: ReadonlySet<number>;
  /** The newest segment, which the next one continues. */
  readonly newest: SegmentLink | undefined;
  readonly stats: Omit<RecoveryStats, "ms">;
}

export interface DirectoryContent {
  readonly names: readonly string[];
  /**
   * `undefined` where a database may be made: the directory is empty, or the making of one was cut short
   * before anything could be written to it.
   */
  readonly manifest: ManifestContent | undefined;
  /** A message for each table that the manifest names and that is not there. */
  readonly missing: readonly string[];
}

export async function readDirectory(fs: FileSystem, directory: string): Promise<DirectoryContent> {
  const names = (await fs.list(directory)).filter((name) => !isLockName(name));
  const manifest = await readManifest(fs, directory);
  if (manifest !== undefined) {
    return { names, manifest, missing: missingTables(manifest, new Set(names), directory) };
  }
  const foreign = names.find(
    (name) => parseFileName(name) === undefined && name !== CURRENT_TEMPORARY_NAME,
  );
  if (foreign !== undefined) {
    const message = `${directory} is not a database: it holds ${foreign} and no CURRENT`;
    throw new VarveError("NOT_A_DATABASE", message);
  }
  const data = names.find((name) => {
    const kind = parseFileName(name)?.kind;
    return kind === "table" || kind === "log";
  });
  if (data !== undefined) {
    const message = `${join(directory, "CURRENT")} is missing, though there is ${data}`;
    throw new VarveError("CORRUPTION", message);
  }
  return { names, manifest: undefined, missing: [] };
}

function isLockName(name: string): boolean {
  return name === LOCK_NAME || name.startsWith(`${LOCK_NAME}.`);
}

function missingTables(
  { version }: ManifestContent,
  names: ReadonlySet<string>,
  directory: string,
): string[] {
  const missing: string[] = [];
  for (let level = 0; level < LEVELS; level++) {
    for (const { number } of version.files(level)) {
      if (names.has(tableName(number))) continue;
      const path = join(directory, tableName(number));
      missing.push(`${path} at 0: the file is missing; the manifest names it`);
    }
  }
  return missing;
}

export interface ReplayOptions {
  readonly names: readonly string[];
  readonly firstNeeded: number;
  /** Sequences up to this are in tables. */
  readonly lastSequence: number;
  /** The newest sequence that an ingest has taken. */
  readonly ingestedTo?: number | undefined;
}

/** Replays the log's segments from `firstNeeded` on. Each segment's entries are sealed in memtables of their own. */
export async function replayLog(
  fs: FileSystem,
  directory: string,
  options: ReplayOptions,
  memtables: MemtableSet,
): Promise<Replayed> {
  const numbers = logNumbers(options.names);
  const stats = { segments: 0, logBytes: 0, operations: 0, tornBytes: 0, damage: [] };
  let lastSequence = options.lastSequence;
  let ingestedTo = 0;
  let oldest = 0;
  const segments = new Set<number>();
  let newest: SegmentLink | undefined;
  for await (const segment of readLog(fs, directory, {
    numbers,
    firstNeeded: options.firstNeeded,
  })) {
    const replayed = replaySegment(segment, memtables, lastSequence, options.lastSequence);
    lastSequence = replayed.lastSequence;
    ingestedTo = Math.max(ingestedTo, replayed.ingestedTo);
    if (oldest === 0) oldest = segment.number;
    segments.add(segment.number);
    newest = { number: segment.number, length: segment.end };
    stats.segments++;
    stats.logBytes += segment.end;
    stats.operations += replayed.operations;
    stats.tornBytes += segment.tornBytes;
  }
  return { lastSequence, ingestedTo, oldest, segments, newest, stats };
}

/** The numbers of the log segments among a directory's names. */
export function logNumbers(names: readonly string[]): number[] {
  return names.map(parseFileName).flatMap((name) => (name?.kind === "log" ? [name.number] : []));
}

/** Sequences up to `flushed` are in tables. */
function replaySegment(
  segment: LogSegment,
  memtables: MemtableSet,
  lastSequence: number,
  flushed: number,
): Pick<Replayed, "lastSequence" | "ingestedTo"> & { readonly operations: number } {
  const records = segment.records();
  let last = lastSequence;
  let ingestedTo = 0;
  let operations = 0;
  while (records.next()) {
    if (records.kind !== RECORD_KIND.GROUP) continue;
    const at = records.start;
    const where = () => `${segment.path} at ${at}`;
    const group = new CommitGroupReader(records.bytes, records.payloadStart, records.end, where);
    // Memtables are flushed in the order of age, so this group is in a table, whole.
    if (group.lastSequence <= flushed) continue;
    if (isIngest(records.bytes, records.payloadStart)) ingestedTo = group.lastSequence;
    if (group.firstSequence <= last) {
      const message = `${where()}: sequence ${group.firstSequence} comes after ${last}`;
      throw new VarveError("CORRUPTION", message);
    }
    const full = loadGroup(memtables, group);
    // Nothing can be given up before the whole segment is in tables, so its own number is the floor.
    if (full !== undefined) memtables.seal(full, segment.number);
    last = group.lastSequence;
    operations += group.operations;
  }
  return { lastSequence: last, ingestedTo, operations };
}
