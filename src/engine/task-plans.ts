/** What background work is told when it begins: its inputs, how it writes, and what is to be kept, as of this moment. */
import type { Horizons } from "../compaction/horizons.ts";
import { type CompactionPlan, rangeOf } from "../compaction/picker.ts";
import { codecOfLevel, LAST_LEVEL, levelTargets, levelTargetsOver } from "../compaction/targets.ts";
import type { CompactTask, FlushTask, OutputSettings } from "../compaction/tasks.ts";
import type { Clock } from "../fs/clock.ts";
import type { Memtable } from "../memtable/memtable.ts";
import { codecOf, type Settings } from "../options.ts";
import type { KeyspaceCodecList } from "../table/keyspace-codecs.ts";
import type { FileNumbers } from "./file-numbers.ts";
import { newerFromMs } from "./plan-outcome.ts";
import type { SnapshotList } from "./snapshot-list.ts";
import type { Tree } from "./tree.ts";

/** How far back the past is to be kept. */
export interface RetainedPast {
  /** Above them, all versions are kept. */
  horizons(): Horizons;
  /** When to look again whether they have moved; `undefined` where they do not. */
  stepMs(): number | undefined;
  /** Keyspaces that are not are never read again, nor was there one. */
  isThere(keyspace: number): boolean;
}

export interface TaskPlansOptions {
  readonly settings: Settings;
  readonly directory: string;
  readonly clock: Clock;
  readonly tree: Tree;
  readonly numbers: FileNumbers;
  readonly snapshots: SnapshotList;
  readonly past: RetainedPast;
  readonly keyspaceCodecs: () => KeyspaceCodecList;
}

export class TaskPlans {
  readonly #options: TaskPlansOptions;
  readonly #cancel: SharedArrayBuffer;

  constructor(options: TaskPlansOptions, cancel: SharedArrayBuffer) {
    this.#options = options;
    this.#cancel = cancel;
  }

  /** Of memtables, oldest first. */
  flush(memtables: readonly Memtable[], progress: SharedArrayBuffer): FlushTask {
    return {
      kind: "flush",
      memtables: memtables.map(({ handle }) => handle).reverse(),
      ...this.#taskBase(codecOf(this.#options.settings, 0), progress),
    };
  }

  compact(plan: CompactionPlan, ingestSinceMs: number, progress: SharedArrayBuffer): CompactTask {
    const { tree, settings } = this.#options;
    const { version } = tree;
    const { smallest, largest } = rangeOf(plan.inputs.flatMap(({ tables }) => tables));
    const deeper: CompactTask["deeper"][number][] = [];
    for (let level = plan.outputLevel + 1; level <= LAST_LEVEL; level++) {
      deeper.push(version.overlapping(level, smallest, largest));
    }
    const codec = codecOfLevel(plan.outputLevel, levelTargets(version, settings), settings);
    return {
      kind: "compact",
      runs: plan.inputs.flatMap(({ level, tables }) =>
        level === 0 ? tables.map((table) => [table]) : [tables],
      ),
      deeper,
      outputLevel: plan.outputLevel,
      newerFromMs: newerFromMs(tree, plan, smallest, largest, ingestSinceMs),
      ...this.#taskBase(codec, progress),
    };
  }

  /** How tables of an ingest are written, about so many bytes of which were before. */
  ingestOutput(ingestedBytes: number): OutputSettings {
    const { tree, settings, past } = this.#options;
    const { bytes } = tree.version.totals(LAST_LEVEL);
    const targets = levelTargetsOver(bytes + ingestedBytes, settings);
    return this.#output(codecOfLevel(LAST_LEVEL, targets, settings), past.horizons());
  }

  #output(codec: OutputSettings["codec"], horizons: Horizons): OutputSettings {
    const { settings, directory, clock, numbers } = this.#options;
    const { blockBytes, tableBytes, filterErrorRate } = settings;
    const sizes = { blockBytes, tableBytes, filterErrorRate };
    const codecs = { codec, keyspaceCodecs: this.#options.keyspaceCodecs() };
    const retainingKeyspaces = horizons.own.map(([id]) => id);
    const createdAtMs = clock.now();
    return {
      directory,
      ...sizes,
      ...codecs,
      retainingKeyspaces,
      createdAtMs,
      numbers: numbers.shared,
    };
  }

  #taskBase(
    codec: OutputSettings["codec"],
    progress: SharedArrayBuffer,
  ): Omit<FlushTask, "kind" | "memtables"> {
    const { clock, snapshots, past } = this.#options;
    const horizons = past.horizons();
    return {
      output: this.#output(codec, horizons),
      snapshots: snapshots.sequences(),
      horizon: horizons.rest,
      keyspaceHorizons: horizons.own,
      nowMs: clock.now(),
      cancel: this.#cancel,
      progress,
    };
  }
}
