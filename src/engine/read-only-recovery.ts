/**
 * Replays a log that is only read: nothing is changed, and damage is told instead of thrown. What comes after
 * damage is left out, so that what is read is the database as it was at one moment.
 */
import { join } from "node:path";
import type { FileSystem } from "../fs/file-system.ts";
import { logName } from "../fs/names.ts";
import { CommitGroupReader } from "../log/commit-group.ts";
import { isIngest, previousSequenceOf } from "../log/ingest-operation.ts";
import { salvageSegment } from "../log/log-salvage.ts";
import { RECORD_KIND } from "../log/segment.ts";
import { loadGroup } from "./load-group.ts";
import type { MemtableSet } from "./memtable-set.ts";
import { logNumbers, type RecoveryStats, type ReplayOptions } from "./recovery.ts";

export async function replayReadOnly(
  fs: FileSystem,
  directory: string,
  { names, firstNeeded, lastSequence, ingestedTo = 0 }: ReplayOptions,
  memtables: MemtableSet,
): Promise<{ lastSequence: number; stats: Omit<RecoveryStats, "ms"> }> {
  const stats = { segments: 0, logBytes: 0, operations: 0, tornBytes: 0, damage: [] as string[] };
  let last = lastSequence;
  for (const number of logNumbers(names).sort((a, b) => a - b)) {
    if (number < firstNeeded) continue;
    const path = join(directory, logName(number));
    const { sound, gaps } = await salvageSegment(fs, path, number);
    stats.segments++;
    while (sound.next()) {
      if (sound.kind !== RECORD_KIND.GROUP) continue;
      const at = sound.start;
      const where = () => `${path} at ${at}`;
      const group = new CommitGroupReader(sound.bytes, sound.payloadStart, sound.end, where);
      if (group.lastSequence <= lastSequence) continue;
      if (!follows(group, last, ingestedTo)) {
        stats.damage.push(`${where()}: sequence ${group.firstSequence} comes after ${last}`);
        break;
      }
      if (!isIngest(sound.bytes, sound.payloadStart)) loadGroup(memtables, group);
      last = group.lastSequence;
      stats.operations += group.operations;
      stats.logBytes += group.payloadBytes;
    }
    for (const { start, end } of gaps) {
      stats.damage.push(`${path} at ${start}: ${end - start} bytes are damaged`);
    }
    if (stats.damage.length > 0) break;
  }
  return { lastSequence: Math.max(last, ingestedTo), stats };
}

/** Whether nothing is missing between the sequence `last` and the group. */
function follows(group: CommitGroupReader, last: number, ingestedTo: number): boolean {
  if (group.firstSequence === last + 1) return true;
  // The segment that tells of an ingest may be needed no more.
  if (last < ingestedTo && group.firstSequence === ingestedTo + 1) return true;
  const { bytes, payloadStart } = group;
  return isIngest(bytes, payloadStart) && previousSequenceOf(group) <= last;
}
