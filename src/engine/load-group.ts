/** Puts the commit groups of a log into memtables. */
import { KIND, trailerHigh, trailerLow } from "../key.ts";
import type { CommitGroupReader } from "../log/commit-group.ts";
import type { Memtable } from "../memtable/memtable.ts";
import type { MemtableSet } from "./memtable-set.ts";

/** Takes the group's operations. Returns the memtable that was full before them, if one was. */
export function loadGroup(memtables: MemtableSet, group: CommitGroupReader): Memtable | undefined {
  const { operations, payloadBytes, bytes } = group;
  const hasRoom = memtables.hasRoom(operations, payloadBytes);
  const full = hasRoom ? undefined : memtables.rotate(operations, payloadBytes);
  const memtable = memtables.active;
  while (group.next()) {
    // The manifest says what has become of it.
    if (group.kind === KIND.INGEST) continue;
    if (group.kind === KIND.RANGE_DELETE) {
      const start = bytes.subarray(group.keyStart, group.keyEnd);
      const end = bytes.subarray(group.valueStart, group.valueEnd);
      memtable.deleteRange(start, end, group.sequence, group.committedAtMs);
      continue;
    }
    memtable.insert(
      bytes,
      group.keyStart,
      group.keyEnd,
      trailerLow(group.sequence, group.kind),
      trailerHigh(group.sequence),
      group.committedAtMs,
      bytes,
      group.valueStart,
      group.valueEnd,
    );
  }
  return full;
}
