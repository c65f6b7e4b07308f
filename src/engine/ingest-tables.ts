/**
 * The tables of one ingest, from its first pair on: pairs are gathered in memory that workers share, a table's worth at
 * a time, and workers write the tables while others are gathered. Nobody else knows of the tables before they are
 * installed.
 *
 * Invariant: no more than `RUNS_MAX` runs are in memory, whatever comes.
 */
import { compareBytes } from "../bytes/compare.ts";
import { EntryRunWriter } from "../compaction/entry-run.ts";
import { VarveError } from "../errors.ts";
import { FLAG, KIND } from "../key.ts";
import type { Settings } from "../options.ts";
import { type KeyMapping, keyspaceOf, type Pair, type PairSink } from "../store.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { Maintenance } from "./maintenance.ts";
import type { TableFiles } from "./table-files.ts";
import type { TrackedTask } from "./task-list.ts";
import { checkKey, checkValue, expiryOf, type Limits } from "./validate.ts";
import { assertKeyspace } from "./validate-keyspace.ts";

/** One is gathered, one waits, one is written, and one is on its way to the disk. */
const RUNS_MAX = 4;
const RUN_BYTES_MIN = 4 * 1024;
const RUN_BYTES_MAX = 16 * 1024 * 1024;

export interface IngestTablesOptions {
  /** Is told of the bytes that come, and of those that are in tables. */
  readonly running: TrackedTask;
  readonly settings: Settings;
  readonly limits: Limits;
  readonly keys: KeyMapping;
  readonly maintenance: Pick<Maintenance, "writeIngested">;
  readonly files: Pick<TableFiles, "remove" | "syncNames">;
  /** Throws where the disk is too full to go on. */
  readonly assertSpace: () => void;
  readonly sequence: number;
  readonly timeMs: number;
  /** Of all entries; where it is left open, as their keyspace has it. */
  readonly expiresAtMs: number | undefined;
}

export class IngestTables implements PairSink {
  /** Of all entries. */
  sequence: number;
  readonly #options: IngestTablesOptions;
  readonly #runBytes: number;
  readonly #cancel = new SharedArrayBuffer(4);
  /** Of each run, in order, the tables that were made of it. */
  #tables: (readonly TableMeta[])[] = [];
  #run: EntryRunWriter | undefined;
  readonly #spare: EntryRunWriter[] = [];
  readonly #writing = new Set<Promise<void>>();
  /** Of all runs, with those that wait to be used again. */
  memoryBytes = 0;
  #failure: unknown;
  #pairs = 0;
  #bytes = 0;
  /** Of the run that was handed over last. */
  #lastKey = new Uint8Array();
  #firstKey: Uint8Array | undefined;
  #keyspace: number | undefined;
  #expiresAtMs: number | undefined;
  /** For the pair that was not taken. */
  #bytesWanted = 0;

  constructor(options: IngestTablesOptions) {
    this.#options = options;
    this.sequence = options.sequence;
    this.#runBytes = Math.min(Math.max(options.settings.tableBytes, RUN_BYTES_MIN), RUN_BYTES_MAX);
  }

  take(pair: Pair): boolean {
    const [key, value] = this.#checked(pair);
    const run = this.#run;
    const order =
      run === undefined || run.usedBytes === 0
        ? compareBytes(key, this.#lastKey)
        : run.compareToLast(key);
    if (order <= 0) {
      const message = `pair ${this.#pairs} is not in order: its key does not come after the one before`;
      throw new VarveError("INVALID_ARGUMENT", message);
    }
    if (run === undefined || !run.add(key, value, this.#expiresAtMs)) {
      this.#bytesWanted = EntryRunWriter.bytesFor(key, value);
      return false;
    }
    this.#pairs++;
    return true;
  }

  async makeRoom(): Promise<void> {
    this.#handOver();
    while (this.#writing.size >= RUNS_MAX - 1) await Promise.race(this.#writing);
    this.#assertSound();
    this.#options.assertSpace();
    this.#run = this.#takeRun();
  }

  /** All tables, in key order, on the disk with their names. Rejects with what one of them failed with. */
  async finish(): Promise<readonly TableMeta[]> {
    this.#handOver();
    await Promise.all(this.#writing);
    this.#spare.length = 0;
    this.memoryBytes = 0;
    this.#assertSound();
    if (this.#tables.length > 0) await this.#options.files.syncNames();
    return this.#tables.flat();
  }

  /** Writes the tables once more, with another sequence, since theirs was overtaken. */
  async restamp(sequence: number): Promise<readonly TableMeta[]> {
    const { maintenance, files } = this.#options;
    const before = this.#tables;
    this.sequence = sequence;
    for (const table of before.flat()) {
      const task = { kind: "restamp", table, sequence, cancel: this.#cancel } as const;
      this.#tables = [...this.#tables, await maintenance.writeIngested(task, this.#bytes)];
    }
    await files.syncNames();
    this.#tables = this.#tables.slice(before.length);
    files.remove(before.flat());
    return this.#tables.flat();
  }

  /** Ends what is being written, and removes the files. */
  async remove(): Promise<void> {
    Atomics.store(new Int32Array(this.#cancel), 0, 1);
    await Promise.all(this.#writing);
    this.#options.files.remove(this.#tables.flat());
    this.#tables = [];
  }

  get running(): TrackedTask {
    return this.#options.running;
  }

  get expires(): boolean {
    return this.#expiresAtMs !== undefined;
  }

  /** Throws `NO_SUCH_KEYSPACE` where that of the entries was dropped meanwhile. */
  assertKeyspace(): void {
    const { limits } = this.#options;
    if (this.#firstKey !== undefined) assertKeyspace(this.#firstKey, limits.keyspaces);
  }

  #checked(pair: Pair): readonly [Uint8Array, Uint8Array] {
    if (!Array.isArray(pair) || pair.length !== 2) {
      const message = `pair ${this.#pairs} is not an array of a key and a value`;
      throw new VarveError("INVALID_ARGUMENT", message);
    }
    try {
      const { limits, keys } = this.#options;
      const key = checkKey(keys.toStored(pair[0]), limits);
      if (this.#firstKey === undefined) this.#begin(key);
      else if (key[0] === 0 || this.#firstKey[0] === 0) this.#assertSameKeyspace(key);
      return [key, checkValue(pair[1], limits)];
    } catch (error) {
      if (!(error instanceof VarveError)) throw error;
      throw new VarveError(error.code, `pair ${this.#pairs}: ${error.message}`);
    }
  }

  #begin(key: Uint8Array): void {
    const { limits, expiresAtMs, timeMs } = this.#options;
    this.#firstKey = new Uint8Array(key);
    this.#keyspace = keyspaceOf(key);
    this.#expiresAtMs = expiresAtMs ?? expiryOf(key, undefined, limits, timeMs);
  }

  #assertSameKeyspace(key: Uint8Array): void {
    if (keyspaceOf(key) === this.#keyspace) return;
    throw new VarveError("INVALID_ARGUMENT", "it is of another keyspace than the first");
  }

  #handOver(): void {
    const run = this.#run;
    if (run === undefined || run.usedBytes === 0) return;
    this.#run = undefined;
    this.#lastKey = new Uint8Array(run.lastKey);
    const runBytes = run.usedBytes;
    this.#bytes += runBytes;
    this.running.bytesTotal += runBytes;
    const { maintenance, timeMs } = this.#options;
    const place = this.#tables.push([]) - 1;
    const task = {
      kind: "ingest",
      run: run.memory,
      runBytes,
      entryKind: this.expires ? KIND.PUT | FLAG.EXPIRES : KIND.PUT,
      timeMs,
      sequence: this.sequence,
      cancel: this.#cancel,
    } as const;
    const writing = maintenance
      .writeIngested(task, this.#bytes)
      .then(
        (tables) => {
          this.#tables[place] = tables;
          this.running.bytesDone += runBytes;
        },
        (error: unknown) => {
          this.#failure ??= error;
        },
      )
      .then(() => {
        this.#writing.delete(writing);
        run.reset();
        if (run.memory.byteLength === this.#runBytes) this.#spare.push(run);
        else this.memoryBytes -= run.memory.byteLength;
      });
    this.#writing.add(writing);
  }

  /** A run with room for the pair that was not taken. */
  #takeRun(): EntryRunWriter {
    const isUsual = this.#bytesWanted <= this.#runBytes;
    const spare = isUsual ? this.#spare.pop() : undefined;
    if (spare !== undefined) return spare;
    const bytes = isUsual ? this.#runBytes : this.#bytesWanted;
    this.memoryBytes += bytes;
    return new EntryRunWriter(new SharedArrayBuffer(bytes));
  }

  #assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
