/** Databases from before there were keyspaces: their keys are read as they are, but for what those mean now. */

import { CURSOR } from "../entry-cursor.ts";
import { VarveError } from "../errors.ts";
import { MemtableCursor } from "../memtable/memtable-cursor.ts";
import { LEVELS } from "../options.ts";
import type { Version } from "../version/version.ts";
import type { MemtableSet } from "./memtable-set.ts";

const FIRST_FORMAT_WITH_KEYSPACES = 2;

/** Throws `UNSUPPORTED_FORMAT` where such a database has keys that begin with a zero byte. */
export async function assertNoOldZeroKeys(
  format: number,
  version: Version,
  memtables: MemtableSet,
): Promise<void> {
  if (format >= FIRST_FORMAT_WITH_KEYSPACES) return;
  const levels = Array.from({ length: LEVELS }, (_, level) => version.files(level));
  const isInTables = levels.some((files) => files.some(({ smallest }) => smallest[0] === 0));
  if (!isInTables && !(await isInMemtables(memtables))) return;
  const message =
    "the database was written before there were keyspaces, and has keys that begin with a zero byte; copy it with the version that wrote it";
  throw new VarveError("UNSUPPORTED_FORMAT", message);
}

async function isInMemtables({ memtables }: MemtableSet): Promise<boolean> {
  for (const memtable of memtables) {
    const cursor = new MemtableCursor(memtable);
    cursor.first();
    while (cursor.state === CURSOR.BLOCKED) await cursor.load();
    if (cursor.state === CURSOR.VALID && cursor.key[cursor.keyStart] === 0) return true;
  }
  return false;
}
