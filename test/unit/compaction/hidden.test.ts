/** What is hidden in a table: counted when it is written, picked when no reader sees it, and gone after that. */
import { describe, expect, test } from "vitest";
import { isMuchHidden, waitsForPast } from "../../../src/compaction/hidden.ts";
import { Horizons } from "../../../src/compaction/horizons.ts";
import { pickCompaction } from "../../../src/compaction/picker.ts";
import { LAST_LEVEL } from "../../../src/compaction/targets.ts";
import { KIND } from "../../../src/key.ts";
import { encodeOperand } from "../../../src/merge-operators.ts";
import { resolveSettings } from "../../../src/options.ts";
import { KeyMapping, keyspaceOf, MERGE_OPERATORS } from "../../../src/store.ts";
import type { TableMeta } from "../../../src/table/table-meta.ts";
import { Version } from "../../../src/version/version.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { type ModelEntry, sortEntries } from "../../support/model-entries.ts";
import { Random, seeds } from "../../support/random.ts";
import { writeTable } from "../../support/table-fixture.ts";
import { tableOf } from "../../support/table-metas.ts";
import { compactTask, entriesOf, runWhole } from "../../support/task-fixture.ts";

const entryOf = (
  key: string,
  sequence: number,
  kind: number,
  value: Uint8Array = new Uint8Array(),
): ModelEntry => ({ key: Buffer.from(key), sequence, kind, timeMs: sequence, value });

/** Versions of few keys, operands of several operators among them. */
function versions(random: Random): ModelEntry[] {
  const keys = 1 + random.below(12);
  const entries = Array.from({ length: 1 + random.below(60) }, (_, i) => {
    const key = `key ${random.below(keys)}`;
    if (random.chance(20)) return entryOf(key, i + 1, KIND.DELETE);
    if (random.chance(50)) return entryOf(key, i + 1, KIND.PUT, random.bytes(random.below(9)));
    const operand = encodeOperand(random.pick(MERGE_OPERATORS), random.bytes(8));
    return entryOf(key, i + 1, KIND.MERGE, operand);
  });
  return sortEntries(entries);
}

/** What is left where everything up to `horizon` is over, and snapshots from there on may be open. */
function compacted(
  entries: readonly ModelEntry[],
  horizon: number,
  snapshots: readonly number[] = [],
): { table: TableMeta; left: ModelEntry[] } {
  const fs = new MemoryFileSystem();
  const table = writeTable(fs, entries, { number: 1 });
  const task = compactTask([[table]], { outputLevel: LAST_LEVEL, horizon, snapshots });
  const { added } = runWhole(task, fs.sync).result;
  return { table, left: added.flatMap((one) => entriesOf(fs, one)) };
}

test.each(seeds(300))(
  "a table that is due loses a quarter, and more each time that it is due again (seed %i)",
  (seed) => {
    const random = new Random(seed);
    let entries = versions(random);
    const { table, left } = compacted(entries, Number.POSITIVE_INFINITY);
    expect(left.length).toBeLessThanOrEqual(table.entries - table.hidden);
    expect(table.quarterHiddenAt > 0).toBe(table.hidden >= table.entries / 4);

    const horizon = random.below(70);
    const snapshots = random.chance(50) ? [horizon, horizon + 3] : [];
    // Again, as what an operand is folded into may make the one above it fit.
    while (entries.length > 0) {
      const after = compacted(entries, horizon, snapshots);
      if (!isMuchHidden(after.table, horizon)) return;
      expect(after.left.length).toBeLessThanOrEqual(entries.length * 0.75);
      entries = after.left;
    }
  },
);

/** Versions of few keys in several keyspaces. */
function keyspaceVersions(random: Random): ModelEntry[] {
  const entries = Array.from({ length: 1 + random.below(150) }, (_, i) => {
    const id = random.pick([0, 1, 2, 3, 5]);
    const key = `key ${random.below(5)}`;
    const stored = id === 0 ? key : KeyMapping.of(id).toStored(Buffer.from(key));
    const kind = random.chance(20) ? KIND.DELETE : KIND.PUT;
    return { ...entryOf(key, i + 1, kind), key: Buffer.from(stored) };
  });
  return sortEntries(entries);
}

test.each(seeds(300))(
  "a table of keyspaces that retain differently is due when a quarter goes, and not before (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const entries = keyspaceVersions(random);
    const fs = new MemoryFileSystem();
    const ids = [1, 2, 3, 5].filter(() => random.chance(60));
    // Of those that have a horizon of their own by now, some had none when the table was written, and the other way round.
    const retainingKeyspaces = random.chance(70) ? ids : ids.filter(() => random.chance(50));
    const table = writeTable(fs, entries, { number: 1, retainingKeyspaces });
    const later = random.chance(70) ? ids : [2, 5];
    const own = later.map((id) => [id, random.below(160)] as const);
    const rest = random.chance(50) ? random.below(160) : Number.POSITIVE_INFINITY;
    const snapshot = random.chance(30) ? random.below(160) : Number.POSITIVE_INFINITY;
    const task = compactTask([[table]], {
      outputLevel: LAST_LEVEL,
      horizon: rest,
      keyspaceHorizons: own,
      snapshots: snapshot === Number.POSITIVE_INFINITY ? [] : [snapshot],
    });
    const { added, prunedKeyspaces, isPruned } = runWhole(task, fs.sync).result;
    const left = added.flatMap((one) => entriesOf(fs, one));
    const isDue = isMuchHidden(table, snapshot, new Horizons(rest, own));
    if (isDue) expect(left.length).toBeLessThanOrEqual(entries.length * 0.75);
    const horizons = new Map<number, number>(own);
    const seen = entries.filter((one, i) => {
      const newer = entries[i - 1];
      const horizon = Math.min(snapshot, horizons.get(keyspaceOf(one.key) as number) ?? rest);
      return newer?.key.toString() === one.key.toString() && newer.sequence <= horizon;
    });
    // It is told in steps, of each keyspace that was known when the table was written.
    const steps = 5 * Math.ceil(entries.length / 32);
    const isKnown = retainingKeyspaces === later;
    if (isKnown && seen.length - steps >= entries.length / 4) expect(isDue).toBe(true);
    const idOf = ({ key }: ModelEntry) => keyspaceOf(key) as number;
    const group = (entry: ModelEntry) => (later.includes(idOf(entry)) ? idOf(entry) : 0);
    const counts = (some: readonly ModelEntry[]) => Map.groupBy(some, group);
    const [before, after] = [counts(entries), counts(left)];
    const lost = [...before.keys()].filter(
      (id) => (after.get(id)?.length ?? 0) < before.get(id)!.length,
    );
    expect([...prunedKeyspaces, ...(isPruned ? [0] : [])].toSorted()).toEqual(lost.toSorted());
  },
);

test("without older versions nothing is hidden", () => {
  const fs = new MemoryFileSystem();
  const table = writeTable(fs, [entryOf("a", 3, KIND.PUT), entryOf("b", 1, KIND.DELETE)]);
  expect(table).toMatchObject({ hidden: 0, quarterHiddenAt: 0 });
});

describe("the picker", () => {
  const settings = resolveSettings({ levelBytes: 1024, levelMultiplier: 2 });
  const table = tableOf(1, "a", "z", { hidden: 5, quarterHiddenAt: 40, largestSequence: 90 });
  const big = { level: LAST_LEVEL, table: tableOf(2, "zz", "zzz", { fileBytes: 2 ** 20 }) };

  test.each([3, LAST_LEVEL])("takes what no reader needs, from level %i", (level) => {
    const version = Version.EMPTY.apply({ added: [{ level, table }, big], removed: [] });
    const pick = (oldestSnapshot: number, busy: number[] = []) =>
      pickCompaction(version, settings, {
        busy: new Set(busy),
        oldestSnapshot,
        horizons: Horizons.NONE,
        nowMs: 0,
      });
    expect(pick(39)).toBeUndefined();
    expect(pick(40, [1])).toBeUndefined();
    expect(pick(40)).toEqual({
      reason: "hidden",
      inputs: [{ level, tables: [table] }],
      outputLevel: Math.min(level + 1, LAST_LEVEL),
      isMove: false,
    });
    expect(waitsForPast(version)).toBe(true);
  });

  test("leaves a table alone of which less than a quarter is hidden", () => {
    const some = tableOf(1, "a", "z", { hidden: 2 });
    const version = Version.EMPTY.apply({ added: [{ level: 3, table: some }, big], removed: [] });
    const state = {
      busy: new Set<number>(),
      oldestSnapshot: 1000,
      horizons: Horizons.NONE,
      nowMs: 0,
    };
    expect(pickCompaction(version, settings, state)).toBeUndefined();
  });

  test("waits for nothing where nothing is kept for the past", () => {
    const version = Version.EMPTY.apply({ added: [big], removed: [] });
    expect(waitsForPast(version)).toBe(false);
  });
});
