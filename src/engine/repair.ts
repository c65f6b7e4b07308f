/**
 * Makes a damaged database one that opens, with all that is sound in it, and tells what was lost.
 *
 * Where the manifest is sound, its tree is kept without the tables that are not; where it is not, a tree is
 * made anew by merging all sound tables, since nothing else says which level each was on. Whole records of
 * the log that are in no table become tables; what was kept of it for feeds goes. What is unsound is moved to `lost/`, never removed. Nothing is moved before the
 * new manifest is durable, so a repair that is cut short can be begun again.
 */
import { join } from "node:path";
import { compareBytes } from "../bytes/compare.ts";
import { InputRun, readRanges } from "../compaction/input-run.ts";
import { Outputs } from "../compaction/outputs.ts";
import { RangeRetention } from "../compaction/range-retention.ts";
import { Stripes } from "../compaction/stripes.ts";
import { LAST_LEVEL } from "../compaction/targets.ts";
import { VersionFold } from "../compaction/version-fold.ts";
import { mergeCursors } from "../cursor/merge-cursor.ts";
import { RunCursor } from "../cursor/run-cursor.ts";
import { CURSOR, type EntryCursor } from "../entry-cursor.ts";
import { VarveError } from "../errors.ts";
import type { FileSystem } from "../fs/file-system.ts";
import { LOCK_NAME, logName, parseFileName, tableName } from "../fs/names.ts";
import { sequenceOf } from "../key.ts";
import { CommitGroupReader, firstSequenceOf } from "../log/commit-group.ts";
import { isIngest } from "../log/ingest-operation.ts";
import { salvageSegment } from "../log/log-salvage.ts";
import { RECORD_KIND } from "../log/segment.ts";
import { SortedCursor } from "../memtable/sorted-cursor.ts";
import { codecOf, DEFAULT_SETTINGS, LEVELS } from "../options.ts";
import { RangeTombstones } from "../range-tombstones.ts";
import type { TableMeta } from "../table/table-meta.ts";
import { readTableMeta } from "../table/table-reader.ts";
import { Manifest } from "../version/manifest.ts";
import { type ManifestContent, readManifest } from "../version/manifest-reader.ts";
import { Version } from "../version/version.ts";
import { FileNumbers } from "./file-numbers.ts";
import { loadGroup } from "./load-group.ts";
import { MemtableSet } from "./memtable-set.ts";
import type { Problem } from "./verify.ts";
import { verifyTable } from "./verify-table.ts";

export const LOST_NAME = "lost";

export interface RepairReport {
  /** `rebuilt` where the manifest could not be read; deleted keys may then be back, if their tombstones are gone. */
  readonly manifest: "kept" | "rebuilt";
  readonly tablesKept: number;
  /** Operations of the log that are in tables now. */
  readonly operationsRecovered: number;
  /** Tables and parts of the log that were lost, with their key ranges where these are known. */
  readonly lost: readonly Problem[];
}

/** Repairs the database in a directory that nobody has open. */
export async function repairDirectory(fs: FileSystem, directory: string): Promise<RepairReport> {
  if (!(await fs.exists(directory))) {
    throw new VarveError("NOT_A_DATABASE", `${directory} does not exist`);
  }
  const lock = await fs.lock(join(directory, LOCK_NAME));
  try {
    return await new Repair(fs, directory, await fs.list(directory)).run();
  } finally {
    await lock.release();
  }
}

class Repair {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #tableNumbers: readonly number[];
  readonly #logNumbers: readonly number[];
  readonly #numbers: FileNumbers;
  readonly #lost: Problem[] = [];
  /** Names of files that are not sound, to be moved. */
  readonly #unsound: string[] = [];

  constructor(fs: FileSystem, directory: string, names: readonly string[]) {
    const files = names.flatMap((name) => parseFileName(name) ?? []);
    const numbersOf = (kind: string) =>
      files.flatMap((file) => (file.kind === kind ? [file.number] : [])).sort((a, b) => a - b);
    this.#fs = fs;
    this.#directory = directory;
    this.#tableNumbers = numbersOf("table");
    this.#logNumbers = numbersOf("log");
    this.#numbers = new FileNumbers(Math.max(0, ...files.map(({ number }) => number)) + 1);
    if (files.length === 0) {
      throw new VarveError("NOT_A_DATABASE", `${directory} holds no file of a database`);
    }
  }

  async run(): Promise<RepairReport> {
    const manifest = await this.#readManifest();
    const sound = await this.#soundTables(manifest);
    // Memtables are flushed in the order of age: up to the newest table's sequence all is in some table. Segments that
    // are kept for feeds must not be applied again.
    const flushed = manifest?.lastSequence ?? (await this.#flushedTo([...sound.values()]));
    const memtables = new MemtableSet(DEFAULT_SETTINGS.memtableBytes, Number.POSITIVE_INFINITY);
    const log = await this.#replay(memtables, manifest?.logFloor ?? 0, flushed);
    const version =
      manifest === undefined
        ? this.#mergeAll([...sound.values()], memtables)
        : this.#addLog(withoutUnsound(manifest.version, sound), memtables);
    await this.#publish(version, Math.max(flushed, log.lastSequence, manifest?.ingestedTo ?? 0));
    return {
      manifest: manifest === undefined ? "rebuilt" : "kept",
      tablesKept: sound.size,
      operationsRecovered: log.operations,
      lost: this.#lost,
    };
  }

  /**
   * The newest sequence in tables, but for those of ingests: what was not flushed before one has a smaller sequence, and
   * is in the log before the group that tells of it.
   */
  async #flushedTo(tables: readonly TableMeta[]): Promise<number> {
    const ingests = new Set<number>();
    for (const number of this.#logNumbers) {
      const path = join(this.#directory, logName(number));
      const { records } = await salvageSegment(this.#fs, path, number);
      for (const { kind, bytes, payloadStart } of records) {
        if (kind !== RECORD_KIND.GROUP || !isIngest(bytes, payloadStart)) continue;
        ingests.add(firstSequenceOf(bytes, payloadStart));
      }
    }
    const flushed = tables.filter(({ largestSequence }) => !ingests.has(largestSequence));
    return Math.max(0, ...flushed.map(({ largestSequence }) => largestSequence));
  }

  async #readManifest(): Promise<ManifestContent | undefined> {
    try {
      return await readManifest(this.#fs, this.#directory);
    } catch (error) {
      if (!(error instanceof VarveError) || error.code !== "CORRUPTION") throw error;
      this.#lost.push({ file: this.#directory, message: error.message });
      return undefined;
    }
  }

  /** The tables that the manifest names, or else all there are, as far as they are sound. */
  async #soundTables(manifest: ManifestContent | undefined): Promise<Map<number, TableMeta>> {
    const named = new Map<number, TableMeta>();
    for (let level = 0; level < LEVELS; level++) {
      for (const table of manifest?.version.files(level) ?? []) named.set(table.number, table);
    }
    const present = new Set(this.#tableNumbers);
    const wanted = manifest === undefined ? this.#tableNumbers : [...named.keys()];
    const sound = new Map<number, TableMeta>();
    for (const number of wanted) {
      const name = tableName(number);
      const path = join(this.#directory, name);
      let meta = named.get(number);
      try {
        if (!present.has(number))
          throw new VarveError("CORRUPTION", `${path} at 0: the file is missing`);
        meta ??= await readTableMeta(this.#fs, path, number);
        await verifyTable(this.#fs, this.#directory, meta);
        sound.set(number, meta);
      } catch (error) {
        if (!(error instanceof VarveError)) throw error;
        const keys = meta === undefined ? {} : { smallest: meta.smallest, largest: meta.largest };
        this.#lost.push({ file: path, message: error.message, ...keys });
        if (present.has(number)) this.#unsound.push(name);
      }
    }
    return sound;
  }

  /** Puts the whole records of the log into memtables; sequences up to `flushed` are in tables. */
  async #replay(
    memtables: MemtableSet,
    floor: number,
    flushed: number,
  ): Promise<{ operations: number; lastSequence: number }> {
    let operations = 0;
    let lastSequence = 0;
    for (const number of this.#logNumbers.filter((one) => one >= floor)) {
      const name = logName(number);
      const path = join(this.#directory, name);
      const { records, gaps } = await salvageSegment(this.#fs, path, number);
      for (const { start, end } of gaps) {
        const message = `${path} at ${start}: ${end - start} bytes of records were lost`;
        this.#lost.push({ file: path, message });
      }
      if (gaps.length > 0) this.#unsound.push(name);
      for (const record of records) {
        if (record.kind !== RECORD_KIND.GROUP) continue;
        const where = () => path;
        const group = new CommitGroupReader(record.bytes, record.payloadStart, record.end, where);
        if (group.operations === 0 || group.lastSequence <= Math.max(flushed, lastSequence))
          continue;
        loadGroup(memtables, group);
        if (!isIngest(record.bytes, record.payloadStart)) operations += group.operations;
        lastSequence = group.lastSequence;
      }
    }
    return { operations, lastSequence };
  }

  /** The version with the memtables as tables of level 0. */
  #addLog(version: Version, memtables: MemtableSet): Version {
    const outputs = this.#outputs();
    for (const memtable of memtables.memtables) {
      const input = new SortedCursor(memtable.handle);
      const ranges = memtable.ranges ?? new RangeTombstones();
      outputs.setRanges(ranges.fragments, memtable.oldestMs);
      foldAll(input, outputs, ranges, { hasDeeper: true, tableBytesMax: Infinity });
      outputs.end();
    }
    const added = outputs.finish().map((table) => ({ level: 0, table }));
    return version.apply({ added, removed: [] });
  }

  /** One sorted run of the newest version of every key, in the last level. */
  #mergeAll(tables: readonly TableMeta[], memtables: MemtableSet): Version {
    const runs = disjointRuns(tables).map(
      (run) => new InputRun(this.#fs.sync, this.#directory, run),
    );
    const outputs = this.#outputs();
    const merged = mergeCursors([
      ...memtables.memtables.map((memtable) => new SortedCursor(memtable.handle)),
      ...runs.map((run) => new RunCursor(run)),
    ]);
    // With all tables in one run the ranges have done what they were for, and go.
    const { tableBytes: tableBytesMax } = DEFAULT_SETTINGS;
    const ranges = this.#rangesOf(tables, memtables);
    foldAll(merged, outputs, ranges, { hasDeeper: false, tableBytesMax });
    for (const run of runs) run.close();
    const added = outputs.finish().map((table) => ({ level: LAST_LEVEL, table }));
    return Version.EMPTY.apply({ added, removed: [] });
  }

  #rangesOf(tables: readonly TableMeta[], memtables: MemtableSet): RangeTombstones {
    const all = new RangeTombstones();
    for (const { ranges } of memtables.memtables) if (ranges !== undefined) all.addAll(ranges);
    for (const table of tables) {
      if (table.rangeDeletes > 0) all.addAll(readRanges(this.#fs.sync, this.#directory, table));
    }
    return all;
  }

  #outputs(): Outputs {
    const { blockBytes, tableBytes, filterErrorRate } = DEFAULT_SETTINGS;
    return new Outputs(this.#fs.sync, {
      directory: this.#directory,
      blockBytes,
      tableBytes,
      filterErrorRate,
      codec: codecOf(DEFAULT_SETTINGS, 1),
      createdAtMs: Date.now(),
      numbers: this.#numbers.shared,
    });
  }

  /** Names the version in a new manifest, then puts aside what is not sound and removes the replayed log. */
  async #publish(version: Version, replayedTo: number): Promise<void> {
    const fs = this.#fs;
    let lastSequence = replayedTo;
    for (let level = 0; level < LEVELS; level++) {
      for (const table of version.files(level)) {
        lastSequence = Math.max(lastSequence, table.largestSequence);
      }
    }
    const gone = version.past.after({ to: lastSequence, keyspaces: [] }, () => false);
    const manifest = await Manifest.create(
      {
        fs,
        directory: this.#directory,
        allocateNumber: () => this.#numbers.allocate(),
        bytesMax: DEFAULT_SETTINGS.manifestBytes,
      },
      // What was lost of the past is not known, of whatever keyspace.
      {
        version: version.apply({ added: [], removed: [], ...gone.changesSince(version.past) }),
        logFloor: 0,
        lastSequence,
      },
    );
    await manifest.close();
    const lost = join(this.#directory, LOST_NAME);
    if (this.#unsound.length > 0) await fs.makeDirectory(lost);
    for (const name of this.#unsound) {
      await fs.rename(join(this.#directory, name), join(lost, name));
    }
    for (const number of this.#logNumbers) {
      const name = logName(number);
      if (!this.#unsound.includes(name)) await fs.remove(join(this.#directory, name));
    }
    if (this.#unsound.length > 0) await fs.syncDirectory(lost);
    await fs.syncDirectory(this.#directory);
  }
}

/** The tables as few runs, each in key order and without overlaps: of a run one table is open at a time. */
function disjointRuns(tables: readonly TableMeta[]): TableMeta[][] {
  const runs: TableMeta[][] = [];
  for (const table of tables.toSorted((a, b) => compareBytes(a.smallest, b.smallest))) {
    const fits = runs.find((run) => compareBytes(run.at(-1)!.largest, table.smallest) < 0);
    if (fits === undefined) runs.push([table]);
    else fits.push(table);
  }
  return runs;
}

function withoutUnsound(version: Version, sound: ReadonlyMap<number, TableMeta>): Version {
  const removed: { level: number; number: number }[] = [];
  for (let level = 0; level < LEVELS; level++) {
    for (const { number } of version.files(level)) {
      if (!sound.has(number)) removed.push({ level, number });
    }
  }
  return version.apply({ added: [], removed });
}

/** Writes of every key the newest version, which stands for those that it hides. */
function foldAll(
  input: EntryCursor,
  outputs: Outputs,
  ranges: RangeTombstones,
  { hasDeeper, tableBytesMax }: { hasDeeper: boolean; tableBytesMax: number },
): void {
  // All versions that there are of a key come by, so none is newer.
  const times = { nowMs: Date.now(), newerFromMs: Number.POSITIVE_INFINITY };
  const stripes = new Stripes([]);
  const fold = new VersionFold(stripes, times);
  const retention = new RangeRetention(ranges, stripes);
  let key = new Uint8Array();
  const endKey = () => {
    if (fold.end(() => hasDeeper)) outputs.add(key, key.length, fold);
    if (outputs.tableBytes >= tableBytesMax) outputs.cut();
  };
  for (input.first(); ; input.next()) {
    while (input.state === CURSOR.BLOCKED) input.loadSync();
    if (input.state === CURSOR.END) break;
    const next = input.key.subarray(input.keyStart, input.keyEnd);
    if (compareBytes(key, next) !== 0) {
      endKey();
      key = new Uint8Array(next);
    }
    const sequence = sequenceOf(input.trailerLow, input.trailerHigh);
    if (retention.hides(key, key.length, sequence)) fold.skip(sequence);
    else fold.add(input);
  }
  endKey();
}
