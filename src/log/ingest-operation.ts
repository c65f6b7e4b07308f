/**
 * What the log says of an ingest: a commit group of its own, with one operation of kind INGEST. It is there before the
 * manifest names the tables, so it says that the keys of a range may have changed with its sequence, not that they
 * have. The sequence was chosen when the tables were begun, and lies beyond all that was committed meanwhile; so
 * the operation says which one came before it.
 *
 *   key = the smallest key        value = previousSequence u64 | the end of the range, which is not in it
 */
import { KIND } from "../key.ts";
import {
  type CommitGroupReader,
  GROUP_HEADER_BYTES,
  LAST_OF_BATCH,
  OPERATION_HEADER_BYTES,
  readU64,
  writeU64,
} from "./commit-group.ts";

const SEQUENCE_BYTES = 8;

/** The operation's value. */
export function encodeIngest(previousSequence: number, end: Uint8Array): Uint8Array {
  const value = new Uint8Array(SEQUENCE_BYTES + end.length);
  writeU64(value, 0, previousSequence);
  value.set(end, SEQUENCE_BYTES);
  return value;
}

/** Whether the group, whose payload begins at `start`, is an ingest's; looks at `INGEST_HEAD_BYTES` of it. */
export function isIngest(bytes: Uint8Array, start: number): boolean {
  return bytes[start + GROUP_HEADER_BYTES] === (KIND.INGEST | LAST_OF_BATCH);
}

export const INGEST_HEAD_BYTES = GROUP_HEADER_BYTES + OPERATION_HEADER_BYTES;

/** The end of the range, from the operation's value. */
export function ingestEndOf(value: Uint8Array): Uint8Array {
  return value.subarray(SEQUENCE_BYTES);
}

/** The sequence before an ingest's group, which has not been walked yet. */
export function previousSequenceOf(group: CommitGroupReader): number {
  group.next();
  return group.valueEnd - group.valueStart < SEQUENCE_BYTES
    ? Number.POSITIVE_INFINITY
    : readU64(group.bytes, group.valueStart);
}
