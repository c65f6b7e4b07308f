/** The tree as it lies there, for whoever draws it: tables by level, memtables, and what the background does to them. */
import { levelTargets } from "../compaction/targets.ts";
import { LEVELS } from "../options.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { Engine } from "./engine.ts";
import type { FinishedTask, RunningTask } from "./task-list.ts";

/** A table; `smallest` and `largest` are stored keys (`protocol/keyspace-keys.ts`) and must not be changed. */
export type LayoutTable = Pick<
  TableMeta,
  "number" | "fileBytes" | "entries" | "tombstones" | "smallest" | "largest"
>;

export interface LevelLayout {
  readonly level: number;
  readonly bytes: number;
  /** How large it should be at most; `null` for level 0, which is full by the number of its tables. */
  readonly targetBytes: number | null;
  /** By key, without overlap; in level 0 newest first. */
  readonly tables: readonly LayoutTable[];
}

export interface TreeLayout {
  /** Grows with every edit since the open: the levels of two layouts of one number are the same. */
  readonly edits: number;
  readonly levels: readonly LevelLayout[];
  readonly memtables: {
    readonly active: {
      readonly entries: number;
      readonly bytes: number;
      /** Of its memory; it is full a little before. */
      readonly capacity: number;
    };
    /** Full ones that wait for flush. */
    readonly waiting: number;
  };
  readonly running: readonly RunningTask[];
  /** The last 20 that are done, oldest first. */
  readonly recent: readonly FinishedTask[];
  /** By which stored keys get their names. */
  readonly keyspaces: readonly { readonly id: number; readonly name: string }[];
}

/** Of one moment. Costs little for any number of tables: they are not copied. */
export function layoutOf({ tree, maintenance, settings, keyspaces }: Engine): TreeLayout {
  const { version, memtables } = tree;
  const { active } = memtables;
  const targets = levelTargets(version, settings);
  return {
    edits: tree.edits,
    levels: Array.from({ length: LEVELS }, (_, level) => ({
      level,
      bytes: version.totals(level).bytes,
      targetBytes: level === 0 ? null : (targets.bytes[level] ?? 0),
      tables: version.files(level),
    })),
    memtables: {
      active: { entries: active.entries, bytes: active.usedBytes, capacity: active.arenaBytes },
      waiting: memtables.waiting,
    },
    running: maintenance.tasks.running(),
    recent: maintenance.tasks.recent(),
    keyspaces: keyspaces.list().map(({ id, name }) => ({ id, name })),
  };
}
