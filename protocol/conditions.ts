/**
 * The field of flag bit 0: what must hold, or the write is refused whole. Little-endian:
 *
 *   conditions   count u32 | count × condition                        count is 1 at least
 *     condition    kind u8 | keyLength u32 | key                      kind 0: absent, 1: present
 *                  kind u8 | keyLength u32 | key | sequence u64            2: of this sequence
 *                                                                          3: unchanged since, 4: and present
 *                  kind u8 | range | sequence u64                          5: unchanged since; see ranges.ts
 */
import type { BodyReader } from "./body-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { type BytesRange, readRange, writeRange } from "./ranges.ts";
import type { Condition, Data, KeyRange, WriteCondition } from "./store.ts";

const KIND = {
  ABSENT: 0,
  PRESENT: 1,
  SEQUENCE: 2,
  UNCHANGED: 3,
  UNCHANGED_PRESENT: 4,
  UNCHANGED_RANGE: 5,
} as const;
/** The least that a condition takes: its kind and the length of its key. */
const CONDITION_BYTES_MIN = 1 + 4;

/** A condition whose key is bytes, as it comes off the wire. */
export type BytesCondition =
  | (Condition & { readonly key: Uint8Array })
  | { readonly key: Uint8Array; readonly unchangedSince: number; readonly present?: true }
  | { readonly range: BytesRange; readonly unchangedSince: number };

/** A condition as an object of which some fields are missing, whichever kind it is. */
interface ConditionFields {
  readonly key: Data;
  readonly range?: KeyRange;
  readonly unchangedSince?: number;
  readonly absent?: true;
  readonly present?: true;
  readonly sequence?: number;
}

export function writeConditions(writer: FrameWriter, conditions: readonly WriteCondition[]): void {
  writer.u32(conditions.length);
  for (const condition of conditions) writeCondition(writer, condition as ConditionFields);
}

function writeCondition(writer: FrameWriter, condition: ConditionFields): void {
  const { key, absent, sequence, range, unchangedSince } = condition;
  if (unchangedSince !== undefined) {
    if (range !== undefined) {
      writer.u8(KIND.UNCHANGED_RANGE);
      writeRange(writer, range);
    } else {
      writer.u8(condition.present === true ? KIND.UNCHANGED_PRESENT : KIND.UNCHANGED);
      writer.sized(key);
    }
    writer.u64(unchangedSince);
    return;
  }
  if (sequence !== undefined) writer.u8(KIND.SEQUENCE);
  else writer.u8(absent === true ? KIND.ABSENT : KIND.PRESENT);
  writer.sized(key);
  if (sequence !== undefined) writer.u64(sequence);
}

export function readConditions(reader: BodyReader): BytesCondition[] {
  const count = reader.count(CONDITION_BYTES_MIN);
  if (count === 0) throw reader.malformed("no conditions, though the flags announce some");
  const conditions: BytesCondition[] = [];
  for (let i = 0; i < count; i++) conditions.push(readCondition(reader));
  return conditions;
}

function readCondition(reader: BodyReader): BytesCondition {
  const kind = reader.u8();
  if (kind > KIND.UNCHANGED_RANGE) throw reader.malformed(`condition kind ${kind}`);
  if (kind === KIND.UNCHANGED_RANGE) {
    return { range: readRange(reader), unchangedSince: reader.u64() };
  }
  const key = reader.sized();
  if (kind === KIND.ABSENT) return { key, absent: true };
  if (kind === KIND.PRESENT) return { key, present: true };
  if (kind === KIND.UNCHANGED) return { key, unchangedSince: reader.u64() };
  if (kind === KIND.UNCHANGED_PRESENT) {
    return { key, unchangedSince: reader.u64(), present: true };
  }
  return { key, sequence: reader.u64() };
}
