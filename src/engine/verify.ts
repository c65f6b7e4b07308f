/**
 * Verifies a database: reads everything and tells all that is wrong, not just the first. Changes nothing.
 */
import { join } from "node:path";
import { VarveError } from "../errors.ts";
import type { FileSystem } from "../fs/file-system.ts";
import { LOCK_NAME, tableName } from "../fs/names.ts";
import { CommitGroupReader } from "../log/commit-group.ts";
import { type LogSegment, readLog, readRetained } from "../log/log-reader.ts";
import { RECORD_KIND } from "../log/segment.ts";
import { LEVELS } from "../options.ts";
import type { TableMeta } from "../table/table-meta.ts";
import { readManifest } from "../version/manifest-reader.ts";
import type { Version } from "../version/version.ts";
import { logNumbers } from "./recovery.ts";
import { verifyTable } from "./verify-table.ts";

export interface Problem {
  readonly file: string;
  /** Names place and fault. */
  readonly message: string;
  /** What of the key space is concerned, where that is known; for a table its bounds. */
  readonly smallest?: Uint8Array;
  readonly largest?: Uint8Array;
}

export interface TablesReport {
  readonly tables: number;
  readonly tableBytes: number;
  readonly entries: number;
  readonly problems: readonly Problem[];
}

export interface VerifyReport extends TablesReport {
  readonly logSegments: number;
  /** Kept for feeds alone; nothing else is lost with them. */
  readonly retainedSegments: number;
  readonly logOperations: number;
}

export interface VerifyProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Verifies the database in a directory that nobody has open. Throws only where it cannot look at all. */
export async function verifyDirectory(
  fs: FileSystem,
  directory: string,
  onProgress: (progress: VerifyProgress) => void = () => undefined,
): Promise<VerifyReport> {
  if (!(await fs.exists(directory))) {
    throw new VarveError("NOT_A_DATABASE", `${directory} does not exist`);
  }
  const lock = await fs.lock(join(directory, LOCK_NAME));
  try {
    const names = await fs.list(directory);
    const problems: Problem[] = [];
    const manifest = await attempt(problems, directory, () => readManifest(fs, directory));
    if (manifest === undefined) {
      if (problems.length === 0) {
        throw new VarveError("NOT_A_DATABASE", `${directory} holds no CURRENT, so no database`);
      }
      return { ...NOTHING, problems };
    }
    const tables = await verifyTables(fs, directory, manifest.version, onProgress);
    const log = await verifyLog(fs, directory, logNumbers(names), manifest.logFloor);
    return { ...tables, ...log, problems: [...problems, ...tables.problems, ...log.problems] };
  } finally {
    await lock.release();
  }
}

const NOTHING = {
  tables: 0,
  tableBytes: 0,
  entries: 0,
  logSegments: 0,
  retainedSegments: 0,
  logOperations: 0,
};

/** Verifies all tables of a version, which the caller keeps from being removed meanwhile. */
export async function verifyTables(
  fs: FileSystem,
  directory: string,
  version: Version,
  onProgress: (progress: VerifyProgress) => void,
): Promise<TablesReport> {
  const tables: TableMeta[] = [];
  for (let level = 0; level < LEVELS; level++) tables.push(...version.files(level));
  const totalBytes = tables.reduce((total, { fileBytes }) => total + fileBytes, 0);
  const problems: Problem[] = [];
  let doneBytes = 0;
  let entries = 0;
  for (const table of tables) {
    const file = join(directory, tableName(table.number));
    const before = problems.length;
    await attempt(problems, file, () => verifyTable(fs, directory, table));
    const found = problems[before];
    if (found !== undefined) {
      problems[before] = { ...found, smallest: table.smallest, largest: table.largest };
    }
    doneBytes += table.fileBytes;
    entries += table.entries;
    onProgress({ doneBytes, totalBytes });
  }
  return { tables: tables.length, tableBytes: totalBytes, entries, problems };
}

async function verifyLog(
  fs: FileSystem,
  directory: string,
  numbers: readonly number[],
  firstNeeded: number,
): Promise<Omit<VerifyReport, keyof TablesReport> & Pick<TablesReport, "problems">> {
  const problems: Problem[] = [];
  let oldest: LogSegment | undefined;
  let logSegments = 0;
  let retainedSegments = 0;
  let logOperations = 0;
  await attempt(problems, directory, async () => {
    for await (const segment of readLog(fs, directory, { numbers, firstNeeded, readOnly: true })) {
      logSegments++;
      oldest ??= segment;
      await attempt(problems, segment.path, async () => {
        logOperations += countOperations(segment);
      });
    }
  });
  await attempt(problems, directory, async () => {
    if (oldest === undefined) return;
    for await (const segment of readRetained(fs, directory, new Set(numbers), oldest)) {
      retainedSegments++;
      await attempt(problems, segment.path, async () => void countOperations(segment));
    }
  });
  return { logSegments, retainedSegments, logOperations, problems };
}

function countOperations(segment: LogSegment): number {
  let operations = 0;
  const records = segment.records();
  while (records.next()) {
    if (records.kind !== RECORD_KIND.GROUP) continue;
    const where = () => `${segment.path} at ${records.start}`;
    const group = new CommitGroupReader(records.bytes, records.payloadStart, records.end, where);
    while (group.next()) operations++;
  }
  return operations;
}

/** Runs a check; a failure becomes a problem of `file`. */
async function attempt<Result>(
  problems: Problem[],
  file: string,
  check: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof VarveError)) throw error;
    problems.push({ file, message: error.message });
    return undefined;
  }
}
