/**
 * Plays flushes and compactions on a version with no files: each table is a map from key to the newest
 * sequence in it. Several compactions may be under way, and end in any order.
 */
import { Horizons } from "../../src/compaction/horizons.ts";
import { type CompactionPlan, pickCompaction, pickRange } from "../../src/compaction/picker.ts";
import { resolveSettings, type Settings } from "../../src/options.ts";
import type { TableMeta } from "../../src/table/table-meta.ts";
import { Version } from "../../src/version/version.ts";
import type { Random } from "./random.ts";
import { bytesOf, tableOf } from "./table-metas.ts";

const ENTRY_BYTES = 100;

export const simulationKey = (i: number): string => `key${String(i).padStart(3, "0")}`;

export class TreeSimulation {
  version = Version.EMPTY;
  settings: Settings;
  readonly running: CompactionPlan[] = [];
  readonly busy = new Set<number>();
  /** By key, the newest sequence: what a read has to find. */
  readonly newest = new Map<string, number>();
  readonly #contents = new Map<number, ReadonlyMap<string, number>>();
  readonly #random: Random;
  #number = 0;
  #sequence = 0;

  constructor(random: Random, settings: Partial<Settings>) {
    this.#random = random;
    this.settings = resolveSettings(settings);
  }

  /** Another life, with other settings: what was under way is forgotten. */
  reopen(settings: Partial<Settings>): void {
    this.settings = resolveSettings(settings);
    this.running.length = 0;
    this.busy.clear();
  }

  /** A flush of these keys. */
  flush(keys: readonly string[]): void {
    const content = new Map<string, number>();
    for (const key of keys) {
      content.set(key, ++this.#sequence);
      this.newest.set(key, this.#sequence);
    }
    const table = this.#table(content);
    this.version = this.version.apply({ added: [{ level: 0, table }], removed: [] });
  }

  /** Starts what the picker says is due; false where nothing is. */
  startDue(): boolean {
    const state = {
      busy: this.busy,
      oldestSnapshot: Number.POSITIVE_INFINITY,
      horizons: Horizons.NONE,
      nowMs: 0,
    };
    return this.#start(pickCompaction(this.version, this.settings, state));
  }

  /** Starts the next step of bringing a range down; tells what the picker said. */
  startRange(gte?: string, lte?: string): "started" | "wait" | "done" {
    const bound = (key: string | undefined) => (key === undefined ? undefined : bytesOf(key));
    const plan = pickRange(this.version, this.settings, this.busy, bound(gte), bound(lte));
    if (plan === "wait") return "wait";
    return this.#start(plan) ? "started" : "done";
  }

  /** Ends one of the compactions under way and installs what came of it. */
  finishOne(): void {
    // Mostly a young one, so that some take long.
    const oldest = this.#random.chance(15) ? 0 : Math.max(0, this.running.length - 1);
    const [plan] = this.running.splice(oldest, 1);
    if (plan === undefined) return;
    const tables = plan.inputs.flatMap((input) => input.tables);
    const outputs = plan.isMove ? tables : this.#merge(tables);
    this.version = this.version.apply({
      added: outputs.map((table) => ({ level: plan.outputLevel, table })),
      removed: plan.inputs.flatMap(({ level, tables }) =>
        tables.map(({ number }) => ({ level, number })),
      ),
    });
    for (const { number } of tables) this.busy.delete(number);
  }

  /** What a read finds: the sequence in the first table that has the key. */
  find(key: string): number | undefined {
    for (const { number } of this.version.tablesFor(bytesOf(key))) {
      const sequence = this.#contents.get(number)?.get(key);
      if (sequence !== undefined) return sequence;
    }
    return undefined;
  }

  #start(plan: CompactionPlan | undefined): boolean {
    if (plan === undefined) return false;
    for (const { tables } of plan.inputs) {
      for (const { number } of tables) {
        if (this.busy.has(number)) throw new Error(`table ${number} is picked twice`);
        this.busy.add(number);
      }
    }
    this.running.push(plan);
    return true;
  }

  /** The newest of every key, in tables that end anywhere. */
  #merge(tables: readonly TableMeta[]): TableMeta[] {
    const merged = new Map<string, number>();
    for (const { number } of tables) {
      for (const [key, sequence] of this.#contents.get(number) ?? []) {
        merged.set(key, Math.max(sequence, merged.get(key) ?? 0));
      }
    }
    const sorted = [...merged].sort(([a], [b]) => (a < b ? -1 : 1));
    const outputs: TableMeta[] = [];
    while (sorted.length > 0) {
      outputs.push(this.#table(new Map(sorted.splice(0, 1 + this.#random.below(30)))));
    }
    return outputs;
  }

  #table(content: ReadonlyMap<string, number>): TableMeta {
    const number = ++this.#number;
    this.#contents.set(number, content);
    const keys = [...content.keys()].sort();
    const sequences = [...content.values()];
    return tableOf(number, keys[0] ?? "", keys.at(-1) ?? "", {
      fileBytes: content.size * ENTRY_BYTES,
      entries: content.size,
      smallestSequence: Math.min(...sequences),
      largestSequence: Math.max(...sequences),
    });
  }
}
