/**
 * About what each keyspace takes in tables. One that a table shares with others counts from the block where it begins
 * to the one where the next does, as the table's index has it: none is read.
 *
 * Source of the idea: LevelDB's `GetApproximateSizes`.
 */
import { compareBytes } from "../bytes/compare.ts";
import { LEVELS } from "../options.ts";
import { keyspaceEnd, keyspaceOf, keyspaceStart, NO_KEYSPACE, SYSTEM_KEYSPACE } from "../store.ts";
import type { BlockIndex } from "../table/block-index.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { Tree } from "./tree.ts";

/** Bytes by id, of the ids that are given in ascending order. Small shared parts may count as nothing. */
export async function keyspaceBytes(
  { views, tables }: Tree,
  ids: readonly number[],
): Promise<Map<number, number>> {
  const bytes = new Map<number, number>();
  const add = (id: number, more: number) => bytes.set(id, (bytes.get(id) ?? 0) + more);
  const view = views.pin();
  try {
    for (let level = 0; level < LEVELS; level++) {
      for (const meta of view.version.files(level)) {
        const only = onlyKeyspace(meta);
        if (only !== undefined) {
          add(only, meta.fileBytes);
          continue;
        }
        const within = idsWithin(meta, ids);
        if (within.length === 0) continue;
        const open = await tables.acquire(meta);
        const { index } = open.table;
        for (const id of within)
          add(id, offsetOf(index, keyspaceEnd(id)) - offsetOf(index, keyspaceStart(id)));
        open.release();
      }
    }
  } finally {
    views.unpin(view);
  }
  return bytes;
}

/** The keyspace that has the whole table. */
function onlyKeyspace({ smallest, largest }: TableMeta): number | undefined {
  const id = keyspaceOf(smallest);
  return id === keyspaceOf(largest) ? id : undefined;
}

function idsWithin({ smallest, largest }: TableMeta, ids: readonly number[]): readonly number[] {
  const first = keyspaceOf(smallest) ?? SYSTEM_KEYSPACE;
  if (first === NO_KEYSPACE) return [];
  const from = ids.findIndex((id) => id >= first);
  const end =
    from === -1 ? -1 : ids.findIndex((id) => compareBytes(keyspaceStart(id), largest) > 0);
  return from === -1 ? [] : ids.slice(from, end === -1 ? undefined : end);
}

function offsetOf(index: BlockIndex, key: Uint8Array | undefined): number {
  const block = key === undefined ? index.length : index.find(key);
  if (block < index.length) return index.offset(block);
  return index.length === 0
    ? 0
    : index.offset(index.length - 1) + index.storedBytes(index.length - 1);
}
